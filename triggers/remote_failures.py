"""What the API answers when the registry, or anything else that a request needs, fails."""

import logging
from typing import Final

from peering.outcome import Occurrence

log: Final = logging.getLogger("aiven_azure_peering.api")

#: The Table service is the only remote that the API itself asks.
_AS_REGISTRY: Final = {
    "remote-unavailable": "registry-unavailable",
    "remote-throttled": "registry-unavailable",
    "remote-refused": "registry-unavailable",
}


def problem_of(error: Exception) -> Occurrence:
    """The problem of the catalogue that an exception is; one that it does not know is logged."""
    from activities.remote_errors import occurrence_of
    from clients.credentials import automation_credential

    occurrence = occurrence_of(error, {})
    if occurrence is None:
        log.exception("event=unexpected-error")
        return Occurrence(code="unexpected-error", detail=type(error).__name__)
    if occurrence["code"] == "registry-access-denied":
        automation_credential().forget()
    return {**occurrence, "code": _AS_REGISTRY.get(occurrence["code"], occurrence["code"])}
