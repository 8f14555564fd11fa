"""Reads of the remote services, many objects per call if the service allows it."""

import asyncio
import re
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from activities.remote_errors import problem_of, with_fresh_token
from clients.aiven_answers import PeeringConnection
from clients.aiven_vpcs import vpc_client
from clients.azure import secrets
from clients.reads import Document, complete, list_arm, list_network, read_arm, read_network
from clients.remote_errors import RemoteError, or_none
from clients.shared_reads import shared
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook, VNetPeering
from peering.look import ConnectionLook, Part, RoleLook, SecretLook, VNetLook, VpcLook
from peering.marks import KEY_ID
from peering.naming import VNetId, VNetPeeringId, folded, last_part, same_id, secret_name
from peering.outcome import ProblemError
from peering.states import CONNECTION_ACTIVE, connection_problem

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties
    from azure.keyvault.secrets.aio import SecretClient

_Thing = TypeVar("_Thing")
_FORBIDDEN: Final = 403
#: The error code of a token of the wrong tenant, and the pattern of the right tenant in the message.
_OTHER_TENANT: Final = "InvalidAuthenticationTokenTenant"
_TENANT: Final = re.compile(r"authority \(URL\) 'https://[^/']+/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I)
_AUTHORIZATION: Final = "/providers/Microsoft.Authorization"
_AUTHORIZATION_VERSION: Final = "2022-04-01"
#: The required fields of a VNet, a VNet peering, a role assignment and a role: without them, a response is unreadable.
_OF_VNET: Final = ("id", "properties.provisioningState", "properties.addressSpace.addressPrefixes")
_OF_PEERING: Final = ("id", "name", "properties.peeringState", "properties.remoteVirtualNetwork.id")
_OF_ASSIGNMENT: Final = ("id", "properties.scope", "properties.roleDefinitionId", "properties.principalId")
_OF_ROLE: Final = ("id", "name", "properties.roleName", "properties.permissions", "properties.assignableScopes")
#: A peering's options by Azure's names.
_OPTIONS: Final = {
    "allow_virtual_network_access": "allowVirtualNetworkAccess",
    "allow_forwarded_traffic": "allowForwardedTraffic",
    "allow_gateway_transit": "allowGatewayTransit",
    "use_remote_gateways": "useRemoteGateways",
}
#: The maximum length of Aiven's message about a connection that a check stores, in characters.
_LONGEST_MESSAGE: Final = 1000


async def part(look: Callable[[], Awaitable[_Thing | None]]) -> Part[_Thing]:
    """The outcome of one read: what it found, or the problem that prevented it."""
    try:
        return {"found": await with_fresh_token(look)}
    except Exception as error:
        return {"problem": problem_of(error, "look")}


async def aiven_vpc(named: AivenVpc) -> VpcLook | None:
    """A VPC in Aiven with all its connections: one call."""
    vpc = await vpc_client(named).read_unless_gone()
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
            message=_message(c),
        )
        for c in vpc.peering_connections
    ]
    return VpcLook(cloud_name=vpc.cloud, network_cidr=vpc.ranges, state=vpc.state, connections=connections)


def _message(connection: PeeringConnection) -> str | None:
    """Aiven's message about a connection that is not healthy; a VPC may list a thousand healthy ones."""
    if connection.state_info is None or connection_problem(connection.state, CONNECTION_ACTIVE) is None:
        return None
    return (connection.state_info.told or "")[:_LONGEST_MESSAGE] or None


async def vnet(vnet_id: str) -> VNetLook | None:
    """A VNet's addresses, and its peerings by their own list, which is the current one: two calls at once."""
    wanted = VNetId.parse(vnet_id)
    found, peerings = await asyncio.gather(or_none(read_network(wanted, "", *_OF_VNET)), or_none(sides(wanted)))
    if found is None or peerings is None:
        return None
    return VNetLook(
        vnet_id=found["id"],
        provisioning_state=found["properties"]["provisioningState"],
        address_prefixes=found["properties"]["addressSpace"]["addressPrefixes"],
        peered_networks=peerings,
    )


async def sides(vnet: VNetId) -> list[VNetPeering]:
    """The peerings of a VNet by their own list. One call for each page."""
    return [_side(found) for found in await list_network(vnet, "/virtualNetworkPeerings", *_OF_PEERING)]


def _side(found: Document) -> VNetPeering:
    properties = found["properties"]
    spaces = (properties.get("remoteVirtualNetworkAddressSpace"), properties.get("remoteAddressSpace"))
    return VNetPeering(
        id=found["id"],
        name=found["name"],
        remote_id=properties["remoteVirtualNetwork"]["id"],
        state=properties["peeringState"],
        sync_level=str(properties.get("peeringSyncLevel")),
        provisioning_state=str(properties.get("provisioningState")),
        options={option: bool(properties.get(name)) for option, name in _OPTIONS.items()},
        prefixes=next((space["addressPrefixes"] for space in spaces if space and space.get("addressPrefixes")), []),
    )


