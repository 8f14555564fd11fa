"""The steps that grant rights: role definitions and role assignments on the VNet (article steps 6, 8 and 9)."""

from typing import TYPE_CHECKING, Final, NamedTuple

from activities.looks.remotes import is_named, role_look, roles
from activities.step import step
from clients.azure import authorization
from clients.remote_errors import or_none
from peering.facts import Facts, named, needed
from peering.marks import DESCRIPTION
from peering.naming import (
    VNetId,
    last_part,
    role_assignment_id,
    role_assignment_name,
    role_definition_name,
    same_id,
)
from peering.outcome import ProblemError
from peering.rights import OF_PLATFORM, OF_USER, PLATFORM_ACTIONS, USER_ACTIONS, RightNames, fits
from peering.spec import Peering
from peering.unfit import role_name_taken

if TYPE_CHECKING:
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
    from azure.mgmt.authorization.v2022_04_01.models import RoleDefinition

_NO_ROLE: Final = "RoleDefinitionDoesNotExist"
_ALREADY_ASSIGNED: Final = "RoleAssignmentExists"


class _CustomRole(NamedTuple):
    """A custom role as this app makes it."""

    name: str
    actions: tuple[str, ...]
    description: str


@step
async def user_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 6, first half: the role for the created application: a custom one, or Network Contributor."""
    vnet = VNetId.parse(facts["vnet_id"])
    if peering["role"] == "least-privilege":
        return {"user_role_id": await _custom_role(vnet, _user_role(peering))}
    for role in await roles(str(vnet), is_named(peering["role"])):
        # A custom role may be called like the built-in one.
        if role["properties"].get("type") == "BuiltInRole":
            return {"user_role_id": role["id"]}
    raise ProblemError("role-not-replicated", f"Azure lists no role named {peering['role']}.")


@step
async def platform_role(peering: Peering, facts: Facts) -> Facts:
    """Article step 8: the custom role with the one action that lets the platform peer with a VNet."""
    vnet = VNetId.parse(facts["vnet_id"])
    return {"platform_role_id": await _custom_role(vnet, _platform_role(peering))}


@step
async def user_role_assignment(peering: Peering, facts: Facts) -> Facts:
    """Article step 6, second half: the created application may manage the VNet's peerings."""
    return {"user_role_assignment_id": await _assign(facts, OF_USER, _user_role(peering))}


@step
async def platform_role_assignment(peering: Peering, facts: Facts) -> Facts:
    """Article step 9: the platform may make a peering that leads to the VNet."""
    return {"platform_role_assignment_id": await _assign(facts, OF_PLATFORM, _platform_role(peering))}


def _user_role(peering: Peering) -> _CustomRole:
    description = "Manages the peerings of the VNets it is assigned on."
    return _CustomRole(peering["user_role_name"], USER_ACTIONS, description)


def _platform_role(peering: Peering) -> _CustomRole:
    description = "Allows creating a peering to VNets in scope, but not from them."
    return _CustomRole(peering["platform_role_name"], PLATFORM_ACTIONS, description)


async def _custom_role(vnet: VNetId, wanted: _CustomRole) -> str:
    """The id of the custom role: the one of that name if it fits, else one created under a GUID derived from its name.

    Raises:
        ProblemError: `role-name-taken`, when the role of that name grants something else.
    """
    scope = vnet.subscription_scope
    # Asked for at the VNet, where the app's rights may end.
    for found in await roles(str(vnet), is_named(wanted.name)):
        if not fits(role_look(found), wanted.actions, scope):
            raise ProblemError.of([role_name_taken(wanted.name)])
        return str(found["id"])
    async with authorization(vnet.subscription_id) as client:
        return await _make_role(client, scope, wanted)


async def _make_role(client: "AuthorizationManagementClient", scope: str, wanted: _CustomRole) -> str:
    from azure.mgmt.authorization.v2022_04_01.models import Permission, RoleDefinition

    body = RoleDefinition(
        role_name=wanted.name,
        description=wanted.description,
        role_type="CustomRole",
        permissions=[Permission(actions=list(wanted.actions), not_actions=[])],
        assignable_scopes=[scope],
    )
    return _id(await client.role_definitions.create_or_update(scope, role_definition_name(scope, wanted.name), body))


def _id(role: "RoleDefinition") -> str:
    if role.id is None:
        raise ProblemError("role-not-replicated", "Azure returned the role without its id.")
    return role.id


async def _assign(facts: Facts, names: RightNames, role: _CustomRole) -> str:
    """The id of a principal's assignment of its role on the VNet, found or created.

    Lists may show a deleted role for a while: this app's own, `role`, is then recreated.
    """
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

    vnet_id = facts["vnet_id"]
    role_id, principal_id = (needed(named(facts, name)) for name in (names.role, names.principal))
    guid = role_assignment_name(vnet_id, role_id, principal_id)
    wanted = RoleAssignmentCreateParameters(
        role_definition_id=role_id,
        principal_id=principal_id,
        # With the type given, Azure accepts a principal that has not been replicated yet.
        principal_type="ServicePrincipal",
        description=DESCRIPTION,
    )
    vnet = VNetId.parse(vnet_id)
    async with authorization(vnet.subscription_id) as client:
        try:
            made = await client.role_assignments.create(vnet_id, guid, wanted)
        except HttpResponseError as error:
            code, scope = error.error and error.error.code, vnet.subscription_scope
            if code == _NO_ROLE and last_part(role_id) == role_definition_name(scope, role.name):
                await _make_role(client, scope, role)
            if code != _ALREADY_ASSIGNED:
                raise
            return await _existing_assignment(client, vnet_id, role_id, principal_id, guid)
    return made.id or role_assignment_id(vnet_id, role_id, principal_id)


async def _existing_assignment(
    client: "AuthorizationManagementClient", vnet_id: str, role_id: str, principal_id: str, guid: str
) -> str:
    """The same assignment: this app's own from before, or a manually created one with another name."""
    # This app's own is read by its name, as a list may lag behind.
    own = await or_none(client.role_assignments.get(vnet_id, guid))
    if own is not None and own.id:
        return own.id
    async for found in client.role_assignments.list_for_scope(vnet_id, filter=f"principalId eq '{principal_id}'"):
        same_role = last_part(found.role_definition_id or "") == last_part(role_id)
        if same_role and same_id(found.scope, vnet_id) and found.id:
            return found.id
    raise ProblemError("role-not-replicated", "Azure reports that the assignment exists but does not list it yet.")
