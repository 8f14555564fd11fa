"""Everything that the local cloud holds, without any secret, for tests and people."""

from typing import Any

from local.cloud.aiven import connection_body
from local.cloud.arm import authorization
from local.cloud.graph import application_body, federated_body, principal_body
from local.cloud.world.peerings import sync_level
from local.cloud.world.platform import settle
from local.cloud.world.world import Application, SecretVersion, VNetPeering, World
from peering.aiven_vpc import NAMES


def state(world: World) -> dict[str, Any]:
    """The whole state. What is deleted softly stays out of it."""
    settle(world)
    principals = [{**principal_body(p, None), "tenantId": p.tenant_id} for p in world.principals]
    return {
        "applications": [_application(a) for a in world.applications],
        "servicePrincipals": [p for p in principals if p["servicePrincipalType"] == "Application"],
        "managedIdentities": [p for p in principals if p["servicePrincipalType"] == "ManagedIdentity"],
        "roleDefinitions": [authorization.definition_body("", r) for r in world.roles if not r.built_in],
        "roleAssignments": [authorization.assignment_body(a) for a in world.assignments],
        "virtualNetworks": [
            {"id": vnet.id, "prefixes": vnet.prefixes, "provisioningState": vnet.provisioning_state}
            for vnet in world.vnets.values()
        ],
        "virtualNetworkPeerings": [_peering(world, p) for vnet in world.vnets.values() for p in vnet.peerings],
        "secrets": [
            {"vault": vault.name, "name": name, "versions": [_version(v) for v in versions]}
            for vault in world.vaults.values()
            for name, versions in vault.secrets.items()
        ],
        "projectVpcs": [
            {"id": vpc.id, "project": vpc.owner, "state": vpc.state, "cidr": vpc.cidr, "networkId": vpc.network.id}
            for vpc in world.vpcs.values()
            if vpc.named.kind == "project"
        ],
        "organizationVpcs": [
            {"id": vpc.id, "organization": vpc.owner, "state": vpc.state, "cidr": vpc.cidr, "networkId": vpc.network.id}
            for vpc in world.vpcs.values()
            if vpc.named.kind == "organization"
        ],
        "peeringConnections": [
            {NAMES[vpc.named.kind][1]: vpc.id, **connection_body(connection)} for vpc, connection in world.connections()
        ],
    }


def _application(application: Application) -> dict[str, Any]:
    federated = [federated_body(credential) for credential in application.federated]
    return {**application_body(application), "federatedIdentityCredentials": federated}


def _peering(world: World, peering: VNetPeering) -> dict[str, Any]:
    return {
        "id": peering.id,
        "remote": peering.remote_id,
        "peeringState": peering.state,
        "peeringSyncLevel": sync_level(world, peering),
        "provisioningState": "Failed" if peering.failed else "Succeeded",
        "options": peering.options,
    }


def _version(version: SecretVersion) -> dict[str, Any]:
    return {"version": version.version, "tags": version.tags, "enabled": version.enabled, "expires": version.expires}
