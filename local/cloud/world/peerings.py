"""The two-sided state machine of VNet peerings: joined, synced, disconnected.

The states follow azure-cli's recordings `test_network_vnet_peering` and `test_network_vnet_peering_sync`; codes and
texts follow public error reports.
"""

from typing import Any, Final

from local.cloud.server.wire import ApiError, Response
from local.cloud.world.records import Options
from local.cloud.world.world import VNet, VNetPeering, World

#: By whether a side is behind the other network's addresses, and whether the other side is behind this network's.
_SYNC_LEVELS: Final = {
    (False, False): "FullyInSync",
    (True, False): "LocalNotInSync",
    (False, True): "RemoteNotInSync",
    (True, True): "LocalAndRemoteNotInSync",
}


def peering_to(vnet: VNet, remote_id: str) -> VNetPeering | None:
    """A VNet's peering that leads to another one."""
    wanted = remote_id.lower()
    return next((p for p in vnet.peerings if p.remote_id.lower() == wanted), None)


def peering_named(vnet: VNet, name: str) -> VNetPeering | None:
    """A VNet's peering of a name."""
    return next((p for p in vnet.peerings if p.name.lower() == name.lower()), None)


def sync_level(world: World, side: VNetPeering) -> str:
    """How far the two sides of a peering know each other's addresses."""
    if side.state != "Connected":
        return "RemoteNotInSync"
    vnet, remote = world.vnet(side.vnet_id), world.vnet(side.remote_id)
    other = peering_to(remote, side.vnet_id) if remote else None
    behind = remote is not None and side.remote_prefixes != remote.prefixes
    other_behind = other is not None and vnet is not None and other.remote_prefixes != vnet.prefixes
    return _SYNC_LEVELS[behind, other_behind]


def put_side(world: World, vnet: VNet, remote: VNet, name: str, options: Options, *, sync: bool = False) -> VNetPeering:
    """Make or renew one side of a peering; with the other side there, both become Connected.

    A side learns the other network's addresses when it is joined, and later only when it is told to `sync`.

    Raises:
        ApiError: 400, a network is not provisioned, overlaps, lacks a gateway, or can have no more peerings; or the
            other side is Disconnected and has to be renewed first.
    """
    mine = peering_named(vnet, name)
    _check_provisioned(world, vnet, remote, name)
    _check_addresses(world, vnet, remote, name)
    _check_gateway(vnet, remote, name, options)
    other = _other_side(vnet, remote, name, mine)
    now = world.now
    if mine is None:
        _check_limit(world, vnet, name)
        guid = other.guid if other else world.guid()
        mine = VNetPeering(name, vnet.id, remote.id, guid, "", "", now, now, now, [])
        vnet.peerings.append(mine)
    mine.options, mine.etag, mine.failed = options, world.guid(), False
    mine.provisioned_at = world.after(world.knobs.operation)
    state = "Connected" if other else "Initiated"
    if sync or mine.state != state or state == "Initiated":
        mine.remote_prefixes = list(remote.prefixes)
    if mine.state != state:
        mine.state, mine.changed_at = state, now
    if other is not None and other.state != "Connected":
        other.state, other.remote_prefixes = "Connected", list(vnet.prefixes)
        other.etag, other.changed_at = world.guid(), now
    return mine


def drop_side(world: World, vnet: VNet, peering: VNetPeering) -> None:
    """Delete one side of a peering; the other becomes Disconnected."""
    vnet.peerings.remove(peering)
    vnet.dropped.append((peering, world.now))
    remote = world.vnet(peering.remote_id)
    other = peering_to(remote, vnet.id) if remote else None
    if other is not None:
        other.state, other.etag, other.changed_at = "Disconnected", world.guid(), world.now


def drop_network(world: World, vnet: VNet) -> None:
    """Delete a VNet with its peerings; the other sides become Disconnected."""
    for peering in list(vnet.peerings):
        drop_side(world, vnet, peering)
    del world.vnets[vnet.id.lower()]


def refused(code: str, message: str) -> ApiError:
    """A refusal of the network provider."""
    body: dict[str, Any] = {"code": code, "message": message, "details": []}
    return ApiError(Response(400, {"error": body}))


def _other_side(vnet: VNet, remote: VNet, name: str, mine: VNetPeering | None) -> VNetPeering | None:
    """The other side, if it can be joined. With both sides Disconnected, this one starts again."""
    other = peering_to(remote, vnet.id)
    if other is None or other.state != "Disconnected":
        return other
    if mine is not None and mine.state == "Disconnected":
        return None
    raise refused(
        "RemotePeeringIsDisconnected",
        f"Cannot create or update peering {vnet.id}/virtualNetworkPeerings/{name} because remote peering"
        f" {other.id} referencing parent virtual network {vnet.id} is in Disconnected state. Update or"
        " re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when"
        " remote vnet or remote peering is deleted and re-created.",
    )


def _check_limit(world: World, vnet: VNet, name: str) -> None:
    most = world.knobs.peering_limit
    if len(vnet.peerings) >= most:
        raise refused(
            "VirtualNetworkPeeringLimitExceeded",
            f"Cannot create peering {vnet.id}/virtualNetworkPeerings/{name}: virtual network {vnet.id} has reached the"
            f" limit of {most} peerings.",
        )


def _check_provisioned(world: World, vnet: VNet, remote: VNet, name: str) -> None:
    for network in (vnet, remote):
        busy = network.busy_until is not None and network.busy_until > world.now
        state = "Updating" if busy else network.provisioning_state
        if state != "Succeeded":
            raise refused(
                "ReferencedResourceNotProvisioned",
                f"Cannot proceed with operation because resource {network.id} used by resource"
                f" {vnet.id}/virtualNetworkPeerings/{name} is not in Succeeded state. Resource is in"
                f" {state} state and the last operation that updated/is updating the resource is"
                " PutVirtualNetworkOperation.",
            )


def _check_gateway(vnet: VNet, remote: VNet, name: str, options: Options) -> None:
    if options.get("useRemoteGateways") and not remote.has_gateway:
        raise refused(
            "RemoteVnetHasNoGateways",
            f"Peering {vnet.id}/virtualNetworkPeerings/{name} cannot have UseRemoteGateway flag set to true because"
            f" remote virtual network {remote.id} referenced by the peering does not have any gateways.",
        )


def _check_addresses(world: World, vnet: VNet, remote: VNet, name: str) -> None:
    peering_id = f"{vnet.id}/virtualNetworkPeerings/{name}"
    if overlap := vnet.overlaps(remote.prefixes):
        raise refused(
            "VnetAddressSpacesOverlap",
            f"Cannot create or update peering {peering_id}. Virtual networks {vnet.id} and {remote.id} cannot be peered"
            f" because their address spaces overlap. Overlapping address prefixes: {', '.join(overlap)}",
        )
    for first, second in ((vnet, remote), (remote, vnet)):
        for peering in second.peerings:
            third = world.vnet(peering.remote_id)
            if third is None or third is first or not (overlap := first.overlaps(third.prefixes)):
                continue
            raise refused(
                "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                f"Cannot create or update peering {peering_id}. Virtual networks {first.id} and {second.id} cannot be"
                " peered because address space of the first virtual network overlaps with address space of virtual"
                f" network {third.id} already peered with the second virtual network. Overlapping address prefixes:"
                f" {', '.join(overlap)}. For more information please refer to https://aka.ms/VnetPeeringInfo",
            )
