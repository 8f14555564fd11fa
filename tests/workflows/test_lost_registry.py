"""The registry is lost with all its rows: no connection goes with it, and the same requests build it again."""

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential

from local.deployment import Deployment

pytestmark = pytest.mark.both_kinds


def lose_registry(deployment: Deployment) -> None:
    """Delete the tables."""
    given = deployment.cloud.environment
    identity = (given[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    with TableServiceClient(given["REGISTRY_TABLE_ENDPOINT"], credential=ClientSecretCredential(*identity)) as service:
        for table in list(service.list_tables()):
            service.delete_table(table.name)


def test_the_same_request_finds_what_is_there_and_makes_nothing_anew(deployment: Deployment) -> None:
    empty = deployment.cloud_state()
    before = deployment.settle()
    there = deployment.cloud_state()
    lose_registry(deployment)
    assert deployment.api.get("/api/peerings").json()["peerings"] == []
    after = deployment.settle()
    assert (after["id"], after["state"]) == (before["id"], "connected")
    assert deployment.cloud_state() == there
    assert deployment.check(after["id"])["health"]["verdict"] == "healthy"
    assert deployment.remove(after["id"])["state"] == "removed"
    assert deployment.cloud_state() == empty
