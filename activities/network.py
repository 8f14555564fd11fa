"""The steps on the VNet: the look-up and the cross-tenant VNet peering (article steps 5 and 13)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from activities import looking
from activities.credentials import SIGN_IN_MEANINGS, proof_of
from activities.looking import plain
from activities.step import step
from clients.azure import network
from clients.credentials import Proof, application_credential
from clients.settings import settings
from peering.look import PeeredNetwork
from peering.naming import VNetId, same_id
from peering.outcome import Facts, ProblemError, text
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.mgmt.network.aio import NetworkManagementClient

#: How the created application reads the refusals of its own sign-ins and of the PUT: rights and replicas take time.
_PEERING_MEANINGS: Final = {
    **SIGN_IN_MEANINGS,
    "AuthorizationFailed": "peering-role-not-effective",
    "LinkedAuthorizationFailed": "platform-role-not-effective",
    "LinkedAccessCheckFailed": "platform-role-not-effective",
}
_OPTIONS: Final = ("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways")


@step()
async def vnet(peering: Peering, facts: Facts) -> Facts:
    """Article step 5: the VNet's id as Azure spells it, its addresses, and the networks that it is peered with."""
    found = await looking.vnet(peering["vnet_id"])
    if found is None:
        raise ProblemError("vnet-not-found", f"Azure finds no VNet {peering['vnet_id']}.")
    if found["provisioning_state"] not in ("Succeeded", "Updating"):
        raise ProblemError("vnet-not-provisioned", f"The VNet's provisioning state is {found['provisioning_state']}.")
    gathered: Facts = {
        "vnet_id": found["vnet_id"],
        "address_prefixes": found["address_prefixes"],
        "peered_networks": found["peered_networks"],
    }
    if not _own_sides(peering, facts, found["peered_networks"]):
        gathered["vnet_is_clear"] = "no such peering"
    return gathered


def _own_sides(peering: Peering, facts: Facts, sides: list[PeeredNetwork]) -> list[PeeredNetwork]:
    """The VNet's peerings that are this one, by its name or by where it leads."""
    remote = facts.get("to_network_id")
    known = remote if isinstance(remote, str) else None
    return [s for s in sides if s["name"] == peering["peering_name"] or same_id(s["remote_id"], known)]


@asynccontextmanager
async def _as_application(facts: Facts, vnet_id: VNetId, proof: Proof) -> "AsyncIterator[NetworkManagementClient]":
    """The network client as the created application, in the customer's tenant alone."""
    async with (
        application_credential(text(facts, "tenant_id"), text(facts, "application_id"), proof) as ours,
        network(vnet_id.subscription_id, ours) as client,
    ):
        yield client


@asynccontextmanager
async def _as_application_in_both(
    facts: Facts, vnet_id: VNetId, proof: Proof
) -> "AsyncIterator[NetworkManagementClient]":
    """The network client as the created application, with its token of the platform's tenant beside its own."""
    application_id, scope = text(facts, "application_id"), settings().cloud.resource_manager_scope
    async with (
        application_credential(text(facts, "tenant_id"), application_id, proof) as ours,
        application_credential(text(facts, "to_tenant_id"), application_id, proof) as theirs,
        network(vnet_id.subscription_id, ours, auxiliary=theirs) as client,
    ):
        # Each credential keeps its token; asked for here, the two tenants answer at the same time.
        await asyncio.gather(ours.get_token(scope), theirs.get_token(scope))
        yield client


async def _sides(vnet_id: VNetId) -> list[PeeredNetwork]:
    async with network(vnet_id.subscription_id) as client:
        listed = client.virtual_network_peerings.list(vnet_id.resource_group, vnet_id.name)
        return [looking.peered_network(side) async for side in listed]


@step(_PEERING_MEANINGS)
async def stale_peering(peering: Peering, facts: Facts) -> Facts:
    """Before article step 11: remove this peering's own Disconnected side, as the created application.

    Azure refuses the platform a new side for as long as the old one here is Disconnected (RemotePeeringIsDisconnected).
    """
    vnet_id = VNetId.parse(text(facts, "vnet_id"))
    sides, proof = await asyncio.gather(_sides(vnet_id), proof_of(facts))
    stale = [side for side in _own_sides(peering, facts, sides) if side["state"] == "Disconnected"]
    if not stale:
        return {"vnet_is_clear": "not Disconnected"}
    async with _as_application(facts, vnet_id, proof) as client:
        for side in stale:
            await client.virtual_network_peerings.begin_delete(
                vnet_id.resource_group, vnet_id.name, side["name"], polling=False
            )
    return {"vnet_is_clear": "removed"}


@step(_PEERING_MEANINGS)
async def vnet_peering(peering: Peering, facts: Facts) -> Facts:
    """Article step 13: the VNet peering, made by the created application with the tokens of both tenants."""
    vnet_id, remote = VNetId.parse(text(facts, "vnet_id")), text(facts, "to_network_id")
    sides, proof = await asyncio.gather(_sides(vnet_id), proof_of(facts))
    there = next((side for side in sides if same_id(side["remote_id"], remote)), None)
    if there is None and any(side["name"] == peering["peering_name"] for side in sides):
        raise ProblemError("peering-name-taken", f"{peering['peering_name']} leads to another network.")
    if there is not None and _is_as_wanted(there, peering):
        return {"vnet_peering_id": there["id"]}
    name = there["name"] if there else peering["peering_name"]
    async with _as_application_in_both(facts, vnet_id, proof) as client:
        await _put(client, vnet_id, name, remote, _options(peering, there))
    return {"vnet_peering_id": f"{vnet_id}/virtualNetworkPeerings/{name}"}