async def vnet_peering(peering_id: str) -> VNetPeering | None:
    """One peering of a VNet under its own id, which shows it sooner than a list may. One call."""
    found = await _single_side(VNetPeeringId.parse(peering_id))
    return _side(found) if found is not None else None


async def switches(side: VNetPeering) -> dict[str, bool]:
    """The writable properties of a side that are on or off, by Azure's names. One call."""
    found = await _single_side(VNetPeeringId.parse(side["id"]))
    listed = {_OPTIONS[option]: on for option, on in side["options"].items()}
    single = found["properties"] if found is not None else {}
    # `peerCompleteVnets` is left out, because this app only peers whole VNets.
    on_or_off = {key: on for key, on in single.items() if isinstance(on, bool) and key != "peerCompleteVnets"}
    return listed | on_or_off


async def _single_side(peering: VNetPeeringId) -> Document | None:
    return await or_none(read_network(peering.vnet, f"/virtualNetworkPeerings/{peering.name}", *_OF_PEERING))


async def subscriptions(subscription_id: str) -> list[str]:
    """The ids of all subscriptions that the app may see. One call per page, with any subscription's client."""
    listed = await list_arm(subscription_id, "/subscriptions", "2022-12-01", "subscriptionId")
    return [str(one["subscriptionId"]) for one in listed]


async def tenant_of(subscription_id: str) -> str | None:
    """The tenant of any subscription; None if Azure does not name it to a token of another tenant. One call."""
    try:
        return str((await read_arm(subscription_id, f"/subscriptions/{subscription_id}", "2022-12-01"))["tenantId"])
    except RemoteError as error:
        if _OTHER_TENANT not in error.answer.codes:
            raise
        named = _TENANT.search(error.answer.message)
        return named[1] if named else None


async def assignments(scope: str) -> list[AssignmentLook]:
    """The role assignments in force on a VNet: those on it and those on what contains it. One call.

    Raises:
        ProblemError: `remote-unavailable`, the list lacks even the assignment that lets this app read it.
        RemoteError: Azure refused, or did not answer.
    """
    held = await _assignments(VNetId.parse(scope).subscription_id, scope, "atScope()")
    if not held:
        raise ProblemError(
            "remote-unavailable", f"Azure listed no role assignments of {scope}, not even the app's own."
        )
    return held


async def assignments_on(vnet_id: str) -> list[AssignmentLook]:
    """The role assignments on a VNet itself; a VNet that is gone has none. One call.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    return [a for a in await or_none(assignments(vnet_id)) or [] if same_id(a["scope"], vnet_id)]


async def has_assignment(assignment_id: str) -> bool:
    """Whether a role assignment exists, which no list proves: one may show what was deleted. One call.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    subscription = VNetId.parse(assignment_id.partition(_AUTHORIZATION)[0]).subscription_id
    return await or_none(read_arm(subscription, assignment_id, _AUTHORIZATION_VERSION)) is not None


async def assignments_in_subscription(subscription_id: str, principal_id: str = "") -> list[AssignmentLook] | None:
    """All role assignments in a subscription, or a principal's; None if the app may not read all of it.

    There may be thousands, so concurrent callers share a read.
    """
    scope, wanted = f"/subscriptions/{subscription_id}", f"principalId eq '{principal_id}'" if principal_id else None
    key = ("role assignments", folded(scope), wanted)
    try:
        return await shared(key, lambda: _assignments(subscription_id, scope, wanted))
    except RemoteError as error:
        if not error.answer.refuses(_FORBIDDEN):
            raise
        return None


async def _assignments(subscription_id: str, scope: str, only: str | None) -> list[AssignmentLook]:
    path = f"{scope}{_AUTHORIZATION}/roleAssignments"
    listed = await list_arm(subscription_id, path, _AUTHORIZATION_VERSION, *_OF_ASSIGNMENT, only=only)
    return [_assignment(found["id"], found["properties"]) for found in listed]


def _assignment(assignment_id: str, properties: Document) -> AssignmentLook:
    found = AssignmentLook(
        id=assignment_id,
        scope=properties["scope"],
        role=last_part(properties["roleDefinitionId"]).lower(),
        principal_id=properties["principalId"],
    )
    return {**found, "condition": properties["condition"]} if properties.get("condition") else found


async def custom_roles(scope: str) -> dict[str, RoleLook]:
    """The custom roles that can be assigned on a VNet, by GUID. One call."""
    return {role["name"].lower(): role_look(role) for role in await roles(scope, "type eq 'CustomRole'")}


