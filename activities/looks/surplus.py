"""The rights that a start deletes when the peering is ACTIVE, and what would keep them. Nothing is changed."""

from collections.abc import Iterable, Mapping, Sequence

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.looks.own_rights import permissions_in_subscription, permissions_on_vnet
from peering.facts import AssignmentLook, Facts, SurplusRight
from peering.look import AccessLook, RoleLook
from peering.naming import VNetId, role_assignment_id, role_definition_id, same_id
from peering.outcome import Occurrence
from peering.rights import ASSIGNMENT_DELETION, ROLE_DELETION, Surplus, Wanted, lacking, made_role_names, surplus_of
from peering.spec import Peering
from peering.step_names import StepName


async def deleted_rights(
    peering: Peering,
    facts: Facts,
    wanted: Wanted,
    access: AccessLook,
    roles: Mapping[str, RoleLook],
) -> list[SurplusRight]:
    """The surplus rights, which another peering does not need, and the assignment that `setup-only` releases.

    Args:
        peering: the requested peering.
        facts: name the roles of earlier starts.
        wanted: what is assigned to whom.
        access: the assignments of these principals in force on the VNet.
        roles: the custom roles that can be assigned there, by GUID.
    """
    # A role that has just been made may not be shown yet.
    names = {guid: role["name"] for guid, role in (*roles.items(), *access["roles"].items())}

    def of(step: StepName, assignments: Iterable[AssignmentLook]) -> list[SurplusRight]:
        named = ((one, names.get(one["role"], one["role"])) for one in assignments)
        return [SurplusRight(step=step, name=f"assignment of {role}", id=one["id"]) for one, role in named]

    released = of("release_rights", _released(peering, wanted["user_role_assignment"], access))
    made = {*made_role_names(peering, facts).values()} & set(roles) - {role for role, _ in wanted.values()}
    if not made and all((one["role"], one["principal_id"]) in wanted.values() for one in access["assignments"]):
        return released
    found = surplus_of(access["assignments"], roles, peering, facts, wanted, await neighbours_of(peering))
    scope = VNetId.parse(peering["vnet_id"]).subscription_scope
    free = [
        SurplusRight(step="surplus_rights", name=names[role], id=role_definition_id(scope, role))
        for role in await _free(peering, found)
    ]
    return [*of("surplus_rights", found.assignments), *free, *released]


def _released(peering: Peering, holder: tuple[str, str | None], access: AccessLook) -> list[AssignmentLook]:
    """The application's assignment, if this app made it and the start releases it."""
    own = role_assignment_id(peering["vnet_id"], holder[0], holder[1] or "")
    releases = peering["privilege"] == "setup-only"
    return [one for one in access["assignments"] if releases and same_id(one["id"], own)]


async def _free(peering: Peering, found: Surplus) -> list[str]:
    """The surplus roles that are not assigned elsewhere: Azure keeps those that are."""
    subscription, taken = VNetId.parse(peering["vnet_id"]).subscription_id, {one["id"] for one in found.assignments}
    held = await remotes.assignments_in_subscription(subscription) if found.roles else []
    elsewhere = {one["role"] for one in held or [] if one["id"] not in taken}
    return [role for role in found.roles if role not in elsewhere]


async def kept_rights(vnet_id: str, deleted: Sequence[SurplusRight]) -> list[str]:
    """Warnings about rights that the app lacks to delete what a start deletes.

    Args:
        vnet_id: the VNet's ARM id.
        deleted: what it deletes.
    """
    if not deleted:
        return []
    vnet, missing = VNetId.parse(vnet_id), list[Occurrence]()
    if any("/roleAssignments/" in one["id"] for one in deleted):
        missing += lacking(await permissions_on_vnet(vnet_id), [ASSIGNMENT_DELETION], vnet_id)
    if any("/roleDefinitions/" in one["id"] for one in deleted):
        held = await permissions_in_subscription(vnet.subscription_id)
        missing += lacking(held, [ROLE_DELETION], vnet.subscription_scope) if held is not None else []
    return [f"{one['detail']} So rights that are not requested stay." for one in missing]
