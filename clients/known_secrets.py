"""The secrets that this process has seen, so that no text of a remote service that repeats one is stored or logged."""

from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from html import escape
from typing import Final
from urllib.parse import quote

from peering.outcome import Occurrence
from peering.scrubbing import scrubbed

#: Shorter than this, a value would be found in many a text that has nothing to do with it.
_SHORTEST: Final = 8
#: Passwords come and go; a process keeps the last ones that it has seen, each in up to five forms.
_KEPT: Final = 4000

_secrets: Final[deque[str]] = deque(maxlen=_KEPT)


def remember(secret: str | None) -> None:
    """Register a secret, in the forms in which remote services repeat it; a very short text is ignored."""
    if secret is not None and len(secret) >= _SHORTEST and secret not in _secrets:
        _secrets.extend(dict.fromkeys(_forms(secret)))


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, in a URL, in JSON, in HTML, in base64."""
    yield from (secret, quote(secret, safe=""), secret.replace("/", r"\/"), escape(secret))
    yield b64encode(secret.encode()).decode().rstrip("=")


def readable(text: str) -> str:
    """A remote service's text as it may be stored."""
    return scrubbed(text, _secrets)


def without_secrets(problem: Occurrence) -> Occurrence:
    """A problem as it may be kept: its texts, those of its remote, and those of the problems that it holds."""
    problem["detail"] = readable(problem["detail"])
    if "remote" in problem:
        for name in ("code", "request_id"):
            value = problem["remote"].get(name)
            if value is not None:
                problem["remote"][name] = scrubbed(str(value), _secrets, longest=200)
    for held in (*problem.get("also", ()), *problem.get("causes", ())):
        without_secrets(held)
    return problem