def _is_as_wanted(side: PeeredNetwork, peering: Peering) -> bool:
    differing = [o for o, wanted in _wanted(peering).items() if wanted is not None and wanted != side["options"][o]]
    sound = side["state"] != "Disconnected" and side["provisioning_state"] != "Failed"
    return sound and side["options"]["allow_virtual_network_access"] and not differing


def _wanted(peering: Peering) -> dict[str, bool | None]:
    return {
        "allow_forwarded_traffic": peering["allow_forwarded_traffic"],
        "allow_gateway_transit": peering["allow_gateway_transit"],
        "use_remote_gateways": peering["use_remote_gateways"],
    }


def _options(peering: Peering, there: PeeredNetwork | None) -> dict[str, bool]:
    """The options to put: those that were asked for, the others as they are, or off."""
    found = there["options"] if there else {}
    return {o: found.get(o, False) if wanted is None else wanted for o, wanted in _wanted(peering).items()}


async def _put(
    client: "NetworkManagementClient",
    vnet_id: VNetId,
    name: str,
    remote: str,
    options: dict[str, bool],
    sync: str | None = None,
) -> None:
    """Put the VNet peering without waiting for the long-running operation: `connected` looks at its result."""
    from azure.mgmt.network.models import SubResource, VirtualNetworkPeering, VirtualNetworkPeeringPropertiesFormat

    wanted = VirtualNetworkPeering(
        properties=VirtualNetworkPeeringPropertiesFormat(
            remote_virtual_network=SubResource(id=remote),
            allow_virtual_network_access=True,
            allow_forwarded_traffic=options["allow_forwarded_traffic"],
            allow_gateway_transit=options["allow_gateway_transit"],
            use_remote_gateways=options["use_remote_gateways"],
        )
    )
    await client.virtual_network_peerings.begin_create_or_update(
        vnet_id.resource_group, vnet_id.name, name, wanted, polling=False, sync_remote_address_space=sync
    )


@step({"NotFound": "peering-not-connected"})
async def connected(_peering: Peering, facts: Facts) -> Facts:
    """Article step 13, its end: whether both sides of the VNet peering are joined."""
    vnet_text, _, name = text(facts, "vnet_peering_id").partition("/virtualNetworkPeerings/")
    vnet_id = VNetId.parse(vnet_text)
    async with network(vnet_id.subscription_id) as client:
        found = await client.virtual_network_peerings.get(vnet_id.resource_group, vnet_id.name, name)
    if found.provisioning_state == "Failed":
        raise ProblemError("peering-failed", "The VNet peering's provisioning state is Failed.")
    if found.peering_state != "Connected" or found.provisioning_state != "Succeeded":
        states = f"{plain(found.peering_state)} ({plain(found.provisioning_state)})"
        raise ProblemError("peering-not-connected", f"The VNet peering is {states}.")
    level = plain(found.peering_sync_level)
    gathered: Facts = {"peering_state": plain(found.peering_state), "peering_sync_level": level}
    if level not in _TO_SYNC:
        gathered["in_sync"] = level
    return gathered


#: What a PUT of this side can mend: it has not learned of the other network's new addresses.
_TO_SYNC: Final = ("LocalNotInSync", "LocalAndRemoteNotInSync")


@step(_PEERING_MEANINGS)
async def sync(_peering: Peering, facts: Facts) -> Facts:
    """Let this side learn of new addresses of the project VPC's network (`az network vnet peering sync`)."""
    vnet_text, _, name = text(facts, "vnet_peering_id").partition("/virtualNetworkPeerings/")
    vnet_id = VNetId.parse(vnet_text)
    sides, proof = await asyncio.gather(_sides(vnet_id), proof_of(facts))
    side = next((side for side in sides if side["name"] == name), None)
    if side is None or side["sync_level"] not in _TO_SYNC:
        return {"in_sync": side["sync_level"] if side else "gone"}
    options = {option: side["options"][option] for option in _OPTIONS}
    async with _as_application_in_both(facts, vnet_id, proof) as client:
        await _put(client, vnet_id, name, side["remote_id"], options, sync="true")
    return {"in_sync": "synced"}


@step(_PEERING_MEANINGS)
async def remove_vnet_peering(_peering: Peering, facts: Facts) -> Facts:
    """Undo article step 13: delete the VNet peering as the created application, and wait until it is gone."""
    vnet_text, _, name = text(facts, "vnet_peering_to_remove").partition("/virtualNetworkPeerings/")
    vnet_id = VNetId.parse(vnet_text)
    sides, proof = await asyncio.gather(_sides(vnet_id), proof_of(facts))
    if all(side["name"] != name for side in sides):
        return {"vnet_peering_removed": "deleted"}
    async with _as_application(facts, vnet_id, proof) as client:
        await client.virtual_network_peerings.begin_delete(vnet_id.resource_group, vnet_id.name, name, polling=False)
    raise ProblemError("vnet-peering-still-there", f"The VNet peering {name} is being deleted.")
