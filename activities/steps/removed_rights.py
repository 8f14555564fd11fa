"""The steps that delete rights: the assignments and custom roles of a peering that are no longer needed."""

import asyncio
from collections.abc import Collection
from typing import Final

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.remote_errors import refused_for_good
from activities.step import LOOKS_IN_DIRECTORY, step
from activities.steps.aiven import may_be_connected
from clients.aiven_answers import PeeringConnection
from clients.azure import authorization
from clients.remote_errors import RemoteError, or_none
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook, Facts, Neighbours, needed
from peering.naming import VNetId, folded, last_part, role_assignment_id, role_definition_name, same_id
from peering.outcome import ProblemError
from peering.rights import Wanted, is_in_use, made_role_names, own_assignments, rights_to_remove, surplus_of
from peering.spec import Peering

_STILL_ASSIGNED: Final = "RoleDefinitionHasAssignments"


@step
async def release_rights(_: Peering, facts: Facts) -> Facts:
    """With `setup-only`: remove the created application's role on the VNet once setup is complete.

    An assignment that this app did not create stays. A refusal does not undo the setup: checks report the role as long
    as it exists.
    """
    released: Facts = {"user_rights": "setup-only"}
    # The reasons why other rights stay are recorded, too.
    if facts["rights_settled"] != "not removed":
        released["rights_kept"] = None
    assignment = needed(facts["user_role_assignment_id"])
    if assignment in [one["id"] for one in own_assignments(facts, facts["vnet_id"]).values()]:
        try:
            await _delete_assignment(assignment)
        except RemoteError as error:
            return {**released, "rights_kept": refused_for_good(error)}
    return released


@step
async def surplus_rights(peering: Peering, facts: Facts) -> Facts:
    """Delete this app's assignments on the VNet that an earlier request wanted, and the roles that were made for it.

    What another peering needs is kept, and so are rights that another owner gave. A refusal, such as a lock's, does not
    fail the start of a peering that is ACTIVE: checks report the rights as long as they exist.
    """
    if facts["existing"] == "adopted":
        return {"rights_settled": "taken over"}
    vnet = VNetId.parse(facts["vnet_id"])
    wanted: Wanted = {
        "user_role_assignment": (last_part(facts["user_role_id"]).lower(), facts["user_principal_id"]),
        "platform_role_assignment": (last_part(facts["platform_role_id"]).lower(), facts["platform_principal_id"]),
    }
    neighbours, roles = await neighbours_of(peering), await remotes.custom_roles(str(vnet))
    surplus = surplus_of(await remotes.assignments_on(str(vnet)), roles, peering, facts, wanted, neighbours)
    principals = [needed(principal) for _, principal in wanted.values()]
    try:
        for assignment in surplus.assignments:
            await _delete_assignment(assignment["id"])
        for role in surplus.roles:
            deleted = [role_assignment_id(str(vnet), role, principal) for principal in principals]
            await _delete_role(vnet, role, deleted)
    except RemoteError as error:
        return {"rights_settled": "not removed", "rights_kept": refused_for_good(error)}
    except ProblemError as error:
        if facts.get("tries", 0) < LOOKS_IN_DIRECTORY:
            raise
        return {"rights_settled": "not removed", "rights_kept": error.occurrence["detail"]}
    settled: Facts = {"rights_settled": "as requested"}
    return {**settled, "rights_kept": None} if any(surplus) or facts.get("rights_kept") else settled


@step
async def remove_role_assignments(peering: Peering, facts: Facts) -> Facts:
    """Undo article steps 6 and 9: delete the assignments on the VNet whose names say that this app made them.

    The platform's stays while another peering of the VNet needs it, whoever owns that peering.
    """
    removed = await removed_assignments(peering, facts, await neighbours_of(peering))
    for one in removed:
        await _delete_assignment(one["id"])
    return {"role_assignments_removed": [one["id"] for one in removed]}


async def removed_assignments(peering: Peering, facts: Facts, neighbours: Neighbours) -> list[AssignmentLook]:
    """The assignments that a removal deletes, of those that its earlier step has seen.

    Args:
        peering: the peering.
        facts: what its record and a removal's first step know.
        neighbours: the other users of shared objects in the registry.

    Raises:
        ProblemError: `connection-unseen`, Aiven shows a connection in part.
        RemoteError: a remote refused, or did not answer.
    """
    # Whoever owns it, another peering of the VNet needs that the platform may peer with it.
    shared = neighbours["on_vnet"] or await _has_another_side(peering, facts) or await _is_connected(peering, facts)
    listed = facts.get("assignments_there", [])
    shown = {folded(one["id"]) for one in listed}
    # A list may lag behind: what was recorded goes without it.
    missing = [one for one in own_assignments(facts, facts["vnet_id"]).values() if folded(one["id"]) not in shown]
    return rights_to_remove([*listed, *missing], peering, facts, neighbours, shared=shared)


async def _has_another_side(peering: Peering, facts: Facts) -> bool:
    """Whether the VNet has another peering into the platform's subscription; one that was adopted stays, and counts."""
    own = None if facts["existing"] == "adopted" else facts.get("vnet_peering_id")
    network = facts.get("to_network_id")
    platform = VNetId.parse(network).subscription_id.lower() if isinstance(network, str) else None
    vnet = await remotes.vnet(peering["vnet_id"])
    for side in vnet["peered_networks"] if vnet else []:
        leads = VNetId.parse(side["remote_id"]).subscription_id.lower() == platform and not same_id(side["id"], own)
        # The list may lag behind and show the side that has just been deleted.
        if leads and await remotes.vnet_peering(side["id"]) is not None:
            return True
    return False


