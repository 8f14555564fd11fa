"""What the Aiven platform does behind its API, with its own rights: build its side, watch for ours, take its side away.

Everything is settled when somebody looks, at the moments when it was due.
"""

from datetime import datetime, timedelta
from typing import Final

from local.cloud import rbac
from local.cloud.arm_network import PEER_ACTION
from local.cloud.peerings import drop_side, peering_to, put_side
from local.cloud.wire import ApiError
from local.cloud.world import PLATFORM_APP, Application, Connection, ProjectVpc, RoleDefinition, VNet, World

_OPTIONS: Final = {"allowVirtualNetworkAccess": True, "peerCompleteVnets": True}


class BuildError(Exception):
    """The platform cannot build its side: the state to go to, and Aiven's terse message."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state, self.message = state, message


def settle(world: World) -> None:
    """Let everything happen that is due by now."""
    for vpc, connection in world.restless_connections():
        if connection.state == "APPROVED":
            due = connection.since + timedelta(seconds=world.knobs.approved)
            if due <= world.now:
                build(world, vpc, connection, due)
        if connection.state in ("PENDING_PEER", "ACTIVE"):
            _watch(world, vpc, connection)
        if connection.state == "DELETING" and connection.since + timedelta(seconds=world.knobs.deleted) <= world.now:
            take_away(world, vpc, connection)


def _set(connection: Connection, state: str, since: datetime, info: dict[str, str] | None) -> None:
    connection.state, connection.since, connection.state_info = state, since, info


def _info(kind: str, message: str, **more: str) -> dict[str, str]:
    return {"type": kind, "message": message, **more}


def build(world: World, vpc: ProjectVpc, connection: Connection, at: datetime) -> None:
    """Build the platform's side as of a moment: the connection becomes PENDING_PEER, or ends in a failed state."""
    if world.knobs.outcome and world.knobs.outcome != "DELETED_BY_PEER":
        _set(connection, world.knobs.outcome, at, _info("azure-peering-failed", "Failed to create the peering"))
        return
    try:
        network = _build_side(world, vpc, connection, at)
    except BuildError as error:
        _set(connection, error.state, at, _info("azure-peering-failed", error.message))
        return
    where = {"to-tenant-id": _tenant(world, network), "to-network-id": network.id}
    message = "Aiven has created its side of the peering; create a peering to the network in to-network-id"
    _set(connection, "PENDING_PEER", at, _info("azure-peering-pending-peer", message, **where))


def _tenant(world: World, network: VNet) -> str:
    return world.subscriptions[network.subscription_id].tenant_id


def _build_side(world: World, vpc: ProjectVpc, connection: Connection, at: datetime) -> VNet:
    network = vpc.network
    application = _application(world, connection, at)
    _let_peer(world, application, network, at)
    principal = world.principal(PLATFORM_APP, connection.tenant_id)
    if principal is None or not principal.enabled or principal.visible_at > at:
        raise BuildError("REJECTED_BY_PEER", "Azure app is not known in the tenant")
    vnet = _customer_vnet(world, connection)
    if not rbac.may(world, principal.id, PEER_ACTION, vnet.id, at=at):
        raise BuildError("INVALID_SPECIFICATION", "Permission denied to peer with the Azure virtual network")
    existing = peering_to(network, vnet.id)
    name = existing.name if existing else f"peer-{vnet.guid}"
    try:
        put_side(world, network, vnet, name, _OPTIONS)
    except ApiError as error:
        code = error.response.body["error"]["code"]  # type: ignore[index]
        if code != "RemotePeeringIsDisconnected":
            raise BuildError("INVALID_SPECIFICATION", f"Azure refused the peering: {code}") from None
        raise BuildError("INVALID_SPECIFICATION", "Azure virtual network has a disconnected peering") from None
    return network


def _customer_vnet(world: World, connection: Connection) -> VNet:
    # The platform looks names up exactly as it got them, and knows them in lower case only.
    vnet = world.vnet(connection.vnet_id) if _spelled_low(connection) else None
    if vnet is None:
        raise BuildError("INVALID_SPECIFICATION", "Azure virtual network not found")
    if _tenant(world, vnet) != connection.tenant_id:
        raise BuildError("INVALID_SPECIFICATION", "Azure subscription is not in the tenant")
    return vnet


def _spelled_low(connection: Connection) -> bool:
    return all(name == name.lower() for name in (connection.account, connection.group, connection.vnet))


def _application(world: World, connection: Connection, at: datetime) -> Application:
    application = world.application(connection.app_id)
    known = application is not None and application.visible_at <= at and application.multi_tenant
    if application is None or not known or application.tenant_id != connection.tenant_id:
        raise BuildError("REJECTED_BY_PEER", "Azure app ID is invalid")
    return application


def _let_peer(world: World, application: Application, network: VNet, at: datetime) -> None:
    """The application's service principal in the platform's tenant, with the right to peer with the platform's VNet."""
    tenant = _tenant(world, network)
    principal = world.principal(application.app_id, tenant) or world.add_principal(application, tenant, at)
    name = "aiven-peer-to-project-vpc"
    role = next((r for r in world.roles if r.role_name == name), None)
    if role is None:
        scopes = [f"/subscriptions/{network.subscription_id}"]
        role = RoleDefinition(
            world.guid(), name, "", built_in=False, tenant_id=tenant, scopes=scopes, actions=[PEER_ACTION]
        )
        world.roles.append(role)
    if not any(a.scope == network.id for a in world.assignments.by("principal", principal.id)):
        world.assign(world.guid(), network.id, role, principal.id, at)


def _watch(world: World, vpc: ProjectVpc, connection: Connection) -> None:
    side = peering_to(vpc.network, connection.vnet_id)
    if side is None:
        return
    delay = timedelta(seconds=0 if connection.refresh else world.knobs.detect)
    seen_at = side.changed_at + delay
    if seen_at > world.now:
        return
    connection.refresh = False
    if connection.state == "PENDING_PEER" and side.state == "Connected":
        if world.knobs.outcome == "DELETED_BY_PEER":
            _set(connection, "DELETED_BY_PEER", seen_at, _info("azure-peering-deleted", "The peering was deleted"))
            return
        activate(world, connection, seen_at)
    elif connection.state == "ACTIVE" and side.state == "Disconnected":
        _set(connection, "DELETED_BY_PEER", seen_at, _info("azure-peering-deleted", "The peering was deleted"))


def activate(world: World, connection: Connection, at: datetime) -> None:
    """The platform has seen that both sides are Connected."""
    info = {**(connection.state_info or {}), "message": "Peering is active"}
    _set(connection, "ACTIVE", at, None if world.knobs.null_state_info else info)


def take_away(world: World, vpc: ProjectVpc, connection: Connection) -> None:
    """Remove a connection with the platform's side of the VNet peering."""
    side = peering_to(vpc.network, connection.vnet_id)
    if side is not None:
        drop_side(world, vpc.network, side)
    vpc.connections.remove(connection)
