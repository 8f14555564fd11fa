"""The steps on the VNet: the look-up and the cross-tenant VNet peering (article steps 5 and 13)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from activities.as_application import as_application, as_application_in_both, signing_in
from activities.looks import remotes
from activities.looks.ahead import ahead
from activities.step import look_again, step
from clients.azure import network
from clients.remote_errors import RemoteError, or_none
from peering.facts import Facts, VNetPeering
from peering.naming import VNetId, VNetPeeringId, last_part, same_id
from peering.outcome import ProblemError
from peering.remote_answers import read
from peering.sides import is_as_wanted, own_side, side_of, wanted_options
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.network.models import VirtualNetworkPeering


@step
async def vnet(peering: Peering, _: Facts) -> Facts:
    """Article step 5: the VNet's id as Azure spells it, its addresses, and the networks that it is peered with."""
    found = await ahead(remotes.vnet, str(VNetId.parse(peering["vnet_id"])))
    if found is None:
        raise ProblemError("vnet-not-found", f"Azure finds no VNet {peering['vnet_id']}.")
    if found["provisioning_state"] not in ("Succeeded", "Updating"):
        raise ProblemError("vnet-not-provisioned", f"The VNet's provisioning state is {found['provisioning_state']}.")
    gathered: Facts = {
        "vnet_id": found["vnet_id"],
        "address_prefixes": found["address_prefixes"],
        "peered_networks": found["peered_networks"],
    }
    if not found["peered_networks"]:
        gathered["vnet_is_clear"] = gathered["side_is_clear"] = "no peerings"
    return gathered


#: A new side's switches, by Azure's names.
_AS_MADE: Final = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
}
#: The state fields of a VNet peering, which the SDK treats as writable.
_OF_AZURE: Final = frozenset({"peeringState", "peeringSyncLevel"})


@step
async def stale_peering(peering: Peering, facts: Facts) -> Facts:
    """Before article step 11, and before a connection is deleted: remove this peering's own Disconnected side."""
    was, switches = await _remove_disconnected_side(peering, facts)
    return {"side_is_clear": was, **switches}


@step
async def orphaned_peering(peering: Peering, facts: Facts) -> Facts:
    """The same for a side that has become Disconnected with the end of its connection."""
    was, switches = await _remove_disconnected_side(peering, facts)
    return {"vnet_is_clear": was, **switches}


async def _remove_disconnected_side(peering: Peering, facts: Facts) -> tuple[str, Facts]:
    """Remove this peering's own side if it is Disconnected, as the created application.

    Azure refuses the platform a new side for as long as the old one here is Disconnected (RemotePeeringIsDisconnected).
    The new one gets the switches of the old one, which an earlier poll has seen: a repeated deletion finds none.
    """
    vnet_id, seen = VNetId.parse(facts["vnet_id"]), facts.get("seen_switches")
    switches: Facts = {"side_switches": seen} if seen is not None else {}
    sides = await remotes.sides(vnet_id)
    side = own_side(peering, facts, sides, facts["project_network_cidr"])
    single = await remotes.vnet_peering(side["id"]) if side is not None else None
    # A list may be stale: a deletion is also checked by id.
    if side is None or side["state"] != "Disconnected" or (single is not None and single["state"] != "Disconnected"):
        return "not Disconnected", switches
    if seen is None:
        first = ProblemError("vnet-peering-still-there", f"The Disconnected peering {side['name']} is deleted next.")
        first.occurrence["seen"] = {"seen_switches": await remotes.switches(side)}
        raise first
    async with as_application(facts, vnet_id) as client:
        await _begin_to_delete(client, vnet_id, side["name"])
    return "removed", switches


async def _begin_to_delete(client: "NetworkManagementClient", vnet_id: VNetId, name: str) -> None:
    """Begin to delete a side; only a read proves that it is deleted, also after a 404."""
    await or_none(
        client.virtual_network_peerings.begin_delete(vnet_id.resource_group, vnet_id.name, name, polling=False)
    )


