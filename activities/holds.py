"""What would hold Azure back whoever asks: locks, a disabled subscription, policies and deny assignments."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from activities.ahead import ahead
from activities.step import step
from clients.reads import list_arm, read_arm
from clients.remote_errors import RemoteError
from peering.denials import Parameters, denies, exempted_assignments, is_in_force, is_narrowed, parameters_of
from peering.holds import DenyingPolicy, Holds, of_denials, of_policies, of_subscription, perhaps
from peering.naming import VNetId, folded
from peering.outcome import Facts, Occurrence, ProblemError, text
from peering.rights import PLATFORM_ACTIONS
from peering.spec import Peering

Read = TypeVar("Read")

#: Answers to a reader who lacks the right, or asks for what is not there any more.
_NOT_FOR_US: Final = (403, 404)
_AUTHORIZATION: Final = "providers/Microsoft.Authorization"
_POLICY_VERSION: Final = "2021-06-01"
#: What a policy definition has to say.
_RULE: Final = ("properties.policyRule.if", "properties.policyRule.then.effect")
#: So many definitions are read at once.
_AT_ONCE: Final = 8
ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments"
#: What a start makes on a VNet, and who needs which action for it: the app's own identity assigns roles; the others
#: are not there before a start, or not known.
MADE_ON_VNET: Final = ("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", ASSIGNMENTS)
_BY_APP: Final = (f"{ASSIGNMENTS}/write",)
_BY_OTHERS: Final = ("Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write", *PLATFORM_ACTIONS)


@step
async def holds(_: Peering, facts: Facts) -> Facts:
    """What forbids changes of the VNet; what may not be read, is not said.

    A lock against deletion alone lets a start through, with a warning: the removal will not be. So does a policy that
    may or may not deny the peering, and whatever denies a peering that is there already.
    """
    vnet, identity = VNetId.parse(text(facts, "vnet_id")), text(facts, "automation_object_id")
    look, policies = await asyncio.gather(ahead(held_by, str(vnet)), ahead(denying, str(vnet), *MADE_ON_VNET))
    if disabled := list(of_subscription(look, vnet)):
        raise ProblemError.of(disabled)
    levels = [(one["id"], one["properties"]["level"]) for one in look.locks]
    held = [name for name, level in levels if level == "ReadOnly"]
    problems = [Occurrence(code="scope-locked", detail=f"A lock forbids every change: {name}.") for name in held]
    denied = [*of_policies(policies), *of_denials(look, vnet, identity, _BY_APP, _BY_OTHERS)]
    if facts["existing"] == "none":
        problems += denied
    if problems:
        raise ProblemError.of(problems)
    warnings = [f"The lock {name} will keep the peering from being removed." for name, _ in levels]
    return {"holds_checked": [*warnings, *perhaps(policies), *(one["detail"] for one in denied)]}


async def held_by(vnet_id: str) -> Holds:
    """Look at what holds a VNet, but for policies, at once.

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
    return Holds((subscription or {}).get("state", "Enabled"), locks or [], denials or [])


async def _or_none(reading: Awaitable[Read]) -> Read | None:
    """What is read, or None where the app may not read it."""
    try:
        return await reading
    except RemoteError as error:
        if error.answer.status not in _NOT_FOR_US:
            raise
        return None


async def _listed(vnet: VNetId, kind: str, api_version: str, *needed: str) -> list[dict[str, Any]]:
    path = f"{vnet}/{_AUTHORIZATION}/{kind}"
    return await list_arm(vnet.subscription_id, path, api_version, *needed, only="atScope()")


async def denying(vnet_id: str, *types: str) -> list[DenyingPolicy]:
    """The policy assignments that deny resources of some types on a VNet, or may.

    Args:
        vnet_id: the VNet's ARM id.
        types: the types, such as `Microsoft.Authorization/roleAssignments`.

    Raises:
        RemoteError: Azure did not answer, or left out a part.
    """
    vnet = VNetId.parse(vnet_id)
    assignments = (
        await _or_none(_listed(vnet, "policyAssignments", "2022-06-01", "id", "properties.policyDefinitionId")) or []
    )
    in_force = [one for one in assignments if is_in_force(one["properties"], str(vnet))]
    places = asyncio.Semaphore(_AT_ONCE)

    async def verdict(assignment: dict[str, Any]) -> bool | None:
        async with places:
            found = [
                denies(definition, parameters, kind)
                for definition, parameters in await _definitions(vnet, assignment["properties"])
                for kind in types
            ]
        sure = not is_narrowed(assignment["properties"])
        return sure or None if True in found else None if None in found else False

    verdicts = await asyncio.gather(*map(verdict, in_force))
    against = [(one, sure) for one, sure in zip(in_force, verdicts, strict=True) if sure is not False]
    exempted = await _exempted(vnet) if against else set()
    return [DenyingPolicy(_name(one), bool(sure)) for one, sure in against if folded(one["id"]) not in exempted]


def _name(assignment: dict[str, Any]) -> str:
    return f"The policy assignment {assignment['properties'].get('displayName')} ({assignment['id']})"


async def _exempted(vnet: VNetId) -> set[str]:
    """The assignments that somebody has exempted the VNet from."""
    exemptions = (
        await _or_none(_listed(vnet, "policyExemptions", "2022-07-01-preview", "properties.policyAssignmentId")) or []
    )
    return exempted_assignments([one["properties"] for one in exemptions], datetime.now(UTC))


async def _definitions(vnet: VNetId, assigned: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Parameters]]:
    """The definitions that an assignment brings, each with its parameters; of an initiative, all that customers wrote.

    Microsoft's own initiatives hold hundreds of definitions that audit; they are not read for each plan.
    """
    name, given = str(assigned["policyDefinitionId"]), assigned.get("parameters") or {}
    if "/policysetdefinitions/" not in name.lower():
        definition = await _definition(vnet, name, *_RULE)
        return [(definition, parameters_of(definition.get("parameters") or {}, given))] if definition else []
    initiative = None if _is_built_in(name) else await _definition(vnet, name, "properties.policyDefinitions")
    if initiative is None:
        return []
    outer = parameters_of(initiative.get("parameters") or {}, given)
    found: list[tuple[Mapping[str, Any], Parameters]] = []
    for part in initiative["policyDefinitions"]:
        name = str(part.get("policyDefinitionId"))
        definition = None if _is_built_in(name) else await _definition(vnet, name, *_RULE)
        if definition is not None:
            values = parameters_of(definition.get("parameters") or {}, part.get("parameters") or {}, outer)
            found.append((definition, values))
    return found


def _is_built_in(definition_id: str) -> bool:
    return definition_id.lower().startswith("/providers/microsoft.authorization/")


async def _definition(vnet: VNetId, definition_id: str, *needed: str) -> dict[str, Any] | None:
    found = await _or_none(read_arm(vnet.subscription_id, definition_id, _POLICY_VERSION, *needed))
    return found["properties"] if found is not None else None
