"""What the Aiven platform does behind its API, with its own rights: build its side, watch for ours, remove its side.

Changes happen at the next read, with the times at which they were due.
"""

from datetime import datetime, timedelta
from typing import Final

from local.cloud.arm import rbac
from local.cloud.arm.network import PEER_ACTION
from local.cloud.server.wire import ApiError
from local.cloud.world.peerings import drop_side, peering_to, put_side
from local.cloud.world.records import Rest, Watched
from local.cloud.world.world import (
    PLATFORM_APP,
    Application,
    Connection,
    RoleDefinition,
    VNet,
    VNetPeering,
    Vpc,
    World,
)

#: The platform's own role that lets an application peer with its networks.
_ROLE: Final = "aiven-peer-to-project-vpc"
_OPTIONS: Final = {"allowVirtualNetworkAccess": True, "peerCompleteVnets": True}


class BuildError(Exception):
    """The platform cannot build its side: the state to go to, and Aiven's terse message."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state, self.message = state, message


def settle(world: World) -> None:
    """Apply all changes that are due. It costs almost nothing if none is."""
    while True:
        seen, now = _signs(world), world.now
        if seen == world.rest.seen and (world.rest.until is None or now < world.rest.until):
            return
        moments = [_advance(world, *restless, now) for restless in _restless(world)]
        world.rest = Rest(seen, min((moment for moment in moments if moment is not None), default=None))


def _signs(world: World) -> tuple[object, ...]:
    """A value that changes if anything changes that the platform acts upon."""
    knobs, count = world.knobs, sum(len(vpc.connections) for vpc in world.vpcs.values())
    return Watched.changes, count, knobs.approved, knobs.detect, knobs.deleted


def _restless(world: World) -> list[tuple[Vpc, Connection, VNetPeering | None]]:
    """The connections that are neither at rest nor failed, with the platform's side of their VNet peerings."""
    found = []
    for vpc in world.vpcs.values():
        sides = {side.remote_id.lower(): side for side in vpc.network.peerings}
        for connection in vpc.connections:
            side = sides.get(connection.vnet_id.lower())
            if not _is_at_rest(connection, side):
                found.append((vpc, connection, side))
    return found


def _is_at_rest(connection: Connection, side: VNetPeering | None) -> bool:
    if connection.state == "ACTIVE":
        return side is None or (side.state == "Connected" and not connection.refresh)
    return connection.state not in ("APPROVED", "PENDING_PEER", "DELETING", "DELETED")


def _advance(
    world: World, vpc: Vpc, connection: Connection, side: VNetPeering | None, now: datetime
) -> datetime | None:
    """Apply the due changes of a connection; returns when it has to be polled next, if nothing else happens."""
    if connection.state in ("PENDING_PEER", "ACTIVE"):
        return _watch(world, connection, side, now)
    knobs = world.knobs
    lasts = {"APPROVED": knobs.approved, "DELETING": knobs.deleted, "DELETED": knobs.deleted_listed}
    due = connection.since + timedelta(seconds=lasts[connection.state])
    if due > now:
        return due
    if connection.state == "APPROVED":
        build(world, vpc, connection, due)
    elif connection.state == "DELETED":
        vpc.connections.remove(connection)
    elif knobs.deleted_listed:
        _take_away_side(world, vpc, connection)
        _set(connection, "DELETED", due, None)
    else:
        take_away(world, vpc, connection)
    return None


def _set(connection: Connection, state: str, since: datetime, info: dict[str, str] | None) -> None:
    connection.state, connection.since, connection.state_info = state, since, info


def _info(kind: str, message: str, **more: str) -> dict[str, str]:
    return {"type": kind, "message": message, **more}


def build(world: World, vpc: Vpc, connection: Connection, at: datetime) -> None:
    """Build the platform's side as of a moment: the connection becomes PENDING_PEER, or ends in a failed state."""
    if world.knobs.outcome and world.knobs.outcome != "DELETED_BY_PEER":
        _set(connection, world.knobs.outcome, at, _info("azure-peering-failed", "Failed to create the peering"))
        return
    try:
        network = _build_side(world, vpc, connection, at)
    except BuildError as error:
        _set(connection, error.state, at, _info("azure-peering-failed", error.message))
        return
    is_told = vpc.named.kind == "project" or world.knobs.organization_network_told
    where = {"to-tenant-id": _tenant(world, network), "to-network-id": network.id} if is_told else {}
    message = "Aiven has created its side of the peering; create a peering to the network in to-network-id"
    _set(connection, "PENDING_PEER", at, _info("azure-peering-pending-peer", message, **where))


