"""Peerings that are established already, put into the world directly, in the state in which the app leaves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from local.cloud.arm.authorization import role_id
from local.cloud.world.landscape import Landscape
from local.cloud.world.peerings import put_side
from local.cloud.world.platform import activate, build
from local.cloud.world.world import (
    PLATFORM_APP,
    Application,
    Connection,
    RoleDefinition,
    SecretVersion,
    ServicePrincipal,
    VNet,
    Vpc,
    World,
)
from peering import naming
from peering.facts import Facts
from peering.marks import DESCRIPTION, KEY_ID, MARK, PEERING, ROTATION
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS

#: As the app's requests spell them.
_OPTIONS: Final = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
    "doNotVerifyRemoteGateways": False,
    "peerCompleteVnets": True,
}
#: The two custom roles of a subscription: whose they are, what they grant, and how the app describes them.
_USER_ROLE: Final = ("application", USER_ACTIONS, "Manages the peerings of the VNets it is assigned on.")
_PLATFORM_ROLE: Final = (
    "platform",
    PLATFORM_ACTIONS,
    "Allows creating a peering to VNets in scope, but not from them.",
)
_AGE: Final = timedelta(days=1)


@dataclass(frozen=True)
class Established:
    """What the app's registry holds of an established peering; the names are those of its facts."""

    peering_id: str
    application_id: str
    application_object_id: str
    user_principal_id: str
    secret_name: str
    secret_version: str
    secret_key_id: str
    secret_expires: str
    user_role_id: str
    user_role_assignment_id: str
    platform_principal_id: str
    platform_role_id: str
    platform_role_assignment_id: str
    to_tenant_id: str
    to_network_id: str
    vnet_peering_id: str

    @property
    def facts(self) -> Facts:
        """All but the id, which is no fact."""
        return Facts(
            application_id=self.application_id,
            application_object_id=self.application_object_id,
            user_principal_id=self.user_principal_id,
            secret_name=self.secret_name,
            secret_version=self.secret_version,
            secret_key_id=self.secret_key_id,
            secret_expires=self.secret_expires,
            user_role_id=self.user_role_id,
            user_role_assignment_id=self.user_role_assignment_id,
            platform_principal_id=self.platform_principal_id,
            platform_role_id=self.platform_role_id,
            platform_role_assignment_id=self.platform_role_assignment_id,
            to_tenant_id=self.to_tenant_id,
            to_network_id=self.to_network_id,
            vnet_peering_id=self.vnet_peering_id,
        )


def establish(
    world: World,
    landscape: Landscape,
    vnet: VNet,
    vpc: Vpc,
    *,
    peering_id: str | None = None,
    owner: str | None = None,
    peering_name: str | None = None,
    secret_lifetime_days: float = 180,
) -> Established:
    """Connect a VNet and a VPC in Aiven: ACTIVE and Connected since a day ago, and all that belongs to it replicated.

    Args:
        world: what to put it into.
        landscape: the ids of the world's beginning.
        vnet: the customer's network.
        vpc: the VPC in Aiven; its connections may lead to other VNets already.
        peering_id: the peering's id, by default the one that the app derives from the pair.
        owner: the Aiven project or organization that the peering was asked for with, by default the VPC's.
        peering_name: the VNet peering's name, by default the app's.
        secret_lifetime_days: until the application's password ends, counted from now.

    Raises:
        ValueError: the networks cannot be peered; the message says why.
    """
    identity = peering_id or naming.peering_id(owner or vpc.owner, vpc.id, vnet.id)
    name = peering_name or f"aiven-{vpc.id}"
    at = world.now - _AGE
    application = _application(world, landscape, vnet, identity, at)
    ours, theirs = (_principal(world, one, landscape.customer_tenant, at) for one in (application, _platform(world)))
    secret = _secret(world, landscape, application, identity, secret_lifetime_days)
    user_role, platform_role = (_role(world, landscape, vnet, *role) for role in (_USER_ROLE, _PLATFORM_ROLE))
    assigned, platform_assigned = (
        _assignment(world, vnet, *pair, at) for pair in ((user_role, ours), (platform_role, theirs))
    )
    where = _connect(world, vnet, vpc, application, name, at)
    return Established(
        peering_id=identity,
        application_id=application.app_id,
        application_object_id=application.id,
        user_principal_id=ours.id,
        secret_name=naming.secret_name(identity),
        secret_version=secret.version,
        secret_key_id=secret.tags[KEY_ID],
        secret_expires=datetime.fromtimestamp(secret.expires or 0, UTC).isoformat(),
        user_role_id=role_id(vnet.id, user_role.name),
        user_role_assignment_id=assigned,
        platform_principal_id=theirs.id,
        platform_role_id=role_id(vnet.id, platform_role.name),
        platform_role_assignment_id=platform_assigned,
        to_tenant_id=where["to-tenant-id"],
        to_network_id=where["to-network-id"],
        vnet_peering_id=f"{vnet.id}/virtualNetworkPeerings/{name}",
    )


