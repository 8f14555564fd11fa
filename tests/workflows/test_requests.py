"""Which client sent what: the SDKs that the app is built on, on the real host names, and no other client."""

import pytest

from local.deployment import Deployment

#: The beginning of the User-Agent of every client, by service.
CLIENTS: dict[str, str | tuple[str, ...]] = {
    "entra": "azsdk-python-identity/",
    "arm": ("azsdk-python-mgmt-network/", "azsdk-python-mgmt-authorization/"),
    "vault": "azsdk-python-keyvault-secrets/",
    "graph": "python-httpx/",  # msgraph-sdk's transport
    "aiven": "python-httpx/",
    "table": "azsdk-python-data-tables/",
}


@pytest.mark.both_kinds
def test_every_call_is_made_by_its_sdk_on_the_real_host(deployment: Deployment) -> None:
    assert deployment.settle()["state"] == "connected"
    vault = deployment.cloud.environment["KEY_VAULT_NAME"]
    hosts = {request.service: request.host for request in deployment.cloud.requests}
    assert hosts == {
        "entra": "login.microsoftonline.com",
        "arm": "management.azure.com",
        "graph": "graph.microsoft.com",
        "vault": f"{vault}.vault.azure.net",
        "aiven": "api.aiven.io",
        "table": deployment.cloud.environment["REGISTRY_TABLE_ENDPOINT"].removeprefix("https://"),
    }
    for request in deployment.cloud.requests:
        assert request.user_agent.startswith(CLIENTS[request.service]), request


def test_only_the_peering_is_put_by_the_created_application_with_both_tenants(deployment: Deployment) -> None:
    status = deployment.settle()
    created = status["facts"]["application_id"]
    writes = [r for r in deployment.cloud.requests if r.service == "arm" and r.method == "PUT"]
    by_created = [r for r in writes if r.app_id == created]
    assert [("virtualNetworkPeerings" in r.path, r.auxiliary) for r in by_created] == [(True, True)]
    assert not any(r.auxiliary for r in writes if r.app_id != created)


@pytest.mark.both_kinds
def test_aiven_is_asked_in_lower_case_and_azure_in_its_own_spelling(deployment: Deployment) -> None:
    status = deployment.settle()
    ((_, connection),) = deployment.cloud.world.connections()
    assert (connection.group, connection.vnet) == ("net-prod", "hub-vnet")
    assert "/Net-Prod/" in status["facts"]["vnet_peering_id"]


def test_a_start_that_waits_for_nothing_tries_each_step_once(deployment: Deployment) -> None:
    steps = deployment.settle()["steps"]
    waiting = {"pending_peer", "connected", "active"}
    assert {step["tries"] for step in steps if step["state"] == "done" and step["name"] not in waiting} == {1}
    assert [step["name"] for step in steps if "waiting_since" in step] == []


def test_after_a_step_that_failed_no_other_one_begins(deployment: Deployment) -> None:
    refused = {
        "host": r"graph\.microsoft\.com",
        "method": "PATCH",
        "path": "/applications",
        "status": 400,
        "code": "Request_BadRequest",
    }
    slow = {"host": r"management\.azure\.com", "method": "PUT", "path": "/roleDefinitions/", "status": 503, "times": 6}
    deployment.knobs(faults=[{**refused, "times": 9999}, slow])
    status = deployment.settle()
    assert status["state"] == "failed"
    steps = {step["name"]: step["state"] for step in status["steps"]}
    # Nor does one that waits go on.
    assert (steps["application"], steps["platform_role"]) == ("failed", "pending")
    assert [one for one in deployment.writes() if "/roleAssignments/" in one["path"]] == []
