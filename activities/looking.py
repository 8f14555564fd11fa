"""Looks at the remotes that change nothing, many objects to a call where the remote allows it."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from activities.remote_errors import problem_of, with_fresh_token
from clients.aiven import AivenClient
from clients.azure import authorization, list_arm, network, secrets
from clients.remote_errors import or_none
from peering.look import (
    AssignmentLook,
    ConnectionLook,
    Part,
    PeeredNetwork,
    ProjectVpcLook,
    RoleLook,
    SecretLook,
    VNetLook,
)
from peering.marks import KEY_ID
from peering.naming import VNetId, secret_name

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignment, RoleDefinition
    from azure.mgmt.network.models import VirtualNetworkPeering

_Thing = TypeVar("_Thing")
_FORBIDDEN: Final = 403
#: So much of what Aiven says of a connection is kept by a check, in characters.
_LONGEST_MESSAGE: Final = 1000


async def part(look: Callable[[], Awaitable[_Thing | None]]) -> Part[_Thing]:
    """The outcome of one look: what it found, or the problem that kept it from looking."""
    try:
        return {"found": await with_fresh_token(look)}
    except Exception as error:
        return {"problem": problem_of(error, "look")}


async def project_vpc(project: str, project_vpc_id: str) -> ProjectVpcLook | None:
    """A project VPC with all its connections: one call."""
    aiven = AivenClient()
    vpc = await or_none(aiven.project_vpc(project, project_vpc_id))
    if vpc is None:
        return None
    connections = [
        ConnectionLook(
            account=c.peer_cloud_account,
            resource_group=c.peer_resource_group or "",
            vnet=c.peer_vpc,
            application_id=c.peer_azure_app_id,
            tenant_id=c.peer_azure_tenant_id,
            state=c.state,
            message=c.state_info.message[:_LONGEST_MESSAGE] if c.state_info and c.state_info.message else None,
        )
        for c in vpc.peering_connections
    ]
    return ProjectVpcLook(
        cloud_name=vpc.cloud_name, network_cidr=vpc.network_cidr, state=vpc.state, connections=connections
    )


async def vnet(vnet_id: str) -> VNetLook | None:
    """A VNet's addresses, and its peerings by their own list, which is the current one: two calls at once."""
    wanted = VNetId.parse(vnet_id)
    async with network(wanted.subscription_id) as client:
        found, peerings = await asyncio.gather(
            or_none(client.virtual_networks.get(wanted.resource_group, wanted.name)),
            or_none(_peerings(client.virtual_network_peerings.list(wanted.resource_group, wanted.name))),
        )
    if found is None or peerings is None:
        return None
    prefixes = found.address_space.address_prefixes if found.address_space else None
    return VNetLook(
        vnet_id=found.id or str(wanted),
        provisioning_state=plain(found.provisioning_state),
        address_prefixes=list(prefixes or []),
        peered_networks=peerings,
    )


async def _peerings(listed: "AsyncIterable[VirtualNetworkPeering]") -> list[PeeredNetwork]:
    return [peered_network(peering) async for peering in listed]


def peered_network(peering: "VirtualNetworkPeering") -> PeeredNetwork:
    """One peering of a VNet as a look holds it."""
    spaces = (peering.remote_virtual_network_address_space, peering.remote_address_space)
    prefixes = next((space.address_prefixes for space in spaces if space and space.address_prefixes), None)
    return PeeredNetwork(
        id=peering.id or "",
        name=peering.name or "",
        remote_id=(peering.remote_virtual_network and peering.remote_virtual_network.id) or "",
        state=plain(peering.peering_state),
        sync_level=plain(peering.peering_sync_level),
        provisioning_state=plain(peering.provisioning_state),
        options={
            "allow_virtual_network_access": bool(peering.allow_virtual_network_access),
            "allow_forwarded_traffic": bool(peering.allow_forwarded_traffic),
            "allow_gateway_transit": bool(peering.allow_gateway_transit),
            "use_remote_gateways": bool(peering.use_remote_gateways),
        },
        prefixes=list(prefixes or []),
    )


def plain(state: str | None) -> str:
    """The text of a state, which the SDK gives as a member of an enumeration."""
    return str(getattr(state, "value", state))


