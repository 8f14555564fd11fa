"""Requests for a connection, sent to Aiven."""

from tests.cloud.callers import Callers


def request_connection(cloud: Callers, **changes: str) -> int:
    """Request a connection; the answer's status."""
    made, vnet = cloud.cloud.world.applications[0], cloud.vnet
    body = {
        "peer_cloud_account": vnet.subscription_id,
        "peer_resource_group": vnet.group.lower(),
        "peer_vpc": vnet.name.lower(),
        "peer_azure_app_id": made.app_id,
        "peer_azure_tenant_id": cloud.cloud.landscape.customer_tenant,
        **changes,
    }
    return cloud.aiven("POST", f"/vpcs/{cloud.vpc.id}/peering-connections", body).status_code
