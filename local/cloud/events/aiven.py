"""Events on Aiven's side: connections, project VPCs and the platform's networks."""

from ipaddress import IPv4Network
from typing import Final

from local.cloud.events.named import UnknownEventError, named_connection, named_peering, named_project_vpc
from local.cloud.world.peerings import drop_network, drop_side
from local.cloud.world.platform import take_away
from local.cloud.world.world import Connection, World

_CONNECTION_STATES: Final = (
    "ACTIVE", "APPROVED", "APPROVED_PEER_REQUESTED", "DELETED", "DELETED_BY_PEER", "DELETING", "ERROR",
    "INVALID_SPECIFICATION", "PENDING_PEER", "REJECTED_BY_PEER",
)  # fmt: skip
_VPC_STATES: Final = ("APPROVED", "ACTIVE", "DELETING", "DELETED")


def disconnect(world: World, project_vpc_id: str, vnet_id: str) -> None:
    """The platform's side of the VNet peering disappears; Aiven's connection stays as it is."""
    network = named_project_vpc(world, project_vpc_id).network
    drop_side(world, network, named_peering(world, network.id, vnet_id))


def delete_connection(world: World, project_vpc_id: str, vnet_id: str) -> None:
    """Delete a connection, as with `avn`: its row and the platform's side of the peering are removed."""
    take_away(world, *named_connection(world, project_vpc_id, vnet_id))


def set_connection_state(
    world: World, state: str, project_vpc_id: str | None = None, vnet_id: str | None = None, vnet: str | None = None
) -> None:
    """A connection is in another state: that of a project VPC to a VNet, or all those to VNets of a name (`vnet`)."""
    if state not in _CONNECTION_STATES:
        raise UnknownEventError(f"there is no state {state}; there are {', '.join(_CONNECTION_STATES)}")
    for connection in _connections(world, project_vpc_id, vnet_id, vnet):
        connection.state, connection.since = state, world.now


def _connections(
    world: World, project_vpc_id: str | None, vnet_id: str | None, vnet: str | None
) -> list[Connection]:  # fmt: skip
    if vnet is None:
        return [named_connection(world, project_vpc_id or "", vnet_id or "")[1]]
    found = [connection for _, connection in world.connections() if connection.vnet == vnet.lower()]
    if not found:
        raise UnknownEventError(f"there is no connection to {vnet}")
    return found


def set_connection_application(world: World, project_vpc_id: str, vnet_id: str, app_id: str) -> None:
    """Request the connection again for another application."""
    _, connection = named_connection(world, project_vpc_id, vnet_id)
    connection.app_id = app_id


def set_project_vpc_state(world: World, project_vpc_id: str, state: str) -> None:
    """A project VPC is in another state."""
    if state not in _VPC_STATES:
        raise UnknownEventError(f"there is no state {state}; there are {', '.join(_VPC_STATES)}")
    named_project_vpc(world, project_vpc_id).state = state


def delete_project_vpc(world: World, project_vpc_id: str) -> None:
    """A project VPC is gone, with its connections and the platform's network."""
    vpc = named_project_vpc(world, project_vpc_id)
    drop_network(world, vpc.network)
    del world.vpcs[vpc.id]


def change_project_cidr(world: World, project_vpc_id: str, cidr: str) -> None:
    """The platform's network gets other addresses; no side of its peerings learns them by itself."""
    vpc = named_project_vpc(world, project_vpc_id)
    vpc.cidr = str(IPv4Network(cidr))
    vpc.network.prefixes = [vpc.cidr]
