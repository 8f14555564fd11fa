"""The steps that give rights: role definitions and role assignments on the VNet (article steps 6, 8 and 9)."""

from typing import TYPE_CHECKING, Final

from activities.step import step
from clients.azure import authorization
from peering.naming import VNetId, role_assignment_name, role_definition_name, same_id
from peering.outcome import Facts, ProblemError, text
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
    from azure.mgmt.authorization.v2022_04_01.models import RoleDefinition

#: All that the platform needs: to make a peering that leads to the VNet (article step 8).
PLATFORM_ACTIONS: Final = ("Microsoft.Network/virtualNetworks/peer/action",)
#: All that the created application needs: to manage the VNet's peerings (article step 6).
USER_ACTIONS: Final = (
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
)
_CONFLICT: Final = 409


@step()
async def user_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 6, first half: the role for the created application: a custom one, or Network Contributor."""
    vnet = VNetId.parse(text(facts, "vnet_id"))
    if peering["role"] == "least-privilege":
        description = "Manages the peerings of the VNets it is assigned on."
        return {"user_role_id": await _custom_role(vnet, peering["user_role_name"], USER_ACTIONS, description)}
    async with authorization(vnet.subscription_id) as client:
        async for role in client.role_definitions.list(
            vnet.subscription_scope, filter=f"roleName eq '{peering['role']}'"
        ):
            return {"user_role_id": role.id}
    raise ProblemError("role-not-replicated", f"Azure lists no role named {peering['role']}.")


@step()
async def platform_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 8: the custom role with the one action that lets the platform peer with a VNet."""
    vnet = VNetId.parse(text(facts, "vnet_id"))
    description = "Allows creating a peering to VNets in scope, but not from them."
    return {"platform_role_id": await _custom_role(vnet, peering["platform_role_name"], PLATFORM_ACTIONS, description)}


@step()
async def user_role_assignment(_: Peering, facts: Facts) -> Facts:
    """Article step 6, second half: the created application may manage the VNet's peerings."""
    assignment = await _assign(text(facts, "vnet_id"), text(facts, "user_role_id"), text(facts, "user_principal_id"))
    return {"user_role_assignment_id": assignment}


@step()
async def platform_role_assignment(_: Peering, facts: Facts) -> Facts:
    """Article step 9: the platform may make a peering that leads to the VNet."""
    assignment = await _assign(
        text(facts, "vnet_id"), text(facts, "platform_role_id"), text(facts, "platform_principal_id")
    )
    return {"platform_role_assignment_id": assignment}


async def _custom_role(vnet: VNetId, name: str, actions: tuple[str, ...], description: str) -> str:
    """The id of the custom role: the one of that name if it fits, else one made under a GUID that its name decides.

    Raises:
        ProblemError: `role-name-taken`, when the role of that name grants something else.
    """
    from azure.mgmt.authorization.v2022_04_01.models import Permission, RoleDefinition

    scope = vnet.subscription_scope
    quoted = name.replace("'", "''")
    async with authorization(vnet.subscription_id) as client:
        async for found in client.role_definitions.list(scope, filter=f"roleName eq '{quoted}'"):
            if not _fits(found, actions, scope):
                raise ProblemError("role-name-taken", f"The role {name} grants other actions or serves other scopes.")
            return _id(found)
        wanted = RoleDefinition(
            role_name=name,
            description=description,
            role_type="CustomRole",
            permissions=[Permission(actions=list(actions), not_actions=[])],
            assignable_scopes=[scope],
        )
        return _id(await client.role_definitions.create_or_update(scope, role_definition_name(scope, name), wanted))


def _fits(role: "RoleDefinition", actions: tuple[str, ...], scope: str) -> bool:
    granted = {action.casefold() for permission in role.permissions or [] for action in permission.actions or []}
    taken = any(permission.not_actions for permission in role.permissions or [])
    covers = any(same_id(scope, assignable) for assignable in role.assignable_scopes or [])
    return granted == {action.casefold() for action in actions} and not taken and covers


def _id(role: "RoleDefinition") -> str:
    if role.id is None:
        raise ProblemError("role-not-replicated", "Azure returned the role without its id.")
    return role.id


async def _assign(vnet_id: str, role_id: str, principal_id: str) -> str:
    """The id of the principal's assignment of the role on the VNet, found or created."""
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

    guid = role_assignment_name(vnet_id, role_id, principal_id)
    wanted = RoleAssignmentCreateParameters(
        role_definition_id=role_id,
        principal_id=principal_id,
        # With the type given, Azure takes a principal that is seconds old and not replicated yet.
        principal_type="ServicePrincipal",
        description="Made by aiven-azure-peering",
    )
    async with authorization(VNetId.parse(vnet_id).subscription_id) as client:
        try:
            made = await client.role_assignments.create(vnet_id, guid, wanted)
        except HttpResponseError as error:
            if error.status_code != _CONFLICT:
                raise
            return await _existing_assignment(client, vnet_id, role_id, principal_id)
    return made.id or f"{vnet_id}/providers/Microsoft.Authorization/roleAssignments/{guid}"


async def _existing_assignment(
    client: "AuthorizationManagementClient", vnet_id: str, role_id: str, principal_id: str
) -> str:
    """The same assignment under another name: somebody made it by hand."""
    async for found in client.role_assignments.list_for_scope(vnet_id, filter=f"principalId eq '{principal_id}'"):
        same_role = (found.role_definition_id or "").rpartition("/")[2] == role_id.rpartition("/")[2]
        if same_role and same_id(found.scope, vnet_id) and found.id:
            return found.id
    raise ProblemError("role-not-replicated", "Azure says that the assignment exists but does not list it yet.")
