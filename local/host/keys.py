"""The host's keys: who may call functions, the host's own routes, and Durable's."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from starlette.requests import Request


@dataclass(frozen=True)
class Keys:
    """One key of each kind that Azure Functions has."""

    master: str
    function: str
    system: str

    def __repr__(self) -> str:
        return "Keys(...)"

    def allow(self, request: Request, level: str) -> bool:
        """Whether a request may call what has the authorization level `anonymous`, `function`, `system` or `admin`."""
        if level == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        good = [self.master, *([self.function] if level == "function" else [])]
        good += [self.system] if level == "system" else []
        return any(secrets.compare_digest(given.encode(), key.encode()) for key in good)


def load_keys(path: Path) -> Keys:
    """Read the keys from a file that only its owner can read, or make new ones and write it."""
    if not path.exists():
        keys = Keys(*(secrets.token_urlsafe(32) for _ in range(3)))
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(keys)))
        return keys
    return Keys(**json.loads(path.read_text()))