def _application(world: World, landscape: Landscape, vnet: VNet, identity: str, at: datetime) -> Application:
    made = world.add_application(
        landscape.customer_tenant,
        f"Aiven peering {vnet.name} {identity[:8]}",
        "AzureADMultipleOrgs",
        landscape.automation.id,
        naming.unique_name(identity),
    )
    made.created = made.visible_at = at
    made.tags = [MARK]
    return made


def _platform(world: World) -> Application:
    found = world.application(PLATFORM_APP)
    if found is None:
        raise ValueError("the platform's application is gone")
    return found


def _principal(world: World, application: Application, tenant: str, at: datetime) -> ServicePrincipal:
    found = world.principal(application.app_id, tenant)
    if found is None:
        found = world.add_principal(application, tenant, at)
        found.visible_at, found.tags, found.owner = at, [MARK], application.owner
    return found


def _secret(world: World, landscape: Landscape, application: Application, identity: str, days: float) -> SecretVersion:
    """The application's password, and the secret that holds it."""
    name, ends = naming.secret_name(identity), (world.now + timedelta(days=days)).replace(microsecond=0)
    password = world.add_password(application, name, ends)
    password.starts = password.accepted_at = world.now - _AGE
    tags = {KEY_ID: password.key_id, PEERING: identity, ROTATION: ""}
    version, kind = UUID(world.guid()).hex, "password of an Entra application"
    made = SecretVersion(version, password.text, password.starts, tags, kind, int(ends.timestamp()))
    world.vaults[landscape.vault].secrets[name] = [made]
    return made


def _role(
    world: World, landscape: Landscape, vnet: VNet, whose: str, actions: Sequence[str], description: str
) -> RoleDefinition:
    scope = f"/subscriptions/{vnet.subscription_id}"
    title = f"Aiven VNet peering ({whose}) {vnet.subscription_id}"
    name = naming.role_definition_name(scope, title)
    found = world.role(name)
    if found is None:
        found = RoleDefinition(name, title, description, False, landscape.customer_tenant, [scope], list(actions))
        world.roles.append(found)
    return found


def _assignment(world: World, vnet: VNet, role: RoleDefinition, principal: ServicePrincipal, at: datetime) -> str:
    """The id of a principal's role assignment on the VNet."""
    name = naming.role_assignment_name(vnet.id, role_id(vnet.id, role.name), principal.id)
    if not world.assignments.by("name", name):
        made = world.assign(name, vnet.id, role, principal.id, at)
        made.effective_at, made.description = at, DESCRIPTION
    return f"{vnet.id}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _connect(world: World, vnet: VNet, vpc: Vpc, application: Application, name: str, at: datetime) -> dict[str, str]:
    """Both sides of the VNet peering and Aiven's connection; returns where the customer's side leads to."""
    names = (vnet.subscription_id.lower(), vnet.group.lower(), vnet.name.lower())
    connection = Connection(*names, application.app_id, application.tenant_id, [], "APPROVED", at, at)
    connection.id = world.guid() if vpc.named.kind == "organization" else None
    vpc.connections.append(connection)
    # Half a day ago all of the customer's side was replicated, and by now all of the platform's is.
    build(world, vpc, connection, at + _AGE / 2)
    where = connection.state_info or {}
    if connection.state != "PENDING_PEER":
        vpc.connections.remove(connection)
        raise ValueError(f"{connection.state}: {where.get('message')}")
    side = put_side(world, vnet, vpc.network, name, dict(_OPTIONS))
    side.provisioned_at = world.now
    activate(world, connection, at + _AGE / 2)
    return where
