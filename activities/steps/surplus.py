"""Rights follow the request, down as well as up: rights that this app gave and that are not needed are removed."""

from typing import Final

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.step import step
from activities.steps.access import assignments_on, delete_assignment, refused_for_good
from clients.azure import authorization
from clients.remote_errors import RemoteError, or_none
from peering.facts import Facts, needed
from peering.naming import VNetId, last_part
from peering.rights import surplus_of
from peering.spec import Peering

_STILL_ASSIGNED: Final = "RoleDefinitionHasAssignments"


@step
async def surplus_rights(peering: Peering, facts: Facts) -> Facts:
    """Delete this app's assignments on the VNet that an earlier request wanted, and their roles where those were ours.

    What another peering needs is kept, and so are rights that another owner gave. A refusal, such as a lock's, does not
    fail the start of a peering that is ACTIVE: checks report the rights as long as they exist.
    """
    if facts["existing"] == "adopted":
        return {"rights_settled": "taken over"}
    vnet_id = facts["vnet_id"]
    wanted = {
        (last_part(facts["user_role_id"]).lower(), needed(facts["user_principal_id"])),
        (last_part(facts["platform_role_id"]).lower(), needed(facts["platform_principal_id"])),
    }
    neighbours, roles = await neighbours_of(peering), await remotes.custom_roles(vnet_id)
    surplus = surplus_of(await assignments_on(vnet_id), roles, vnet_id, wanted, neighbours)
    scope = VNetId.parse(vnet_id).subscription_scope
    try:
        for assignment in surplus.assignments:
            await delete_assignment(assignment["id"])
        for role in surplus.roles:
            await _delete_role(scope, role)
    except RemoteError as error:
        return {"rights_settled": "not removed", "rights_kept": refused_for_good(error)}
    settled: Facts = {"rights_settled": "as requested"}
    return {**settled, "rights_kept": None} if surplus.assignments else settled


async def _delete_role(scope: str, role: str) -> None:
    """Delete a custom role; Azure keeps one that is assigned elsewhere."""
    from azure.core.exceptions import HttpResponseError

    async with authorization(last_part(scope)) as client:
        try:
            await or_none(client.role_definitions.delete(scope, role))
        except HttpResponseError as error:
            if error.error is None or error.error.code != _STILL_ASSIGNED:
                raise