def _tenant(world: World, network: VNet) -> str:
    return world.subscriptions[network.subscription_id].tenant_id


def _build_side(world: World, vpc: Vpc, connection: Connection, at: datetime) -> VNet:
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
        put_side(world, network, vnet, name, dict(_OPTIONS))
    except ApiError as error:
        # The body of an error of ARM is always an object with `error`; the type of a response allows any.
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
    application = known_application(world, connection.app_id, connection.tenant_id, at)
    if application is None:
        raise BuildError("REJECTED_BY_PEER", unknown_application(connection.app_id))
    return application


def known_application(world: World, app_id: str, tenant_id: str, at: datetime) -> Application | None:
    """The application that a connection names, if it is one of its tenant's that the platform can sign in as."""
    found = world.application(app_id)
    known = found is not None and found.visible_at <= at and found.multi_tenant and found.tenant_id == tenant_id
    return found if known else None


def unknown_application(app_id: str) -> str:
    """What Aiven says of an application that it does not know."""
    return f"peer_azure_app_id '{app_id}' does not refer to a valid application object"


def _let_peer(world: World, application: Application, network: VNet, at: datetime) -> None:
    """The application's service principal in the platform's tenant, with the right to peer with the platform's VNet."""
    tenant = _tenant(world, network)
    principal = world.principal(application.app_id, tenant) or world.add_principal(application, tenant, at)
    role = next((r for r in world.roles if r.role_name == _ROLE), None)
    if role is None:
        scopes = [f"/subscriptions/{network.subscription_id}"]
        role = RoleDefinition(
            world.guid(), _ROLE, "", built_in=False, tenant_id=tenant, scopes=scopes, actions=[PEER_ACTION]
        )
        world.roles.append(role)
    if not any(a.scope == network.id for a in world.assignments.by("principal", principal.id)):
        world.assign(world.guid(), network.id, role, principal.id, at)


def _watch(world: World, connection: Connection, side: VNetPeering | None, now: datetime) -> datetime | None:
    """Poll the platform's side; returns when a change of it will be seen."""
    if side is None:
        return None
    seen_at = side.changed_at + timedelta(seconds=0 if connection.refresh else world.knobs.detect)
    if seen_at > now:
        return seen_at
    if connection.refresh:
        connection.refresh = False
    gone = connection.state == "ACTIVE" and side.state == "Disconnected"
    joined = connection.state == "PENDING_PEER" and side.state == "Connected"
    if gone or (joined and world.knobs.outcome == "DELETED_BY_PEER"):
        _set(connection, "DELETED_BY_PEER", seen_at, _info("azure-peering-deleted", "The peering was deleted"))
    elif joined:
        activate(world, connection, seen_at)
    return None


def activate(world: World, connection: Connection, at: datetime) -> None:
    """The platform has seen that both sides are Connected."""
    info = {**(connection.state_info or {}), "message": "Peering is active"}
    _set(connection, "ACTIVE", at, None if world.knobs.null_state_info else info)


def take_away(world: World, vpc: Vpc, connection: Connection) -> None:
    """Remove a connection with the platform's side of the VNet peering, and what it gave the application for it."""
    _take_away_side(world, vpc, connection)
    vpc.connections.remove(connection)


def _take_away_side(world: World, vpc: Vpc, connection: Connection) -> None:
    side = peering_to(vpc.network, connection.vnet_id)
    beside = [one for one in vpc.connections if one is not connection and one.vnet_id == connection.vnet_id]
    if side is not None and all(one.state == "DELETED" for one in beside):
        drop_side(world, vpc.network, side)
    others = [other for _, other in world.connections() if other is not connection and other.state != "DELETED"]
    if all(other.app_id != connection.app_id for other in others):
        _forget(world, connection.app_id, vpc.network)


def _forget(world: World, app_id: str, network: VNet) -> None:
    """Undo `_let_peer` for an application that no connection names any more."""
    principal = world.principal(app_id, _tenant(world, network))
    if principal is None:
        return
    for assignment in list(world.assignments.by("principal", principal.id)):
        world.assignments.remove(assignment)
    world.principals.remove(principal)
    role = next((r for r in world.roles if r.role_name == _ROLE), None)
    if role is not None and all(assignment.role != role.name for assignment in world.assignments):
        world.roles.remove(role)
