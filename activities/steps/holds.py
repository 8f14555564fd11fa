"""What blocks changes by any identity: locks, a disabled subscription, policies and deny assignments."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from activities.looks import remotes
from activities.looks.ahead import ahead
from activities.step import step
from clients.reads import list_arm, read_arm
from clients.remote_errors import RemoteError, or_none
from peering.denials import (
    Definition,
    denied_by,
    exempted_assignments,
    is_in_force,
    parameters_of,
)
from peering.facts import Facts
from peering.holds import (
    ASSIGNMENTS,
    PEERINGS,
    ROLES,
    DenyingPolicy,
    Holds,
    locks_on,
    of_denials,
    of_policies,
    of_subscription,
    of_unread,
    perhaps,
)
from peering.naming import VNetId, folded
from peering.outcome import Occurrence, ProblemError
from peering.rights import PLATFORM_ACTIONS
from peering.sides import changes_of_side, side_of
from peering.spec import Peering
from peering.step_names import StepName
from peering.unfit import missing_roles

Read = TypeVar("Read")

#: Responses to a reader without the right, or for a deleted object.
_FORBIDDEN: Final = 403
_NOT_FOR_US: Final = (_FORBIDDEN, 404)
_AUTHORIZATION: Final = "providers/Microsoft.Authorization"
_POLICY_VERSION: Final = "2021-06-01"
_ASSIGNMENT_VERSION: Final = "2022-06-01"
#: The required fields of a policy definition.
_RULE: Final = ("properties.policyRule.if", "properties.policyRule.then.effect")
#: How many definitions are read in parallel.
_AT_ONCE: Final = 8
#: The actions by which the app itself creates objects in Azure, by the steps of a start.
_CREATED: Final[Mapping[StepName, str]] = {
    **dict.fromkeys(("user_role", "platform_role"), f"{ROLES}/write"),
    **dict.fromkeys(("user_role_assignment", "platform_role_assignment"), f"{ASSIGNMENTS}/write"),
}
_KEPT: Final = "the removal of the peering, and of rights that are not requested"
#: The actions of a removal.
_TO_REMOVE: Final = (f"{PEERINGS}/delete", f"{ASSIGNMENTS}/delete", f"{ROLES}/delete")


@step
async def holds(peering: Peering, facts: Facts) -> Facts:
    """What blocks changes of the VNet, as far as the app may read it.

    If it blocks only changes that this start does not make, the start continues with a warning: a later start or the
    removal may need them. The same applies to a policy that may deny the peering.
    """
    vnet, identity = VNetId.parse(facts["vnet_id"]), facts["automation_object_id"]
    look, read = await asyncio.gather(ahead(held_by, str(vnet)), ahead(denying, str(vnet)))
    policies = read or []
    if disabled := list(of_subscription(look, vnet)):
        raise ProblemError.of(disabled)
    held_of = partial(_held, look, policies, vnet, identity)
    own = side_of(facts, facts["peered_networks"], facts["project_network_cidr"])
    # The list also has the locks of other peerings of the VNet.
    locks = locks_on(look, str(vnet), own["id"] if own is not None else str(vnet))
    made, all_made = _made(peering, facts), await _all_made(peering, vnet, held_of)
    problems = [*_of_locks(locks, made), *held_of(made)]
    if problems:
        raise ProblemError.of(problems)
    warnings = [f"The lock {name} will block {_KEPT}." for name in locks]
    kept = [f"{one['detail']} This blocks {_KEPT}." for one in held_of(_TO_REMOVE)]
    doubts = perhaps(policies, {*all_made, *_TO_REMOVE})
    later = [one["detail"] for one in held_of(all_made)]
    return {"holds_checked": [*warnings, *kept, *doubts, *later, *of_unread(look, read)]}


def _of_locks(locks: Mapping[str, str], made: Collection[str]) -> Iterator[Occurrence]:
    """The problems with locks, of these levels by their ids: a read-only one forbids every change."""
    for name, level in locks.items():
        if level == "ReadOnly" and made:
            yield Occurrence(code="scope-locked", detail=f"A lock forbids every change: {name}.")
        elif f"{PEERINGS}/delete" in made:
            detail = f"The lock {name} blocks the deletion of the Disconnected side."
            yield Occurrence(code="scope-locked", detail=detail)


async def _all_made(peering: Peering, vnet: VNetId, held: Callable[[Collection[str]], list[Occurrence]]) -> set[str]:
    """The actions of a start that creates everything; creating a role only if one is missing."""
    made = {f"{PEERINGS}/write", f"{ASSIGNMENTS}/write"}
    makes_role = {f"{ROLES}/write"}
    # The roles are read only if needed.
    if held(makes_role) and missing_roles(peering, await remotes.custom_roles(str(vnet)), str(vnet)):
        made |= makes_role
    return made


def _made(peering: Peering, facts: Facts) -> set[str]:
    """The actions that this start takes, by what there is, and the deletion of a side that is Disconnected."""
    if facts["existing"] == "foreign":
        return set()
    # Without a connection, a start assigns the roles even if it finds them assigned.
    found = {one for one in facts["found"] if facts["existing"] != "none" or not one.endswith("_assignment")}
    sides, created = facts["peered_networks"], set(_CREATED) - found
    on_side = changes_of_side(peering, facts, sides, facts["project_network_cidr"])
    return {*(_CREATED[name] for name in created), *(f"{PEERINGS}/{verb}" for verb in on_side)}


def _held(
    look: Holds, policies: Collection[DenyingPolicy], vnet: VNetId, identity: str, actions: Collection[str]
) -> list[Occurrence]:
    """The problems with policies and deny assignments that certainly deny some actions of a start."""
    by_others = {action for action in actions if action.startswith(PEERINGS)}
    platform = PLATFORM_ACTIONS if f"{PEERINGS}/write" in actions else ()
    by_app = {*actions} - by_others
    return [*of_policies(policies, actions), *of_denials(look, vnet, identity, by_app, {*by_others, *platform})]


async def held_by(vnet_id: str) -> Holds:
    """Read the holds on a VNet, except policies, in parallel.

    Args:
        vnet_id: the VNet's ARM id.

    Raises:
        RemoteError: Azure did not answer, or left out a part.
    """
    vnet = VNetId.parse(vnet_id)
    locks, subscription, denials = await asyncio.gather(
        _or_none(
            list_arm(vnet.subscription_id, f"{vnet}/{_AUTHORIZATION}/locks", "2020-05-01", "id", "properties.level")
        ),
        _or_none(read_arm(vnet.subscription_id, vnet.subscription_scope, "2022-12-01", "state")),
        _or_none(_listed(vnet, "denyAssignments", "2022-04-01", "id", "properties")),
    )
    looks = {"its locks": locks, "its subscription's state": subscription, "its deny assignments": denials}
    unread = tuple(what for what, found in looks.items() if found is None)
    return Holds((subscription or {}).get("state", "Enabled"), locks or [], denials or [], unread)


async def _or_none(reading: Awaitable[Read]) -> Read | None:
    """The result of a read, or None if the app may not read it."""
    try:
        return await reading
    except RemoteError as error:
        if not error.answer.refuses(*_NOT_FOR_US):
            raise
        return None


async def _listed(vnet: VNetId, kind: str, api_version: str, *needed: str) -> list[dict[str, Any]]:
    """What is in force on a VNet."""
    path = f"{vnet}/{_AUTHORIZATION}/{kind}"
    return await list_arm(vnet.subscription_id, path, api_version, *needed, only="atScope()")


async def denying(vnet_id: str) -> list[DenyingPolicy] | None:
    """The policy assignments that deny changes of what a peering has on a VNet, and of its roles above it, or may.

    None if the app may not read any.

    Args:
        vnet_id: the VNet's ARM id.

    Raises:
        RemoteError: Azure did not answer, or left out a part.
    """
    vnet = VNetId.parse(vnet_id)
    if (assignments := await _assigned(vnet)) is None:
        return None
    where, places = _changes(vnet), asyncio.Semaphore(_AT_ONCE)

    async def denied(assignment: dict[str, Any]) -> DenyingPolicy:
        assigned, actions = assignment["properties"], [a for a, path in where.items() if is_in_force(assignment, path)]
        hidden: list[str] = []
        async with places:
            read = await _definitions(vnet, assigned, hidden) if actions else []
        found = denied_by(read, actions, assigned)
        # An unreadable definition may deny any of the actions.
        unknown = dict.fromkeys(actions, False) if hidden else {}
        return DenyingPolicy(_name(assignment), unknown | found, is_unread=bool(hidden))

    verdicts = await asyncio.gather(*map(denied, assignments))
    exemptions = await _exemptions(vnet) if any(policy.denied for policy in verdicts) else []
    now = datetime.now(UTC)
    exempted = {path: exempted_assignments(exemptions or [], path, now) for path in where.values()}

    def left(assignment: dict[str, Any], policy: DenyingPolicy) -> DenyingPolicy:
        """What an assignment still denies; if an exemption covers some definitions, it only may deny."""
        held = {action: exempted[where[action]].get(folded(assignment["id"])) for action in policy.denied}
        is_known = exemptions is not None
        denied = {a: sure and is_known and held[a] is None for a, sure in policy.denied.items() if held[a] is not True}
        return replace(policy, denied=denied)

    return [left(one, found) for one, found in zip(assignments, verdicts, strict=True)]


async def _assigned(vnet: VNetId) -> list[dict[str, Any]] | None:
    """The policy assignments of a VNet and of its subscription, where roles are made.

    A subscription's list also has those that leave the VNet out, and those inside other groups. An app that may not
    read it may read those of the VNet.
    """
    path, needed = (
        f"{vnet.subscription_scope}/{_AUTHORIZATION}/policyAssignments",
        ("id", "properties.policyDefinitionId"),
    )
    listed = await _or_none(list_arm(vnet.subscription_id, path, _ASSIGNMENT_VERSION, *needed))
    if listed is None:
        return await _or_none(_listed(vnet, "policyAssignments", _ASSIGNMENT_VERSION, *needed))
    return listed


def _changes(vnet: VNetId) -> dict[str, str]:
    """The changes of a peering's objects in Azure, each with the path that it is done at, or above."""
    places = {PEERINGS: str(vnet), ASSIGNMENTS: str(vnet), ROLES: vnet.subscription_scope}
    return {f"{kind}/{verb}": path for kind, path in places.items() for verb in ("write", "delete")}


