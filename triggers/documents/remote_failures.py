"""The API's response when the registry, or another dependency of a request, fails."""

from collections.abc import Mapping
from typing import Final

from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode

#: The Table service is the only remote service that the API itself calls.
_AS_REGISTRY: Final[Mapping[ProblemCode, ProblemCode]] = {
    "remote-unavailable": "registry-unavailable",
    "remote-throttled": "registry-unavailable",
    "remote-refused": "registry-unavailable",
}


def problem_of(error: Exception) -> Occurrence:
    """The catalogue's problem for an exception; an unknown exception is logged."""
    from activities.remote_errors import problem_of as known

    occurrence = known(error, "api")
    return {**occurrence, "code": _AS_REGISTRY.get(occurrence["code"], occurrence["code"])}
