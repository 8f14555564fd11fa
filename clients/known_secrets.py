"""The secrets that this process has seen, so that no text of a remote service that repeats one is stored or logged."""

from collections import deque
from typing import Final

from peering.outcome import Occurrence
from peering.scrubbing import scrubbed, spellings

#: Passwords come and go; a process keeps the last ones that it has seen, most in up to five spellings.
_KEPT: Final = 8000

_secrets: Final[deque[str]] = deque(maxlen=_KEPT)


def remember(secret: str | None) -> None:
    """Register a secret, in the spellings in which remote services repeat it; a very short text is ignored."""
    _secrets.extend(spelling for spelling in tuple(spellings(secret or "")) if spelling not in _secrets)


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
