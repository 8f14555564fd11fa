"""The steps on the VNet: the look-up and the cross-tenant VNet peering (article steps 5 and 13)."""

import asyncio
from typing import TYPE_CHECKING, Final

from activities.step import step
from clients.azure import network, secrets
from clients.credentials import application_credential
from clients.settings import settings
from peering.naming import VNetId, same_id
from peering.outcome import Facts, ProblemError, text
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.mgmt.network.models import VirtualNetworkPeering

#: How the created application reads the refusals of its own sign-ins and of the PUT: rights and replicas take time.
_PEERING_MEANINGS: Final = {
    "AuthorizationFailed": "peering-role-not-effective",
    "LinkedAuthorizationFailed": "platform-role-not-effective",
    "LinkedAccessCheckFailed": "platform-role-not-effective",
    "AADSTS700016": "application-not-in-tenant",
    "AADSTS7000229": "application-not-in-tenant",
    "AADSTS7000215": "secret-not-accepted",
    "AADSTS7000222": "secret-expired",
    "AADSTS7000112": "application-disabled",
}


@step()
async def vnet(peering: Peering, _: Facts) -> Facts:
    """Article step 5: the VNet's id as Azure spells it, and its addresses."""
    wanted = VNetId.parse(peering["vnet_id"])
    async with network(wanted.subscription_id) as client:
        found = await client.virtual_networks.get(wanted.resource_group, wanted.name)
    if found.provisioning_state not in ("Succeeded", "Updating"):
        state = _plain(found.provisioning_state)
        raise ProblemError("vnet-not-provisioned", f"The VNet's provisioning state is {state}.")
    prefixes = found.address_space.address_prefixes if found.address_space else None
    facts: Facts = {"vnet_id": found.id, "address_prefixes": list(prefixes or [])}
    if all(side.name != peering["peering_name"] for side in found.virtual_network_peerings or []):
        facts["vnet_is_clear"] = "no such peering"
    return facts


@step(_PEERING_MEANINGS)
async def stale_peering(peering: Peering, facts: Facts) -> Facts:
    """Before article step 11: remove this peering's own Disconnected side, as the created application.

    Azure refuses the platform a new side for as long as the old one here is Disconnected (RemotePeeringIsDisconnected).
    """
    vnet_id, name = VNetId.parse(text(facts, "vnet_id")), peering["peering_name"]
    sides, password = await asyncio.gather(_peerings(vnet_id), _password(facts))
    if all(side.name != name or side.peering_state != "Disconnected" for side in sides):
        return {"vnet_is_clear": "not Disconnected"}
    async with (
        application_credential(text(facts, "tenant_id"), text(facts, "application_id"), password) as ours,
        network(vnet_id.subscription_id, ours) as client,
    ):
        await client.virtual_network_peerings.begin_delete(vnet_id.resource_group, vnet_id.name, name, polling=False)
    return {"vnet_is_clear": "removed"}


@step(_PEERING_MEANINGS)
async def vnet_peering(peering: Peering, facts: Facts) -> Facts:
    """Article step 13: the VNet peering, made by the created application with the tokens of both tenants."""
    vnet_id = VNetId.parse(text(facts, "vnet_id"))
    remote = text(facts, "to_network_id")
    name = peering["peering_name"]
    peerings, password = await asyncio.gather(_peerings(vnet_id), _password(facts))
    for found in peerings:
        leads_there = same_id(found.remote_virtual_network and found.remote_virtual_network.id, remote)
        if leads_there and found.peering_state != "Disconnected" and _has_options(found, peering):
            return {"vnet_peering_id": found.id}
        if leads_there:
            name = found.name or name
        elif found.name == name:
            raise ProblemError("peering-name-taken", f"The VNet peering {name} leads to another network.")
    return {"vnet_peering_id": await _put_as_application(peering, facts, vnet_id, name, password)}


async def _peerings(vnet_id: VNetId) -> "list[VirtualNetworkPeering]":
    async with network(vnet_id.subscription_id) as client:
        return [p async for p in client.virtual_network_peerings.list(vnet_id.resource_group, vnet_id.name)]


def _has_options(found: "VirtualNetworkPeering", peering: Peering) -> bool:
    return (
        bool(found.allow_virtual_network_access)
        and bool(found.allow_forwarded_traffic) == peering["allow_forwarded_traffic"]
        and bool(found.allow_gateway_transit) == peering["allow_gateway_transit"]
        and bool(found.use_remote_gateways) == peering["use_remote_gateways"]
    )


async def _password(facts: Facts) -> str:
    async with secrets() as vault:
        secret = await vault.get_secret(text(facts, "secret_name"), text(facts, "secret_version"))
    return secret.value or ""


async def _put_as_application(peering: Peering, facts: Facts, vnet_id: VNetId, name: str, password: str) -> str:
    """Put the VNet peering without waiting for the long-running operation: `connected` looks at its result."""
    from azure.mgmt.network.models import SubResource, VirtualNetworkPeering, VirtualNetworkPeeringPropertiesFormat

    application_id, scope = text(facts, "application_id"), settings().cloud.resource_manager_scope
    wanted = VirtualNetworkPeering(
        properties=VirtualNetworkPeeringPropertiesFormat(
            remote_virtual_network=SubResource(id=text(facts, "to_network_id")),
            allow_virtual_network_access=True,
            allow_forwarded_traffic=peering["allow_forwarded_traffic"],
            allow_gateway_transit=peering["allow_gateway_transit"],
            use_remote_gateways=peering["use_remote_gateways"],
        )
    )
    async with (
        application_credential(text(facts, "tenant_id"), application_id, password) as ours,
        application_credential(text(facts, "to_tenant_id"), application_id, password) as theirs,
        network(vnet_id.subscription_id, ours, auxiliary=theirs) as client,
    ):
        # Each credential keeps its token; asked for here, the two tenants answer at the same time.
        await asyncio.gather(ours.get_token(scope), theirs.get_token(scope))
        await client.virtual_network_peerings.begin_create_or_update(
            vnet_id.resource_group, vnet_id.name, name, wanted, polling=False
        )
    return f"{vnet_id}/virtualNetworkPeerings/{name}"


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
        states = f"{_plain(found.peering_state)} ({_plain(found.provisioning_state)})"
        raise ProblemError("peering-not-connected", f"The VNet peering is {states}.")
    return {"peering_state": _plain(found.peering_state), "peering_sync_level": _plain(found.peering_sync_level)}


def _plain(state: str | None) -> str:
    """The text of a state, which the SDK gives as a member of an enumeration."""
    return str(getattr(state, "value", state))