def _name(assignment: dict[str, Any]) -> str:
    return f"The policy assignment {assignment['properties'].get('displayName')} ({assignment['id']})"


async def _exemptions(vnet: VNetId) -> list[dict[str, Any]] | None:
    """The policy exemptions of the VNet and its subscription; None if the app may not read them."""
    needed = ("id", "properties.policyAssignmentId")
    return await _or_none(_listed(vnet, "policyExemptions", "2022-07-01-preview", *needed))


async def _definitions(vnet: VNetId, assigned: Mapping[str, Any], hidden: list[str]) -> list[Definition]:
    """The definitions that an assignment brings, each with its parameters; of an initiative, all that customers wrote.

    Microsoft's own initiatives hold hundreds of definitions that audit; they are not read for each plan. The ids of
    those that the app may not read are added to `hidden`.
    """
    name, given = str(assigned["policyDefinitionId"]), assigned.get("parameters") or {}
    if "/policysetdefinitions/" not in name.lower():
        definition = await _definition(vnet, name, hidden, *_RULE)
        return [Definition(definition, parameters_of(definition.get("parameters") or {}, given))] if definition else []
    initiative = None if _is_built_in(name) else await _definition(vnet, name, hidden, "properties.policyDefinitions")
    if initiative is None:
        return []
    outer = parameters_of(initiative.get("parameters") or {}, given)
    found: list[Definition] = []
    for part in initiative["policyDefinitions"]:
        name = str(part.get("policyDefinitionId"))
        definition = None if _is_built_in(name) else await _definition(vnet, name, hidden, *_RULE)
        if definition is not None:
            values = parameters_of(definition.get("parameters") or {}, part.get("parameters") or {}, outer)
            found.append(Definition(definition, values, str(part.get("policyDefinitionReferenceId") or "")))
    return found


def _is_built_in(definition_id: str) -> bool:
    return definition_id.lower().startswith("/providers/microsoft.authorization/")


async def _definition(vnet: VNetId, definition_id: str, hidden: list[str], *needed: str) -> dict[str, Any] | None:
    reading = read_arm(vnet.subscription_id, definition_id, _POLICY_VERSION, *needed)
    try:
        found = await or_none(reading)
    except RemoteError as error:
        if not error.answer.refuses(_FORBIDDEN):
            raise
        hidden.append(definition_id)
        return None
    return found["properties"] if found is not None else None
