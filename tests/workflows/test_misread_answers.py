"""Answers that say less than they seem to: a sign-in's 404, an empty refusal, a deletion of what is gone."""

from pathlib import Path

import pytest

from local.deployment import Deployment, deploy
from tests.workflows.cloud_objects import application_of
from tests.workflows.managed_identity import as_identity

ENTRA, ARM = r"login\.microsoftonline\.com", r"management\.azure\.com"


@pytest.mark.parametrize(
    "body",
    [
        "",
        {"error": "not_found", "error_description": "Nothing here."},
        {"error": {"code": "ResourceNotFound", "message": "Nothing here."}},
    ],
)
def test_a_sign_in_that_is_answered_404_says_nothing_about_the_vnet(deployment: Deployment, body: object) -> None:
    status = deployment.settle()
    ended = {"host": ARM, "status": 401, "code": "ExpiredAuthenticationToken", "times": 9999}
    deployment.knobs(faults=[{"host": ENTRA, "method": "POST", "status": 404, "body": body, "times": 9999}, ended])
    health = deployment.check(status["id"])["health"]
    assert health["verdict"] == "unknown"
    assert "vnet-not-found" not in {problem["code"] for problem in health["problems"]}
    deployment.knobs(faults=[])
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


@pytest.mark.parametrize("refused", [400, 401, 404])
def test_an_empty_refusal_of_a_sign_in_is_asked_again(deployment: Deployment, refused: int) -> None:
    platform = deployment.cloud.landscape.platform_tenant
    token = {"host": ENTRA, "method": "POST", "path": f"/{platform}/oauth2/v2.0/token$", "status": refused, "body": ""}
    deployment.knobs(faults=[{**token, "times": 1}])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/virtualNetworkPeerings/", "ResourceNotFound"),
        ("/virtualNetworkPeerings/", "NotFound"),
        ("/roleAssignments/", "RoleAssignmentNotFound"),
    ],
)
def test_a_deletion_that_is_answered_404_is_looked_at_again(
    deployment: Deployment, path: str, code: str, after: bool
) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    deployment.knobs(
        faults=[{"host": ARM, "method": "DELETE", "path": path, "status": 404, "code": code, "after": after}]
    )
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")
    assert deployment.cloud_state() == before


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (409, "Conflict", "Another operation on this or dependent resource is in progress."),
        (409, "OperationPreempted", "The operation was preempted by a newer one."),
        (412, "PreconditionFailed", "The condition has not been met."),
    ],
)
def test_a_change_by_others_is_awaited(deployment: Deployment, status: int, code: str, message: str) -> None:
    put = {"host": ARM, "method": "PUT", "path": "/virtualNetworkPeerings/", "times": 1}
    deployment.knobs(faults=[{**put, "status": status, "body": {"error": {"code": code, "message": message}}}])
    ended = deployment.settle()
    assert ended["state"] == "connected", ended.get("problem")


def test_what_a_plan_calls_refused_stays_as_it_was(deployment: Deployment) -> None:
    was = deployment.settle()["peering"]
    refused = {"peering_name": "othername", "user_peer_network_cidrs": ["10.77.0.0/16"]}
    status = deployment.settle(**refused)
    assert {name: status["peering"][name] for name in refused} == {name: was[name] for name in refused}
    planned = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request(**refused)).json()
    assert {one["option"] for one in planned["changes"] if "refused" in one} == set(refused)
    named = deployment.request(peering_name=was["peering_name"])
    assert deployment.api.post("/api/peerings?dryRun=true", json=named).json()["changes"] == []


@pytest.mark.parametrize("code", ["InvalidResourceType", "NoRegisteredProviderFound", "UnknownError"])
def test_a_404_that_speaks_of_the_api_is_no_absence(deployment: Deployment, code: str) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    message = "The resource type 'virtualNetworks' could not be found in the namespace 'Microsoft.Network'."
    body = {"error": {"code": code, "message": message}}
    vnets = {"host": ARM, "path": "/virtualNetworks/", "status": 404, "body": body, "times": 9999}
    deployment.knobs(faults=[vnets])
    assert deployment.check(status["id"])["health"]["verdict"] == "unknown"
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "remote-refused")
    deployment.knobs(faults=[])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


def test_a_side_that_was_not_found_at_first_is_looked_for_at_the_end(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    # The VNet, its list and the recorded side, as often as a removal looks before it believes.
    path = r"/virtualNetworks/[^/]*(/virtualNetworkPeerings|\?|$)"
    gone = {"host": ARM, "method": "GET", "path": path, "status": 404, "code": "ResourceNotFound", "times": 6}
    deployment.knobs(faults=[gone])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("kind", ["secret", "federated"])
@pytest.mark.parametrize("skip", range(4))
def test_a_rotation_believes_no_list_without_the_password_that_it_knows(tmp_path: Path, kind: str, skip: int) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle()
        application = application_of(deployment, status["facts"]["application_id"])
        old = [one.key_id for one in application.passwords]
        body = {"id": application.id, "appId": application.app_id, "passwordCredentials": []}
        hidden = {"host": r"graph\.microsoft\.com", "method": "GET", "path": f"/applications/{application.id}$"}
        deployment.knobs(faults=[{**hidden, "status": 200, "body": body, "skip": skip}])
        rotated = deployment.rotate(status["id"], credential=kind)
        assert rotated["runs"][-1]["state"] == "rotated"
        assert not {one.key_id for one in application.passwords} & set(old)
        assert (len(application.passwords), len(application.federated)) == ((1, 0) if kind == "secret" else (0, 1))