async def vnet_peering(peering_id: str) -> PeeredNetwork | None:
    """One peering of a VNet under its own id, which shows it sooner than a list may. One call."""
    vnet_text, _, name = peering_id.partition("/virtualNetworkPeerings/")
    wanted = VNetId.parse(vnet_text)
    async with network(wanted.subscription_id) as client:
        found = await or_none(client.virtual_network_peerings.get(wanted.resource_group, wanted.name, name))
    return peered_network(found) if found is not None else None


async def subscriptions(subscription_id: str) -> list[str]:
    """The ids of all subscriptions that the app may see. One call for each page, as any subscription's client."""
    listed = await list_arm(subscription_id, "/subscriptions", "2022-12-01", "subscriptionId")
    return [str(one["subscriptionId"]) for one in listed]


async def assignments(scope: str) -> list[AssignmentLook]:
    """The role assignments in force on a VNet: those on it and those on what contains it. One call."""
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        return [_assignment(a) async for a in client.role_assignments.list_for_scope(scope, filter="atScope()")]


async def assignments_in_subscription(subscription_id: str, principal_id: str = "") -> list[AssignmentLook] | None:
    """All role assignments in a subscription, or a principal's; None when the app may not look at all of it."""
    from azure.core.exceptions import HttpResponseError

    wanted = f"principalId eq '{principal_id}'" if principal_id else None
    async with authorization(subscription_id) as client:
        try:
            return [_assignment(a) async for a in client.role_assignments.list_for_subscription(filter=wanted)]
        except HttpResponseError as error:
            if error.status_code != _FORBIDDEN:
                raise
            return None


def _assignment(found: "RoleAssignment") -> AssignmentLook:
    return AssignmentLook(
        id=found.id or "",
        scope=found.scope or "",
        role=(found.role_definition_id or "").rpartition("/")[2].lower(),
        principal_id=found.principal_id or "",
    )


async def custom_roles(scope: str) -> dict[str, RoleLook]:
    """The custom roles that can be assigned on a VNet, by GUID. One call."""
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        listed = client.role_definitions.list(scope, filter="type eq 'CustomRole'")
        return {(role.name or "").lower(): role_look(role) async for role in listed}


async def roles_named(scope: str, name: str) -> dict[str, RoleLook]:
    """The roles of a name that can be assigned on a VNet, built-in ones too, by GUID. One call.

    Args:
        scope: the VNet's ARM id.
        name: the name that people know the role by.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    quoted = name.replace("'", "''")
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        listed = client.role_definitions.list(scope, filter=f"roleName eq '{quoted}'")
        return {(role.name or "").lower(): role_look(role) async for role in listed}


async def role(scope: str, name: str) -> dict[str, RoleLook]:
    """The role of a GUID, if it exists. One call."""
    async with authorization(VNetId.parse(scope).subscription_id) as client:
        found = await or_none(client.role_definitions.get(scope, name))
    return {name: role_look(found)} if found is not None else {}


def role_look(role: "RoleDefinition") -> RoleLook:
    """A role definition as a look holds it."""
    permissions = role.permissions or []
    return RoleLook(
        name=role.role_name or "",
        actions=[action for permission in permissions for action in permission.actions or []],
        takes_away=any(permission.not_actions for permission in permissions),
        scopes=list(role.assignable_scopes or []),
    )


async def one_secret(name: str, key_id: str | None = None) -> dict[str, SecretLook]:
    """One secret by its name, or nothing: the version with a password's key id if there is one, else the newest."""
    async with secrets() as vault:
        versions = [version async for version in vault.list_properties_of_secret_versions(name)]
    # The vault counts in whole seconds; of two versions of one second the one that is switched on is in use.
    versions = [v for v in versions if key_id and (v.tags or {}).get(KEY_ID) == key_id] or versions
    newest = max(versions, key=lambda v: (v.created_on or datetime.min.replace(tzinfo=UTC), v.enabled), default=None)
    return {name: secret_look(newest)} if newest else {}


async def all_secrets() -> dict[str, SecretLook]:
    """The newest version of every secret of a peering in the vault, by name: one call for every 25."""
    async with secrets() as vault:
        listed = [s async for s in vault.list_properties_of_secrets() if s.name and s.name.startswith(secret_name(""))]
    return {found.name or "": secret_look(found) for found in listed}


def secret_look(found: "SecretProperties") -> SecretLook:
    """One version of a secret as a look holds it."""
    return SecretLook(
        enabled=found.enabled is not False,
        created=found.created_on.isoformat() if found.created_on else None,
        expires=found.expires_on.isoformat() if found.expires_on else None,
        key_id=(found.tags or {}).get(KEY_ID),
    )
