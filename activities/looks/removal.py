"""The preflight of a removal, for its plan, without Durable Functions. Nothing is changed."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, NamedTuple, TypeVar

from activities.looks import remotes
from activities.looks.directory import principals
from activities.looks.made_first import NOTHING, MadeFirst, made_first
from activities.looks.neighbours import neighbours_of
from activities.looks.own_rights import (
    graph_permissions,
    identity,
    lacking_for_applications,
    lacking_ownership,
    permissions_in_subscription,
    permissions_on_vnet,
    rights_in_aiven,
)
from activities.looks.remotes import part
from activities.looks.vault_rights import DELETE_SECRETS, WRITE_SECRETS, rights_in_vault
from activities.steps.holds import denying, held_by
from activities.steps.removal import belongings
from activities.steps.removed_rights import released_roles, removed_assignments
from clients.aiven_vpcs import vpc_client
from clients.settings import settings
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook, Facts, Neighbours, named
from peering.look import PrincipalLook
from peering.naming import VNetId, folded, last_part, role_definition_id, secret_name
from peering.outcome import Occurrence, Outcome, StepRequest
from peering.record import Record
from peering.removal_obstacles import AzureLooks, RemovalLooks
from peering.rights import made_role_names
from peering.spec import Peering
from peering.step_names import StepName
from peering.steps import OBJECTS

Found = TypeVar("Found")
#: A removal polls several times before an object counts as deleted; its plan polls once, which counts as enough.
_ENOUGH: Final = 1000
#: The steps that assign roles, and those that make them.
_ASSIGNING: Final[tuple[StepName, ...]] = ("user_role_assignment", "platform_role_assignment")
_MAKING: Final[tuple[StepName, ...]] = ("user_role", "platform_role")


class _Seen:
    """Looks whose failures are problems of the plan."""

    def __init__(self) -> None:
        self.problems: list[Occurrence] = []

    async def __call__(self, look: Callable[[], Awaitable[Found | None]]) -> Found | None:
        """What a look has found; None if it has failed."""
        found = await part(look)
        if "problem" in found:
            self.problems.append(found["problem"])
            return None
        return found["found"]

    def facts_of(self, outcome: Outcome) -> Facts:
        """The facts of a step; none if it has failed, which is the first of the problems."""
        if "problem" in outcome:
            self.problems.insert(0, outcome["problem"])
            return Facts()
        return outcome["facts"]


class _LackingInGraph(NamedTuple):
    """The problems with permissions: to change or delete the application, to delete the platform's principal."""

    application: list[Occurrence]
    platform: list[Occurrence]


class _Rights(NamedTuple):
    """The assignments that the removal would delete, None if unknown; roles that others have; and those it releases."""

    removed: list[str] | None
    assigned_elsewhere: set[str]
    released: dict[str, str]


async def look_at_removal(record: Record) -> RemovalLooks:
    """Read the existing objects, who shares them, and the possible obstacles to their removal.

    Args:
        record: the peering's record.
    """
    peering, application, seen = record["peering"], str(record["facts"].get("application_id") or ""), _Seen()
    adopted = record["facts"].get("existing") == "adopted"
    of_steps: dict[StepName, str] = {"platform_service_principal": str(settings().platform_application_id)}
    of_steps |= {"user_service_principal": application} if application else {}
    _, me = await identity()
    (outcome, shared, held, made, gone), in_azure, in_aiven = await asyncio.gather(
        asyncio.gather(
            belongings(StepRequest(peering=peering, facts=record["facts"] | Facts(tries=_ENOUGH))),
            neighbours_of(peering),
            seen(lambda: _principals(of_steps)),
            seen(lambda: _made_roles(record)),
            seen(lambda: _all_gone(record)),
        ),
        _look_at_azure(seen, peering["vnet_id"]),
        seen(lambda: rights_in_aiven(AivenVpc.of(peering), of_now=True)),
    )
    # Graph has just accepted the token.
    in_graph = await seen(lambda: _lacking_in_graph(application, me)) or _LackingInGraph([], [])
    gathered = seen.facts_of(outcome)
    known = record["facts"] | gathered
    first = await seen(lambda: _made_first(peering, known, gathered, me)) or NOTHING
    in_vault = await seen(lambda: _lacking_in_vault(peering, me, first.steps))
    rights = await _look_at_rights(seen, peering, known, shared if gathered else None)
    return RemovalLooks(
        facts=gathered,
        made_first=first.steps,
        made_roles=(made or {}) | rights.released,
        gone={*(gone or ()), *(of_steps.keys() - held.keys() if held is not None else ())},
        removed_assignments=rights.removed,
        assigned_elsewhere=rights.assigned_elsewhere,
        neighbours=shared,
        identity=me,
        principals=held,
        in_azure=in_azure,
        lacking={
            "application": in_graph.application,
            "platform_service_principal": in_graph.platform,
            "peering_connection": in_aiven or [],
            "application_credential": [*(in_vault or []), *(in_graph.application if adopted else [])],
            "vnet_peering": first.problems,
        },
        warnings=first.warnings,
        problems=seen.problems,
    )


async def _look_at_azure(seen: _Seen, vnet_id: str) -> AzureLooks:
    """What may prevent changes of the VNet, and of rights in its subscription."""
    looks = await asyncio.gather(
        seen(lambda: held_by(vnet_id)),
        seen(lambda: denying(vnet_id)),
        seen(lambda: permissions_on_vnet(vnet_id)),
        seen(lambda: permissions_in_subscription(VNetId.parse(vnet_id).subscription_id)),
    )
    return AzureLooks(*looks)


