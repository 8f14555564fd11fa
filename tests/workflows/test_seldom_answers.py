"""What remotes answer seldom: each is told for what it is, or got over."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud.world.world import PLATFORM_APP
from local.deployment import Deployment, deploy
from peering.naming import federated_credential_name
from peering.problems import PROBLEMS
from tests.workflows.cloud_objects import application_of, passwords_of, vnet_of
from tests.workflows.managed_identity import as_identity
from tests.workflows.obstacles import Place
from tests.workflows.plans import plan, planned_removal
from tests.workflows.sweeping import sweep, until_swept

ARM, GRAPH, VAULT = r"management\.azure\.com", r"graph\.microsoft\.com", r".*\.vault\.azure\.net"
#: For as long as a test takes.
ALWAYS = 10_000


def ended(status: dict[str, Any]) -> tuple[str, str | None]:
    """The state of a peering, and the code of its problem."""
    return status["state"], status.get("problem", {}).get("code")


def test_a_vnet_that_azure_could_not_provision_gets_no_peering(deployment: Deployment) -> None:
    deployment.event(kind="set-vnet-provisioning-state", vnet_id=vnet_of(deployment).id, state="Failed")
    assert [one["code"] for one in plan(deployment)["waits"]] == ["vnet-not-provisioned"]
    deployment.clear_requests()
    status = deployment.settle()
    assert ended(status) == ("failed", "vnet-not-provisioned")
    assert "Failed" in status["problem"]["detail"]
    assert deployment.writes() == []


def test_an_identity_of_another_tenant_than_the_settings_name_changes_nothing(tmp_path: Path) -> None:
    other = "00000000-0000-4000-8000-00000000beef"
    with deploy(tmp_path, settings={**as_identity(tmp_path), "AZURE_TENANT_ID": other}) as deployment:
        status = deployment.settle()
        assert ended(status) == ("failed", "subscription-in-other-tenant")
        assert f"AZURE_TENANT_ID is {other}" in status["problem"]["detail"]
        assert deployment.writes() == []


def test_a_secret_that_the_vault_takes_long_to_delete_is_looked_at_again(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    slow = {"host": VAULT, "method": "DELETE", "path": "^/secrets/", "breach": "hang"}
    deployment.knobs(faults=[slow])
    status = deployment.remove(identity)
    assert status["state"] == "removed"
    (vault,) = deployment.cloud.world.vaults.values()
    assert [name for name in vault.secrets if identity in name] == []


def test_a_secret_whose_versions_the_vault_does_not_find_is_gone(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    unknown = {"host": VAULT, "method": "GET", "path": "^/secrets/[^/]+/versions", "status": 404}
    deployment.knobs(faults=[{**unknown, "code": "SecretNotFound", "times": ALWAYS}])
    assert ended(deployment.remove(identity)) == ("removed", None)


@pytest.mark.parametrize("status", [400, 501])
def test_a_password_policy_that_graph_refuses_to_show_ends_the_start(deployment: Deployment, status: int) -> None:
    policy = {"host": GRAPH, "path": "/defaultAppManagementPolicy", "status": status, "code": "BadRequest"}
    deployment.knobs(faults=[{**policy, "times": ALWAYS}])
    found = deployment.settle(onFailure="keep")
    assert found["state"] == "failed"
    assert "password_policy" in {one["name"] for one in found["steps"] if one["state"] == "failed"}


def _exempt_some(deployment: Deployment) -> None:
    """Graph shows a policy against passwords that exempts some."""
    restriction: dict[str, Any] = {
        "restrictionType": "passwordAddition",
        "state": "enabled",
        "maxLifetime": None,
        "restrictForAppsCreatedAfterDateTime": "2020-01-01T00:00:00Z",
        "excludeActors": {"customSecurityAttributes": []},
    }
    body = {
        "id": "1",
        "isEnabled": True,
        "applicationRestrictions": {"passwordCredentials": [restriction], "keyCredentials": []},
    }
    answer = {"host": GRAPH, "path": "/defaultAppManagementPolicy", "status": 200, "body": body, "times": ALWAYS}
    deployment.knobs(faults=[answer])


def test_a_policy_that_exempts_some_is_a_warning(deployment: Deployment) -> None:
    _exempt_some(deployment)
    status = deployment.settle()
    assert status["state"] == "connected"
    assert len(status["facts"]["password_policy_checked"]) == 1


def test_a_policy_that_exempts_some_is_a_warning_of_a_removal_that_makes_a_password(deployment: Deployment) -> None:
    status = deployment.settle(repair="off")
    _exempt_some(deployment)
    assert planned_removal(deployment, status["id"])["warnings"] == []
    deployment.event(kind="remove-passwords", app_id=status["facts"]["application_id"])
    planned = planned_removal(deployment, status["id"])
    assert (planned["result"], planned["obstacles"], len(planned["warnings"])) == ("remove", [], 1)
    assert "policy forbids passwords" in planned["warnings"][0]
    assert deployment.remove(status["id"])["state"] == "removed"


def test_a_removal_that_makes_a_federated_credential_again_needs_no_password(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated", repair="off")
        application_of(deployment, status["facts"]["application_id"]).federated.clear()
        Place(deployment).forbid(password_addition_forbidden=True)
        planned = planned_removal(deployment, status["id"])
        assert (planned["result"], planned["obstacles"]) == ("remove", [])
        assert deployment.remove(status["id"])["state"] == "removed"


def test_the_policies_of_a_subscription_that_may_not_be_listed_are_those_of_the_vnet(deployment: Deployment) -> None:
    listed = {"host": ARM, "method": "GET", "path": "^/subscriptions/[^/]+/providers/.*/policyAssignments$"}
    deployment.knobs(faults=[{**listed, "status": 403, "code": "AuthorizationFailed", "times": ALWAYS}])
    deployment.clear_requests()
    assert plan(deployment)["obstacles"] == []
    vnet = vnet_of(deployment).id.lower()
    paths = [one.path.lower() for one in deployment.cloud.requests]
    assert [p for p in paths if p.startswith(vnet) and p.endswith("/policyassignments")] != []


def test_a_federated_credential_of_another_issuer_is_replaced(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        application = application_of(deployment, status["facts"]["application_id"])
        (trusted,) = application.federated
        wanted = trusted.issuer
        trusted.issuer = "https://issuer.example.com/v2.0"
        again = deployment.settle(credential="federated")
        assert again["state"] == "connected"
        assert [one.issuer for one in application.federated] == [wanted]
        assert application.federated[0].name == federated_credential_name(status["id"])


def test_a_federated_credential_that_is_gone_when_it_is_deleted_is_removed(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        lost = {"host": GRAPH, "method": "DELETE", "path": "/federatedIdentityCredentials/", "breach": "reset"}
        deployment.knobs(faults=[{**lost, "after": True}])
        rotated = deployment.rotate(status["id"], credential="secret")
        assert rotated["runs"][-1]["state"] == "rotated"
        assert application_of(deployment, status["facts"]["application_id"]).federated == []
        assert len(passwords_of(deployment, status)) == 1


def test_a_refused_deletion_of_a_federated_credential_is_told(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        refused = {"host": GRAPH, "method": "DELETE", "path": "/federatedIdentityCredentials/", "times": ALWAYS}
        deployment.knobs(faults=[{**refused, "status": 403, "code": "Authorization_RequestDenied"}])
        rotated = deployment.rotate(status["id"], credential="secret")
        assert ended(rotated["runs"][-1]) != ("rotated", None)


def test_a_deleted_application_on_the_second_page_is_restored(deployment: Deployment) -> None:
    status = deployment.settle()
    (vpc,), vnet = deployment.cloud.world.vpcs.values(), vnet_of(deployment)
    deployment.event(kind="delete-vnet-peering", vnet_id=vnet.id, remote_id=vpc.network.id)
    deployment.event(kind="delete-connection", project_vpc_id=vpc.id, vnet_id=vnet.id)
    deployment.event(kind="delete-application", app_id=status["facts"]["application_id"])
    path = "/directory/deletedItems/graph.application"
    first = {"value": [], "@odata.nextLink": f"https://graph.microsoft.com/v1.0{path}"}
    deployment.knobs(faults=[{"host": GRAPH, "method": "GET", "path": f"{path}$", "status": 200, "body": first}])
    again = deployment.settle()
    assert ended(again) == ("connected", None)
    assert again["facts"]["application_id"] == status["facts"]["application_id"]


def test_a_principal_that_graph_shows_without_its_tags_stays_until_they_are_seen(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    left_out = {"host": GRAPH, "method": "GET", "path": "^/v1.0/servicePrincipals", "without": "tags"}
    deployment.knobs(faults=[{**left_out, "times": ALWAYS}])
    status = deployment.remove(identity)
    assert ended(status) == ("removal-failed", "remote-unavailable")
    principal = deployment.cloud.world.principal(PLATFORM_APP, deployment.cloud.landscape.customer_tenant)
    assert principal is not None
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud.world.principal(PLATFORM_APP, deployment.cloud.landscape.customer_tenant) is None


def test_a_version_in_use_that_may_not_be_read_beside_a_newer_one_leaves_the_secret_unknown(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    deployment.until_ended(status["id"])
    (vault,) = deployment.cloud.world.vaults.values()
    versions = vault.secrets[status["facts"]["secret_name"]]
    newer = replace(versions[0], version="f" * 32, tags={}, created=versions[0].created + timedelta(seconds=1))
    versions.append(newer)
    sweep(deployment)
    until_swept(deployment)
    assert deployment.record(status["id"])["health"]["verdict"] == "healthy"
    refused = {"host": VAULT, "method": "GET", "path": "^/secrets/[^/]+/versions", "status": 403, "code": "Forbidden"}
    deployment.knobs(faults=[{**refused, "times": ALWAYS}])
    sweep(deployment)
    until_swept(deployment)
    assert deployment.record(status["id"])["health"]["verdict"] == "unknown"


def test_the_self_check_says_that_secrets_may_not_be_listed_and_that_all_is_paused(deployment: Deployment) -> None:
    refused = {"host": VAULT, "method": "GET", "path": "^/secrets$", "status": 403, "code": "Forbidden"}
    deployment.knobs(faults=[{**refused, "times": ALWAYS}])
    deployment.api.post("/api/pause", json={"why": "Maintenance."}).raise_for_status()
    found = {one["name"]: one for one in deployment.api.get("/api/self-check").json()["checks"]}
    assert found["key vault"]["state"] == "problem"
    assert [one["code"] for one in found["key vault"]["problems"]] == ["vault-access-denied"]
    assert found["automatic checks"]["state"] == "ok"
    assert found["automatic checks"]["detail"] == "All peerings are paused until they are resumed: Maintenance."


@pytest.mark.parametrize(
    ("whose", "code", "fixer"),
    [
        ("customer_tenant", "application-principal-unknown", "an Entra administrator"),
        ("platform_tenant", "application-not-in-tenant", "an Aiven project administrator"),
    ],
)
def test_a_missing_service_principal_is_the_matter_of_the_tenant_that_lacks_it(
    deployment: Deployment, whose: str, code: str, fixer: str
) -> None:
    before = deployment.settle(repair="off")
    tenant = getattr(deployment.cloud.landscape, whose)
    deployment.event(kind="delete-service-principal", app_id=before["facts"]["application_id"], tenant_id=tenant)
    (*_, run) = deployment.rotate(before["id"])["runs"]
    assert (run["state"], run["problem"]["code"], PROBLEMS[code].fixer) == ("failed", code, fixer)
    assert tenant in run["problem"]["detail"]
