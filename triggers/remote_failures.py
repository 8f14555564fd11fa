"""What the API answers when the registry, or anything else that a request needs, fails."""

from typing import Final

from peering.outcome import Occurrence

#: The Table service is the only remote that the API itself asks.
_AS_REGISTRY: Final = {
    "remote-unavailable": "registry-unavailable",
    "remote-throttled": "registry-unavailable",
    "remote-refused": "registry-unavailable",
}


def problem_of(error: Exception) -> Occurrence:
    """The problem of the catalogue that an exception is; one that it does not know is logged."""
    from activities.remote_errors import problem_of as known

    occurrence = known(error, "api")
    return {**occurrence, "code": _AS_REGISTRY.get(occurrence["code"], occurrence["code"])}
