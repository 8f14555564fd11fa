"""Removals that fail halfway or meet one another, and what a start that fails leaves of its rights."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from tests.workflows.cloud_objects import rights
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.waiting import while_waiting

pytestmark = pytest.mark.both_kinds


def test_a_removal_that_fails_halfway_is_shown_as_such_and_completed_by_the_next(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    deployment.knobs(faults=[{"host": "api.aiven.io", "method": "DELETE", "status": 403, "times": 9999}])
    removed = deployment.remove(identity)
    assert removed["problem"]["code"]
    deployment.knobs(faults=[])
    shown = deployment.status(identity)
    deployment.host.hostility.make_peace()
    (listed,) = deployment.api.get("/api/peerings").json()["peerings"]
    report = deployment.api.get(f"/api/peerings/{identity}/report?format=json").json()
    assert (listed["state"], report["state"]) == ("removal-failed", "removal-failed")
    assert ("verdict" in listed, report["verdict"], "health" in shown) == (False, None, False)
    assert shown["problem"]["code"] == removed["problem"]["code"]
    assert shown["problem"]["remedy"]
    assert "vnet_peering" not in {made["object"] for made in report["objects"]}
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_a_removal_that_failed_halfway_is_not_checked(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.check(identity)
    deployment.knobs(faults=[{"host": "api.aiven.io", "method": "DELETE", "status": 403, "times": 9999}])
    deployment.remove(identity)
    deployment.knobs(faults=[])
    deployment.clear_requests()
    sweep(deployment)
    assert until_swept(deployment)["checked"] == 0
    assert "health" not in deployment.status(identity)
    assert deployment.writes() == []


def test_a_start_that_fails_after_a_removal_that_failed_makes_nothing_to_check(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    keeps_secrets = {"host": r".*vault\.azure\.net", "path": "/secrets/.+", "method": "DELETE", "times": 9999}
    deployment.knobs(faults=[{**keeps_secrets, "status": 403, "code": "Forbidden"}])
    deployment.remove(identity)
    refused = {"host": "management.azure.com", "path": "/roleAssignments$", "method": "GET", "times": 9999}
    deployment.knobs(faults=[{**refused, "status": 400, "code": "BadRequest"}])
    assert deployment.settle()["state"] == "failed"
    deployment.knobs(faults=[])
    deployment.clear_requests()
    sweep(deployment)
    assert until_swept(deployment) == {"checked": 0, "changed": 0, "repairs": 0}
    assert deployment.writes() == []
    answer = deployment.api.post(f"/api/peerings/{identity}/rotate", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "peering-not-connected-yet")
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.life
def test_a_removal_that_failed_halfway_can_be_taken_back_by_a_start(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": "api.aiven.io", "method": "DELETE", "status": 403, "times": 9999}])
    deployment.remove(identity)
    deployment.knobs(faults=[])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    deployment.host.hostility.make_peace()
    (listed,) = deployment.api.get("/api/peerings").json()["peerings"]
    assert (listed["state"], listed["verdict"]) == ("connected", "healthy")


@pytest.mark.parametrize("shared_vnet", [True, False])
def test_two_removals_at_once_leave_nothing_behind(tmp_path: Path, shared_vnet: bool) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 3, "project_vpcs": 2})) as deployment:
        before = deployment.cloud_state()
        first, other = deployment.cloud.vnet_ids[:2]
        second = list(deployment.cloud.world.vpcs)[1]
        one = deployment.settle(vnet_id=first)["id"]
        two = deployment.settle(vnet_id=first if shared_vnet else other, vpc=second)["id"]
        with ThreadPoolExecutor(2) as pool:
            assert [removed["state"] for removed in pool.map(deployment.remove, [one, two])] == ["removed"] * 2
        assert deployment.cloud_state() == before
        assert deployment.api.get("/api/peerings").json() == {"peerings": []}


def test_what_is_taken_over_cannot_be_limited_to_the_setup(deployment: Deployment) -> None:
    answer = deployment.api.post("/api/peerings", json=deployment.request(adopt=True, privilege="setup-only"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    (error,) = answer.json()["errors"]
    assert all(field in f"{error['field']}: {error['rule']}" for field in ("adopt", "privilege"))
    assert not [r for r in deployment.cloud.requests if r.service not in ("entra", "table")]


@pytest.mark.any_kind
def test_a_start_that_fails_leaves_no_role_that_was_for_the_setup_only(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    status = deployment.settle(privilege="setup-only")
    assert (status["state"], status["problem"]["code"]) == ("failed", "connection-error")
    assert rights(deployment, status) == 0
    deployment.knobs(outcome="")
    again = deployment.settle(privilege="setup-only")
    assert (again["state"], rights(deployment, again)) == ("connected", 0), again.get("problem")


@pytest.mark.any_kind
def test_a_start_that_is_stopped_leaves_no_role_that_was_for_the_setup_only(deployment: Deployment) -> None:
    deployment.knobs(approved=3600, latency=0.03)
    identity = deployment.start(privilege="setup-only")
    status = while_waiting(deployment, identity, "pending_peer")
    assert rights(deployment, status) == 1
    deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
    deployment.knobs(latency=0)
    stopped = deployment.until(identity)
    deployment.knobs(approved=0)
    assert (stopped["state"], rights(deployment, stopped)) == ("stopped", 0)
    assert deployment.settle(privilege="setup-only")["state"] == "connected"