@step
async def vnet_peering(peering: Peering, facts: Facts) -> Facts:
    """Article step 13: the VNet peering, made by the created application with the tokens of both tenants."""
    vnet_id = VNetId.parse(facts["vnet_id"])
    applied: Facts = {"side_switches": None} if facts.get("side_switches") is not None else {}
    async with signing_in(facts):
        sides = await remotes.sides(vnet_id)
        alike = side_of(facts, sides, facts["project_network_cidr"])
        if alike is not None and is_as_wanted(alike, peering, repairing=bool(facts.get("repairing"))):
            return {"vnet_peering_id": alike["id"], **applied}
        return {"vnet_peering_id": await _put_side(peering, facts, vnet_id, sides), **applied}


async def _put_side(peering: Peering, facts: Facts, vnet_id: VNetId, sides: list[VNetPeering]) -> str:
    """Create the side, or change the one that leads to the same network; returns its id."""
    remote, repairing = facts["to_network_id"], bool(facts.get("repairing"))
    there = next((side["name"] for side in sides if same_id(side["remote_id"], remote)), None)
    if there is None and any(side["name"] == peering["peering_name"] for side in sides):
        raise ProblemError("peering-name-taken", f"{peering['peering_name']} leads to another network.")
    name, found = there or peering["peering_name"], None
    # A list may not show the side of a peering that has been connected.
    if there is not None or repairing or facts.get("existing", "none") != "none":
        name, found = await _side_to(remote, vnet_id, [there] if there else _own_names(peering, facts)) or (name, None)
    switches = facts.get("side_switches") or {}
    wanted = _as_it_is(found) if found else _new_peering(remote, switches)
    for option, value in _to_put(peering, repairing=repairing and bool(found or switches)).items():
        setattr(wanted, option, value)
    try:
        async with as_application_in_both(facts, vnet_id) as client:
            await _put(client, vnet_id, name, wanted)
    except RemoteError as error:
        _check_adoption(facts, error)
        raise
    return str(VNetPeeringId(vnet_id, name))


def _check_adoption(facts: Facts, error: RemoteError) -> None:
    """If the side is deleted before another owner's connection is adopted, nothing is left to adopt.

    Raises:
        ProblemError: `nothing-to-adopt`; this app may not delete the connection, which is the usual remedy.
    """
    refused, first = read(error.answer), "vnet_peering_id" not in facts
    if facts.get("existing") == "adopted" and first and refused["code"] == "remote-peering-disconnected":
        raise ProblemError("nothing-to-adopt", refused["detail"], remote=refused["remote"]) from error


def _to_put(peering: Peering, *, repairing: bool) -> dict[str, bool]:
    """The options that a PUT changes: the requested ones.

    A request enables traffic; a repair leaves that decision to the operator.
    """
    asked = {option: value for option, value in wanted_options(peering).items() if value is not None}
    return asked if repairing else {**asked, "allow_virtual_network_access": True}


def _new_peering(remote: str, switches: Mapping[str, bool]) -> "VirtualNetworkPeering":
    from azure.mgmt.network.models import VirtualNetworkPeering

    return VirtualNetworkPeering({"properties": {"remoteVirtualNetwork": {"id": remote}, **_AS_MADE, **switches}})


def _as_it_is(found: "VirtualNetworkPeering") -> "VirtualNetworkPeering":
    """A VNet peering as it was found, to be written back: with unknown properties, without read-only ones."""
    from azure.mgmt.network.models import VirtualNetworkPeering

    properties = found.as_dict(exclude_readonly=True).get("properties") or {}
    return VirtualNetworkPeering(
        {"properties": {name: value for name, value in properties.items() if name not in _OF_AZURE}}
    )


async def _put(
    client: "NetworkManagementClient",
    vnet_id: VNetId,
    name: str,
    wanted: "VirtualNetworkPeering",
    sync: str | None = None,
) -> None:
    """PUT the VNet peering without waiting for the long-running operation: `connected` polls its result."""
    await client.virtual_network_peerings.begin_create_or_update(
        vnet_id.resource_group, vnet_id.name, name, wanted, polling=False, sync_remote_address_space=sync
    )