async def _is_connected(peering: Peering, facts: Facts) -> bool:
    """Whether Aiven has another connection to the VNet; one that was adopted stays, and counts."""
    own = None if facts["existing"] == "adopted" else facts["application_id"]
    wanted = VNetId.parse(peering["vnet_id"])

    def is_another_to_vnet(connection: PeeringConnection) -> bool | None:
        if same_id(connection.peer_azure_app_id, own):
            return False
        return connection.leads_to(wanted) or (None if connection.may_lead_to(wanted) else False)

    return await may_be_connected(AivenVpc.of(peering), is_another_to_vnet, facts)


async def _delete_assignment(assignment_id: str) -> None:
    """Delete a role assignment; if Azure answers that it does not exist (204 or 404), it is read again.

    Raises:
        ProblemError: `remote-unavailable`, it is there nevertheless.
    """
    scope, _, name = assignment_id.partition("/providers/Microsoft.Authorization/roleAssignments/")
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        gone = await or_none(client.role_assignments.delete(scope, name)) is not None
    if not gone and await remotes.has_assignment(assignment_id):
        raise ProblemError("remote-unavailable", "Azure has the assignment that it did not find when deleting it.")


async def _delete_role(vnet: VNetId, guid: str, deleted: Collection[str]) -> bool:
    """Delete a custom role, which may be gone already; returns False where another principal has it.

    Raises:
        ProblemError: `role-not-replicated`, Azure still counts an assignment that was deleted.
        RemoteError: Azure refused, or did not answer.
    """
    try:
        async with authorization(vnet.subscription_id) as client:
            # Neither 204 nor 404 proves that it is deleted; the step `last_look` does.
            await or_none(client.role_definitions.delete(vnet.subscription_scope, guid))
    except RemoteError as error:
        if _STILL_ASSIGNED not in error.answer.codes:
            raise
        if await is_assigned(guid, vnet, deleted):
            return False
        detail = f"Azure still counts a deleted assignment of the role {guid}."
        raise ProblemError("role-not-replicated", detail, retry_after=5) from None
    return True


@step
async def remove_roles(peering: Peering, facts: Facts) -> Facts:
    """Undo article step 8: delete the custom roles that this app made, unless another peering needs them.

    This includes roles of earlier starts that have other names.

    Azure itself refuses to delete a role that is still assigned anywhere.
    """
    vnet = VNetId.parse(facts["vnet_id"])
    removed, listed = [], await remotes.custom_roles(str(vnet))
    of_others = _names_of_others(peering, facts)
    recorded = {last_part(str(facts.get(name))).lower() for name in ("user_role_id", "platform_role_id")}
    # Read again: a start may have begun in the meantime.
    others = await neighbours_of(peering)
    for name, guid in (made_role_names(peering, facts) | await released_roles(peering, facts)).items():
        # Lists lag behind, and a start may not know what it has made: a role goes by its GUID, seen or not.
        if is_in_use(name, others) or (name in of_others and guid not in listed):
            continue
        try:
            if await _delete_role(vnet, guid, facts["role_assignments_removed"]):
                removed.append(name)
        except RemoteError:
            # A lock, or a right that the app lacks, does not matter where there is no role.
            if guid in recorded or guid in listed or await remotes.role(str(vnet), guid):
                raise
    return {"roles_removed": removed}


async def released_roles(peering: Peering, facts: Facts) -> dict[str, str]:
    """The GUIDs, by name, of this app's roles whose assignments are deleted; other peerings may have named them.

    Args:
        peering: the peering.
        facts: name the assignments that were there, and those that a removal deletes.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    scope, deleted = VNetId.parse(peering["vnet_id"]).subscription_scope, {*facts["role_assignments_removed"]}
    guids = {one["role"] for one in facts.get("assignments_there", []) if one["id"] in deleted}
    others = guids - {*made_role_names(peering, facts).values()}
    looks = await asyncio.gather(*(remotes.role(peering["vnet_id"], guid) for guid in sorted(others)))
    named = {role["name"]: guid for look in looks for guid, role in look.items()}
    return {name: guid for name, guid in named.items() if guid == role_definition_name(scope, name)}


def _names_of_others(peering: Peering, facts: Facts) -> set[str]:
    """The names of roles for which a start found another role than the one that it would have made."""
    made = made_role_names(peering, facts)
    used = (
        (peering["user_role_name"], facts.get("user_role_id")),
        (peering["platform_role_name"], facts.get("platform_role_id")),
    )
    return {name for name, role in used if role is not None and last_part(role).lower() != made[name]}


async def is_assigned(guid: str, vnet: VNetId, deleted: Collection[str]) -> bool:
    """Whether another principal has a role; the deletion of assignments may not have replicated yet.

    Args:
        guid: the role's.
        vnet: the peering's VNet.
        deleted: the ids of assignments that were deleted.

    Raises:
        RemoteError: Azure did not answer.
    """
    held = await remotes.assignments_in_subscription(vnet.subscription_id)
    own = {folded(one) for one in deleted}
    return held is None or any(a["role"] == guid and folded(a["id"]) not in own for a in held)
