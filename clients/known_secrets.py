"""The secrets that this process has seen, so that no text of a remote that repeats one is kept or logged."""

from collections import deque
from typing import Final

from peering.outcome import Occurrence
from peering.scrubbing import scrubbed

#: Shorter than this, a value would be found in many a text that has nothing to do with it.
_SHORTEST: Final = 8
#: Passwords come and go; a process keeps the last ones that it has seen.
_KEPT: Final = 1000

_secrets: Final[deque[str]] = deque(maxlen=_KEPT)


def remember(secret: str | None) -> None:
    """Note a secret; what is too short to be told from other text is not one."""
    if secret is not None and len(secret) >= _SHORTEST and secret not in _secrets:
        _secrets.append(secret)


def readable(text: str) -> str:
    """A remote's text as it may be kept."""
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