@step
async def connected(_peering: Peering, facts: Facts) -> Facts:
    """Article step 13, its end: whether both sides of the VNet peering are joined."""
    side = VNetPeeringId.parse(facts["vnet_peering_id"])
    async with network(side.vnet.subscription_id) as client:
        found = await client.virtual_network_peerings.get(side.vnet.resource_group, side.vnet.name, side.name)
    if found.provisioning_state == "Failed":
        raise ProblemError("peering-failed", "The VNet peering's provisioning state is Failed.")
    if found.peering_state != "Connected" or found.provisioning_state != "Succeeded":
        states = f"{_plain(found.peering_state)} ({_plain(found.provisioning_state)})"
        raise ProblemError("peering-not-connected", f"The VNet peering is {states}.")
    level = _plain(found.peering_sync_level)
    gathered: Facts = {"peering_state": _plain(found.peering_state), "peering_sync_level": level}
    if level not in _TO_SYNC:
        gathered["in_sync"] = level
    return gathered


#: What a PUT of this side can repair: it does not know the other network's new addresses.
_TO_SYNC: Final = ("LocalNotInSync", "LocalAndRemoteNotInSync")


@step
async def sync(_peering: Peering, facts: Facts) -> Facts:
    """Sync new addresses of the project VPC's network to this side (`az network vnet peering sync`)."""
    side = VNetPeeringId.parse(facts["vnet_peering_id"])
    found = await _side_named(side.vnet, side.name)
    if found is None or _plain(found.peering_sync_level) not in _TO_SYNC:
        return {"in_sync": _plain(found.peering_sync_level) if found else "gone"}
    async with as_application_in_both(facts, side.vnet) as client:
        await _put(client, side.vnet, side.name, _as_it_is(found), sync="true")
    return {"in_sync": "synced"}


def _plain(state: str | None) -> str:
    """The text of a state, which the SDK gives as a member of an enumeration."""
    return str(getattr(state, "value", state))


def _own_names(peering: Peering, facts: Facts) -> list[str]:
    """The names that the peering's own side may have: the recorded one, and the one that is asked for."""
    recorded = facts.get("vnet_peering_id")
    return list(dict.fromkeys([*([last_part(recorded)] if recorded is not None else []), peering["peering_name"]]))


async def _side_to(remote: str, vnet_id: VNetId, names: Sequence[str]) -> "tuple[str, VirtualNetworkPeering] | None":
    """The first of these sides that leads to a network, with its name; a new side would get the last one.

    Raises:
        ProblemError: `peering-name-taken`, the last one leads to another network.
    """
    for name in names:
        found = await _side_named(vnet_id, name)
        if found is not None and same_id(_remote_of(found), remote):
            return name, found
        if found is not None and name == names[-1]:
            raise ProblemError("peering-name-taken", f"{name} leads to another network.")
    return None


def _remote_of(found: "VirtualNetworkPeering") -> str | None:
    network = found.remote_virtual_network
    return network.id if network is not None else None


async def _side_named(vnet_id: VNetId, name: str) -> "VirtualNetworkPeering | None":
    """One VNet peering by its name, if it is there."""
    async with network(vnet_id.subscription_id) as client:
        return await or_none(client.virtual_network_peerings.get(vnet_id.resource_group, vnet_id.name, name))


@step
async def remove_vnet_peering(_peering: Peering, facts: Facts) -> Facts:
    """Undo article step 13: delete the VNet peering as the created application, and wait until it is deleted."""
    side = VNetPeeringId.parse(facts["vnet_peering_to_remove"])
    found = await _side_named(side.vnet, side.name)
    if found is None:
        look_again(facts, 1, "vnet-peering-unseen", f"Azure does not list the VNet peering {side.name}.")
        # Once the application is deleted, no identity could delete a VNet peering that was merely not found.
        if any(one["name"] == side.name for one in await or_none(remotes.sides(side.vnet)) or ()):
            detail = f"Azure lists the VNet peering {side.name}, but does not find it."
            raise ProblemError("vnet-peering-unseen", detail)
        return {"vnet_peering_removed": "deleted"}
    async with as_application(facts, side.vnet) as client:
        await _begin_to_delete(client, side.vnet, side.name)
    raise ProblemError("vnet-peering-still-there", f"The VNet peering {side.name} is being deleted.")
