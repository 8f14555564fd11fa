"""Rights follow the request, down as well as up: rights that this app gave and that are not needed are removed."""

from typing import Final

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.step import step
from activities.steps.access import assignments_on, delete_assignment
from clients.azure import authorization
from clients.remote_errors import or_none
from peering.facts import Facts
from peering.look import AssignmentLook
from peering.naming import VNetId, last_part, role_assignment_name, role_definition_name, same_id
from peering.spec import Peering

_STILL_ASSIGNED: Final = "RoleDefinitionHasAssignments"


@step
async def surplus_rights(peering: Peering, facts: Facts) -> Facts:
    """Delete this app's assignments on the VNet that an earlier request wanted, and their roles where those were ours.

    Rights that another peering of the VNet needs are kept, and so are those that another owner gave.
    """
    if facts["existing"] == "adopted":
        return {"rights_settled": "taken over"}
    vnet_id = facts["vnet_id"]
    needed = set((await neighbours_of(peering))["roles"])
    roles = await remotes.custom_roles(vnet_id)
    surplus = [
        assignment
        for assignment in await assignments_on(vnet_id)
        if _is_surplus(assignment, facts, vnet_id)
        and (assignment["role"] not in roles or roles[assignment["role"]]["name"] not in needed)
    ]
    for assignment in surplus:
        await delete_assignment(assignment["id"])
    scope = VNetId.parse(vnet_id).subscription_scope
    for role in {assignment["role"] for assignment in surplus} & set(roles):
        if role == role_definition_name(scope, roles[role]["name"]) and not _is_wanted(role, facts):
            await _delete_role(scope, role)
    return {"rights_settled": "as requested"}


def _is_surplus(assignment: AssignmentLook, facts: Facts, vnet_id: str) -> bool:
    """Whether an assignment is this app's, for a principal of the peering, and not one of those that it needs."""
    principals = (facts["user_principal_id"], facts["platform_principal_id"])
    wanted = (facts["user_role_assignment_id"], facts["platform_role_assignment_id"])
    name = role_assignment_name(vnet_id, assignment["role"], assignment["principal_id"])
    ours = same_id(last_part(assignment["id"]), name) and assignment["principal_id"] in principals
    return ours and not any(same_id(assignment["id"], one) for one in wanted)


def _is_wanted(role: str, facts: Facts) -> bool:
    return any(same_id(role, last_part(one)) for one in (facts["user_role_id"], facts["platform_role_id"]))


async def _delete_role(scope: str, role: str) -> None:
    """Delete a custom role; Azure keeps one that is assigned elsewhere."""
    from azure.core.exceptions import HttpResponseError

    async with authorization(last_part(scope)) as client:
        try:
            await or_none(client.role_definitions.delete(scope, role))
        except HttpResponseError as error:
            if error.error is None or error.error.code != _STILL_ASSIGNED:
                raise
