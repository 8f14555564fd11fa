"""Why a connection failed or is stuck, by checking the possible causes instead of repeating Aiven's message."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from activities.looks import remotes
from activities.looks.peering import look_of_peering
from activities.looks.remotes import part
from peering.drift import DRIFT, ORDER, connection_of, findings, verdict_of
from peering.facts import AssignmentLook, Facts
from peering.look import Look, if_seen
from peering.naming import VNetId, last_part, role_assignment_name, same_id
from peering.outcome import Occurrence, StepRequest
from peering.problems.codes import ProblemCode
from peering.spec import Peering

#: The symptoms of a failed or stuck connection: never its own cause.
_SYMPTOMS: Final[frozenset[ProblemCode]] = frozenset(
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


#: The platform's checks before it fails in a state, in its order: it stops at the first failure.
_BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "REJECTED_BY_PEER": (
        *("connection-of-another-application", "connection-wrong-tenant"),
        *("application-missing", "application-not-multi-tenant"),
        *("platform-principal-missing", "platform-principal-disabled"),
    ),
    "INVALID_SPECIFICATION": (
        *("connection-name-case", "vnet-not-found"),
        *("platform-role-assignment-missing", "platform-role-assignment-elsewhere", "role-definition-changed"),
        *("vnet-not-provisioned", "address-spaces-overlap", "address-space-overlaps-peered-vnet"),
    ),
}
#: Those of them that may pass: a new object has not propagated yet, or the VNet is being changed.
PASSING: Final[frozenset[ProblemCode]] = frozenset(
    {
        *("application-missing", "platform-principal-missing"),
        *("platform-role-assignment-missing", "role-definition-changed", "vnet-not-provisioned"),
    }
)
#: Permanent causes of a failed state.
LASTING: Final = frozenset(code for behind in _BEHIND.values() for code in behind) - PASSING


async def diagnose(request: StepRequest) -> list[Occurrence]:
    """The causes of a failed or stuck connection, the most decisive first.

    Empty if everything that can be read is in order.
    """
    peering, facts = request["peering"], request["facts"]
    look = await look_of_peering(peering, facts)
    found = [*findings(peering, facts, look, datetime.now(UTC)), *_busy(look)]
    causes = [await _placed(peering, facts, look, cause) for cause in found if cause["code"] not in _SYMPTOMS]
    return sorted(causes, key=_decisiveness(peering, facts, look))


def _decisiveness(peering: Peering, facts: Facts, look: Look) -> Callable[[Occurrence], tuple[int, int]]:
    """The sort key of causes: first those that explain the connection's state, then by severity; last unread ones."""
    vpc = if_seen(look["project_vpc"])
    connection = connection_of(peering["vnet_id"], vpc, facts) if vpc else None
    behind = _BEHIND.get(connection["state"], ()) if connection else ()

    def key(cause: Occurrence) -> tuple[int, int]:
        code, badness = cause["code"], ORDER.index(verdict_of([cause["code"]]))
        if code in behind:
            return behind.index(code), 0
        return len(behind), -badness if code in DRIFT else 1

    return key


def _busy(look: Look) -> list[Occurrence]:
    """A VNet that is being changed: transient, so not drift, but Azure allows no peering with it in the meantime."""
    vnet = if_seen(look["vnet"])
    if vnet is None or vnet["provisioning_state"] != "Updating":
        return []
    return [Occurrence(code="vnet-not-provisioned", detail="The VNet is being updated.")]


async def _placed(peering: Peering, facts: Facts, look: Look, cause: Occurrence) -> Occurrence:
    """A missing assignment of the platform's role may exist on another scope.

    The assignments that this app made for other VNets, which their names tell, are not meant for this one.
    """
    principal = if_seen(look["platform_principal"])
    if cause["code"] != "platform-role-assignment-missing" or principal is None:
        return cause
    vnet_id = str(facts.get("vnet_id", peering["vnet_id"]))
    subscription, platform = VNetId.parse(vnet_id).subscription_id, principal["id"]
    held = await part(lambda: remotes.assignments_in_subscription(subscription, platform))
    role = last_part(str(facts.get("platform_role_id", "")))
    scopes = [a["scope"] for a in if_seen(held) or [] if same_id(a["role"], role) and not _is_for_its_scope(a)]
    if not scopes:
        return cause
    detail = f"The platform's role is assigned on {', '.join(scopes)}, which is not {vnet_id}."
    return Occurrence(code="platform-role-assignment-elsewhere", detail=detail)


def _is_for_its_scope(assignment: AssignmentLook) -> bool:
    """Whether this app made a role assignment where it is."""
    name = role_assignment_name(assignment["scope"], assignment["role"], assignment["principal_id"])
    return same_id(last_part(assignment["id"]), name)
