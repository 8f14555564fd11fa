"""The host's keys: who may call functions, the host's own routes, and Durable's."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from starlette.requests import Request


@dataclass(frozen=True)
class Keys:
    """One key of each kind that Azure Functions has, and those that single functions have of their own, by name."""

    master: str
    function: str
    system: str
    of_functions: dict[str, dict[str, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Keys(...)"

    def allow(self, request: Request, level: str, function: str = "") -> bool:
        """Whether a request may call what has the authorization level `anonymous`, `function`, `system` or `admin`."""
        if level == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        good = [self.master, *([self.function] if level == "function" else [])]
        good += [self.system] if level == "system" else []
        good += self.of_functions.get(function.lower(), {}).values() if level == "function" else []
        return any(secrets.compare_digest(given.encode(), key.encode()) for key in good)

    def set(self, function: str, name: str, value: str) -> bool:
        """Give a function a key of its own; returns whether it had none of that name."""
        held = self.of_functions.setdefault(function.lower(), {})
        is_new = name not in held
        held[name] = value
        return is_new


def write_keys(path: Path, keys: Keys) -> None:
    """Write the keys to a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(keys)))


def load_keys(path: Path) -> Keys:
    """Read the keys from a file that only its owner can read, or make new ones and write it."""
    if not path.exists():
        keys = Keys(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        write_keys(path, keys)
        return keys
    return Keys(**json.loads(path.read_text()))