async def roles_named(scope: str, name: str) -> dict[str, RoleLook]:
    """The roles of a name that can be assigned on a VNet, built-in ones too, by GUID. One call.

    Args:
        scope: the VNet's ARM id.
        name: the name that people know the role by.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    return {role["name"].lower(): role_look(role) for role in await roles(scope, is_named(name))}


def is_named(name: str) -> str:
    """The filter for the roles of a name."""
    quoted = name.replace("'", "''")
    return f"roleName eq '{quoted}'"


async def roles(scope: str, only: str) -> list[Document]:
    """The role definitions that can be assigned on a VNet and meet a filter, as Azure shows them. One call.

    Args:
        scope: the VNet's ARM id.
        only: the filter, as Azure's reference of role definitions has it.

    Raises:
        RemoteError: Azure refused, did not answer, or left out a part.
    """
    path = f"{scope}{_AUTHORIZATION}/roleDefinitions"
    listed = await list_arm(VNetId.parse(scope).subscription_id, path, _AUTHORIZATION_VERSION, *_OF_ROLE, only=only)
    return [_with_actions(found) for found in listed]


async def role(scope: str, name: str) -> dict[str, RoleLook]:
    """The role of a GUID, if it exists. One call."""
    path = f"{scope}{_AUTHORIZATION}/roleDefinitions/{name}"
    reading = read_arm(VNetId.parse(scope).subscription_id, path, _AUTHORIZATION_VERSION, *_OF_ROLE)
    found = await or_none(reading)
    return {name: role_look(_with_actions(found))} if found is not None else {}


def _with_actions(role: Document) -> Document:
    """A role definition, if each of its permissions has its actions."""
    for permission in role["properties"]["permissions"]:
        complete(permission, ("actions",))
    return role


def role_look(role: Document) -> RoleLook:
    """A role definition, as Azure shows it, as a look holds it."""
    properties, permissions = role["properties"], role["properties"]["permissions"]
    return RoleLook(
        name=properties["roleName"],
        actions=[action for permission in permissions for action in permission["actions"]],
        data_actions=[action for permission in permissions for action in permission.get("dataActions") or []],
        takes_away=any(permission.get("notActions") for permission in permissions),
        scopes=properties["assignableScopes"],
    )


async def one_secret(name: str, in_use: str | None = None, key_id: str | None = None) -> dict[str, SecretLook]:
    """One secret by its name, or nothing: the version in use if there is one, else the newest that is enabled, or any.

    Args:
        name: the secret's name.
        in_use: the version that a run has noted.
        key_id: the key id of the password in it.
    """
    async with secrets() as vault:
        versions = await versions_of_secret(vault, name)
    versions = [v for v in versions if key_id and key_id_of_version(v, in_use, key_id) == key_id] or versions
    # A version that a run has given up is disabled, though it may be the newest.
    newest = max(versions, key=_preference, default=None)
    return {name: _secret_look(newest, key_id_of_version(newest, in_use, key_id))} if newest else {}


async def versions_of_secret(vault: "SecretClient", name: str) -> "list[SecretProperties]":
    """The versions of a secret: none of a name that the vault does not know, be that a 404 or an empty list."""
    listed = vault.list_properties_of_secret_versions(name)
    return await or_none(_all(listed)) or []


async def _all(listed: "AsyncIterable[SecretProperties]") -> "list[SecretProperties]":
    return [one async for one in listed]


def _preference(version: "SecretProperties") -> tuple[bool, datetime]:
    """The newest enabled version has the greatest one; the vault may leave both parts out."""
    return version.enabled is not False, version.created_on or datetime.min.replace(tzinfo=UTC)


def key_id_of_version(shown: "SecretProperties", in_use: str | None, key_id: str | None) -> str | None:
    """The key id of the password in a version of a secret; none in one that another client has written.

    The version that a run has noted holds the password that it has noted, whatever its tags are, or if none are shown.

    Args:
        shown: the version.
        in_use: the version that a run has noted.
        key_id: the key id that it has noted.
    """
    is_noted = key_id is not None and in_use is not None and shown.version == in_use
    return key_id if is_noted else (shown.tags or {}).get(KEY_ID)


async def all_secrets() -> dict[str, SecretLook]:
    """The newest version of every secret of a peering in the vault, by name: one call for every 25."""
    async with secrets() as vault:
        listed = [s async for s in vault.list_properties_of_secrets() if s.name and s.name.startswith(secret_name(""))]
    return {found.name or "": _secret_look(found, key_id_of_version(found, None, None)) for found in listed}


def _secret_look(found: "SecretProperties", key_id: str | None) -> SecretLook:
    return SecretLook(
        enabled=found.enabled is not False,
        created=found.created_on.isoformat() if found.created_on else None,
        expires=found.expires_on.isoformat() if found.expires_on else None,
        key_id=key_id,
    )
