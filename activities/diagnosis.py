"""Why a connection failed or is stuck, by checking the possible causes, not by echoing what Aiven says of it."""

from datetime import UTC, datetime
from typing import Final

from activities import looking
from activities.look_of_peering import look_of_peering
from peering.health import findings
from peering.look import Look
from peering.naming import VNetId, same_id
from peering.outcome import Facts, Occurrence, StepRequest
from peering.spec import Peering

#: What a failed or stuck connection shows of itself: never its own cause.
_SYMPTOMS: Final = frozenset(
    {
        "connection-not-built",
        "connection-not-active",
        "connection-invalid-specification",
        "connection-rejected-by-peer",
        "connection-error",
        "connection-state-unknown",
        "connection-deleted-by-peer",
    }
)


async def diagnose(request: StepRequest) -> list[Occurrence]:
    """What stands behind a connection that failed or is stuck; empty when all that can be looked at is in order."""
    peering, facts = request["peering"], request["facts"]
    look = await look_of_peering(peering, facts)
    found = findings(peering, facts, look, datetime.now(UTC))
    return [await _placed(peering, facts, look, cause) for cause in found if cause["code"] not in _SYMPTOMS]


async def _placed(peering: Peering, facts: Facts, look: Look, cause: Occurrence) -> Occurrence:
    """A missing assignment of the platform's may be there after all, but on another scope."""
    principal = look["platform_principal"].get("found")
    if cause["code"] != "platform-role-assignment-missing" or principal is None:
        return cause
    vnet_id = str(facts.get("vnet_id", peering["vnet_id"]))
    held = await looking.assignments_in_subscription(VNetId.parse(vnet_id).subscription_id, principal["id"])
    scopes = [assignment["scope"] for assignment in held or [] if not same_id(assignment["scope"], vnet_id)]
    if not scopes:
        return cause
    detail = f"The platform's role is assigned on {', '.join(scopes)}, which is not {vnet_id}."
    return Occurrence(code="platform-role-assignment-elsewhere", detail=detail)