async def _look_at_rights(seen: _Seen, peering: Peering, known: Facts, shared: Neighbours | None) -> _Rights:
    """What becomes of roles and assignments; without neighbours, nothing is known of the assignments."""
    subscription = VNetId.parse(peering["vnet_id"]).subscription_id
    removed = await seen(lambda: _removed(peering, known, shared)) if shared is not None else None
    deleted = {folded(one["id"]) for one in removed or ()}
    assigned = await seen(lambda: remotes.assignments_in_subscription(subscription)) if removed is not None else None
    released = await seen(lambda: released_roles(peering, known | _taken(removed or ()))) or {}
    return _Rights(
        removed=[one["id"] for one in removed] if removed is not None else None,
        assigned_elsewhere={one["role"] for one in assigned or () if folded(one["id"]) not in deleted},
        released={name: role_definition_id(f"/subscriptions/{subscription}", guid) for name, guid in released.items()},
    )


async def _lacking_in_vault(peering: Peering, me: str, made: Collection[StepName]) -> list[Occurrence]:
    # If listing is denied, so is reading the application's password.
    await remotes.one_secret(secret_name(peering["id"]))
    return await rights_in_vault(me, DELETE_SECRETS, *([WRITE_SECRETS] if "application_credential" in made else []))


async def _lacking_in_graph(application: str, me: str) -> _LackingInGraph:
    permissions = await graph_permissions()
    lacking = lacking_for_applications(permissions, "delete")
    of_application = lacking or (await lacking_ownership(permissions, application, me) if application else [])
    return _LackingInGraph(of_application, lacking)


async def _made_first(peering: Peering, known: Facts, gathered: Facts, me: str) -> MadeFirst:
    """What is created first, where there is a VNet peering of this app's to delete."""
    if "vnet_peering_to_remove" not in gathered:
        return NOTHING
    return await made_first(peering, known, named(gathered, "user_principal_id"), me)


async def _removed(peering: Peering, known: Facts, shared: Neighbours) -> list[AssignmentLook]:
    """The assignments that the removal would delete; one read of Aiven counts as all of its polls."""
    there = await remotes.assignments_on(known["vnet_id"])
    return await removed_assignments(peering, known | Facts(tries=_ENOUGH, assignments_there=there), shared)


def _taken(removed: Collection[AssignmentLook]) -> Facts:
    return {"assignments_there": [*removed], "role_assignments_removed": [one["id"] for one in removed]}


async def _made_roles(record: Record) -> dict[str, str]:
    """The ids of the roles that starts created and the record does not hold, by name: one call for each.

    They are read by their GUIDs, as a list may lag behind.
    """
    peering, facts = record["peering"], record["facts"]
    scope = VNetId.parse(peering["vnet_id"]).subscription_scope
    held = {last_part(str(facts.get(name))).lower() for name in ("user_role_id", "platform_role_id")}
    made = {name: guid for name, guid in made_role_names(peering, facts).items() if guid not in held}
    found = await asyncio.gather(*(remotes.role(peering["vnet_id"], guid) for guid in made.values()))
    return {name: role_definition_id(scope, guid) for name, guid in made.items() if any(guid in one for one in found)}


async def _all_gone(record: Record) -> list[StepName]:
    """The steps whose recorded objects are not there any more: rights in Azure, and what would be handed back."""
    rights, handed_back = await asyncio.gather(_gone(record), _gone_of_adopted(record))
    return [*rights, *handed_back]


async def _principals(of_steps: Mapping[StepName, str]) -> dict[StepName, PrincipalLook]:
    """The service principals of these applications that Entra shows, by the step that creates each."""
    held = await principals([*of_steps.values()])
    return {step: held[one] for step, one in of_steps.items() if one in held}


async def _gone_of_adopted(record: Record) -> list[StepName]:
    """The steps of an adopted connection and VNet peering that Aiven and Azure do not show: one call for each."""
    peering, facts = record["peering"], record["facts"]
    owner, side = facts.get("application_id"), facts.get("vnet_peering_id")
    if facts.get("existing") != "adopted" or owner is None:
        return []
    gone: list[StepName] = [] if await _is_connected(peering, owner) else ["peering_connection"]
    if side is not None and await remotes.vnet_peering(side) is None:
        gone.append("vnet_peering")
    return gone


async def _is_connected(peering: Peering, owner: str) -> bool:
    """Whether Aiven shows a connection of the application, or one in part that may be it."""
    vpc, vnet = await vpc_client(AivenVpc.of(peering)).read_unless_gone(), VNetId.parse(peering["vnet_id"])
    if vpc is None:
        return False
    is_unclear = any(connection.is_unclear(vnet, owner) for connection in vpc.peering_connections)
    return is_unclear or vpc.connection_to(vnet, owner, only_own=True) is not None


async def _gone(record: Record) -> list[StepName]:
    """The steps whose recorded roles and assignments Azure does not find by their ids: one call for each."""
    vnet_id, facts = record["peering"]["vnet_id"], record["facts"]

    async def is_gone(step: StepName, recorded: str) -> bool:
        if step in _ASSIGNING:
            return not await remotes.has_assignment(recorded)
        return not await remotes.role(vnet_id, last_part(recorded))

    ids = {step: named(facts, OBJECTS[step]) for step in (*_ASSIGNING, *_MAKING)}
    recorded = {step: one for step, one in ids.items() if one is not None}
    found = await asyncio.gather(*(is_gone(step, one) for step, one in recorded.items()))
    return [step for step, gone in zip(recorded, found, strict=True) if gone]
