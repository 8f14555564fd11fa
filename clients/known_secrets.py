"""The secrets that this process has seen, so that no text of a remote service that repeats one is stored or logged."""

from typing import Final

from peering.outcome import Occurrence
from peering.scrubbing import KnownSecrets, scrubbed

#: Passwords come and go; a process keeps the last ones that it has seen, most in up to five spellings.
_secrets: Final = KnownSecrets(8000)


def remember(secret: str | None) -> None:
    """Register a secret, in the spellings in which remote services repeat it; a very short text is ignored."""
    _secrets.add(secret or "")


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
