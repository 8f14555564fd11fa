"""Events of VNets and their peerings."""

from ipaddress import IPv4Network
from typing import Final

from local.cloud.arm.network import OPTIONS
from local.cloud.events.named import UnknownEventError, named_peering, named_vnet
from local.cloud.server.wire import ApiError
from local.cloud.world.peerings import drop_network, drop_side, put_side
from local.cloud.world.world import World

_PROVISIONING_STATES: Final = ("Succeeded", "Updating", "Deleting", "Failed")
_JOINED: Final = {"allowVirtualNetworkAccess": True, "peerCompleteVnets": True}


def _prefixes(given: list[str]) -> list[str]:
    return [str(IPv4Network(prefix)) for prefix in given]


def delete_vnet_peering(world: World, vnet_id: str, remote_id: str) -> None:
    """Delete one side of a peering; the other becomes Disconnected."""
    drop_side(world, named_vnet(world, vnet_id), named_peering(world, vnet_id, remote_id))


def fail_vnet_peering(world: World, vnet_id: str, remote_id: str) -> None:
    """The last operation on one side of a peering has failed."""
    peering = named_peering(world, vnet_id, remote_id)
    peering.failed, peering.etag = True, world.guid()


def set_vnet_peering_options(world: World, vnet_id: str, remote_id: str, options: dict[str, bool]) -> None:
    """Change options of one side of a peering; the others stay."""
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise UnknownEventError(f"there are no options {', '.join(unknown)}; there are {', '.join(OPTIONS)}")
    peering = named_peering(world, vnet_id, remote_id)
    peering.options = {**peering.options, **options}
    peering.etag = world.guid()


def change_address_space(world: World, vnet_id: str, prefixes: list[str]) -> None:
    """A VNet gets other addresses; no side of its peerings learns them by itself."""
    named_vnet(world, vnet_id).prefixes = _prefixes(prefixes)


def delete_vnet(world: World, vnet_id: str) -> None:
    """Delete a VNet; the other sides of its peerings become Disconnected."""
    drop_network(world, named_vnet(world, vnet_id))


def rename_vnet(world: World, vnet_id: str, name: str) -> None:
    """Recreate a VNet under another name: Azure cannot rename it, so its peerings are deleted."""
    vnet = named_vnet(world, vnet_id)
    drop_network(world, vnet)
    made = world.add_vnet(vnet.subscription_id, vnet.group, name, vnet.prefixes[0])
    made.prefixes, made.location = list(vnet.prefixes), vnet.location


def set_vnet_provisioning_state(world: World, vnet_id: str, state: str) -> None:
    """A VNet is in the middle of another operation, or its last one has failed."""
    if state not in _PROVISIONING_STATES:
        raise UnknownEventError(f"there is no provisioning state {state}; there are {', '.join(_PROVISIONING_STATES)}")
    named_vnet(world, vnet_id).provisioning_state = state


def occupy_vnet(world: World, vnet_id: str, seconds: float) -> None:
    """Change a subnet of a VNet: meanwhile no peering can be created, though the VNet shows as provisioned."""
    named_vnet(world, vnet_id).busy_until = world.after(seconds)


def add_vnet_peering_to_overlapping_network(
    world: World, vnet_id: str, prefixes: list[str], name: str = "Overlapping-VNet"
) -> None:
    """Peer a VNet with another one of these addresses, both sides Connected."""
    vnet, addresses = named_vnet(world, vnet_id), _prefixes(prefixes)
    made = world.add_vnet(vnet.subscription_id, vnet.group, name, addresses[0])
    made.prefixes = addresses
    try:
        put_side(world, vnet, made, f"to-{name}", dict(_JOINED))
        put_side(world, made, vnet, f"to-{vnet.name}", dict(_JOINED))
    except ApiError as error:
        drop_network(world, made)
        raise UnknownEventError(f"Azure refuses the peering: {error}") from None
