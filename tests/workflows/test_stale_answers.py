"""Answers that lag behind, are incomplete or come late make nothing go that is there, and leave nothing behind."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, Status, deploy
from tests.workflows.cloud_objects import the_connection, vnet_of
from tests.workflows.remote_requests import deletions
from tests.workflows.waiting import until_gone, while_waiting

pytestmark = pytest.mark.both_kinds


@pytest.mark.parametrize("lists", [1, 2])
def test_a_list_that_misses_the_vnet_peering_makes_no_start_delete_the_connection(
    deployment: Deployment, lists: int
) -> None:
    deployment.settle()
    deployment.clear_requests()
    deployment.knobs(list_blind=lists)
    assert deployment.settle()["state"] == "connected"
    assert deletions(deployment) == []
    assert the_connection(deployment).state == "ACTIVE"


@pytest.mark.parametrize("lists", [1, 2])
def test_a_list_that_misses_the_vnet_peering_makes_no_repair_delete_the_connection(
    deployment: Deployment, lists: int
) -> None:
    identity = deployment.settle()["id"]
    deployment.check(identity)
    deployment.clear_requests()
    deployment.knobs(list_blind=lists)
    deployment.check(identity)
    assert deletions(deployment) == []
    assert the_connection(deployment).state == "ACTIVE"
    checked = deployment.check(identity)
    assert (checked["state"], checked["health"]["verdict"]) == ("connected", "healthy")


@pytest.mark.parametrize("lists", [1, 2])
def test_a_removal_believes_no_list_that_misses_the_vnet_peering(deployment: Deployment, lists: int) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(list_blind=lists)
    removed = deployment.remove(identity)
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    deployment.knobs(list_blind=0)
    assert deployment.cloud_state() == before


def test_a_removal_leaves_nothing_behind_where_lists_lag_behind(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(list_stale=60)
    identity = deployment.settle()["id"]
    removed = deployment.remove(identity)
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    assert deployment.cloud_state() == before


def test_a_peering_is_set_up_where_lists_lag_behind(deployment: Deployment) -> None:
    deployment.knobs(list_stale=60)
    assert deployment.settle()["state"] == "connected"
    deployment.clear_requests()
    assert deployment.settle()["state"] == "connected"
    assert deletions(deployment) == []


@pytest.mark.any_kind
def test_a_role_that_was_just_deleted_is_recreated_although_lists_still_show_it(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario(vnets=2)) as deployment:
        first, second = (vnet.id for vnet in list(deployment.cloud.world.vnets.values())[:2])
        made, world = deployment.settle(vnet_id=first), deployment.cloud.world
        role = world.role(made["facts"]["user_role_id"])
        assert role is not None
        for assignment in list(world.assignments.by("role", role.name)):
            world.assignments.remove(assignment)
        deployment.knobs(role_definitions_stale=30)
        deployment.virtual_clock.advance_to(world.after(60))
        world.roles.remove(role)
        world.dropped_roles.append((role, world.now))
        status = deployment.settle(vnet_id=second)
        assert status["state"] == "connected", status.get("problem")


@pytest.mark.any_kind
def test_a_removal_leaves_no_role_that_a_start_does_not_know_it_has_made(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"role_definitions_stale": 20})) as deployment:
        before = deployment.cloud_state()
        accepted = {"host": "management.azure.com", "method": "PUT", "path": "/roleDefinitions/", "after": True}
        deployment.knobs(faults=[{**accepted, "status": 503, "code": "ServiceUnavailable", "times": 100}])
        identity = deployment.start()
        while_waiting(deployment, identity, "user_role")
        assert deployment.api.delete(f"/api/peerings/{identity}").status_code == 202
        until_gone(deployment, identity)
        deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(minutes=1))
        assert deployment.cloud_state() == before


def test_a_removal_of_what_was_just_connected_waits_for_the_directory(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"directory_visible": 30})) as deployment:
        before = deployment.cloud_state()
        identity = deployment.settle()["id"]
        assert deployment.remove(identity)["state"] == "removed"
        assert deployment.cloud_state() == before


@pytest.mark.any_kind
def test_a_removal_leaves_no_application_that_graph_does_not_show_yet(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"directory_visible": 30, "latency": 0.01})) as deployment:
        before = deployment.cloud_state()
        identity = deployment.start()
        deadline = time.monotonic() + 20 * deployment.patience
        while not any(application.unique_name for application in deployment.cloud.world.applications):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        assert deployment.api.delete(f"/api/peerings/{identity}").status_code == 202
        deployment.knobs(latency=0)
        until_gone(deployment, identity)
        assert deployment.cloud_state() == before
        assert deployment.api.get("/api/peerings").json() == {"peerings": []}


def test_rights_that_are_slower_than_aiven_do_not_fail_the_first_start(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"role_effective": 300, "approved": 5})) as deployment:
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")


def test_a_directory_that_is_slower_than_aiven_does_not_fail_the_first_start(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"directory_visible": 120, "approved": 5})) as deployment:
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")


def test_a_connection_that_aiven_does_not_list_yet_does_not_fail_a_start(deployment: Deployment) -> None:
    deployment.knobs(aiven_listed=20)
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    posts = [r for r in deployment.writes() if r["path"].endswith("/peering-connections")]
    assert len(posts) == 1


def test_a_vnet_that_goes_while_aiven_builds_ends_the_start_with_that_cause_at_once(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"approved": 90000, "latency": 0.03})) as deployment:
        identity = deployment.start()
        while_waiting(deployment, identity, "pending_peer")
        deployment.event(kind="delete-vnet", vnet_id=vnet_of(deployment).id)
        deployment.knobs(latency=0)
        status = deployment.until(identity)
        assert status["state"] == "failed"
        assert "vnet-not-found" in causes(status)
        run = status["runs"][-1]
        waited = datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["started"])
        assert waited.total_seconds() < 2 * 3600


def causes(status: Status) -> list[str]:
    """The codes of a status's problem and of what is behind it."""
    problem = status["problem"]
    return [problem["code"], *(cause["code"] for cause in problem.get("causes", []))]


def test_a_price_that_aiven_does_not_tell_stops_nothing(deployment: Deployment) -> None:
    fault = {"host": "api.aiven.io", "path": "connection-types", "status": 404, "code": "not_found", "times": 9999}
    deployment.knobs(faults=[fault])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    assert status["facts"]["hourly_price_usd"] is None
    assert deployment.api.get(f"/api/peerings/{status['id']}/report").status_code == 200


def test_a_project_that_is_gone_keeps_nothing_from_going(deployment: Deployment) -> None:
    status = deployment.settle()
    gone = {"host": "api.aiven.io", "path": "/project/", "status": 404, "code": "project_not_found", "times": 9999}
    deployment.knobs(faults=[gone])
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")
    held = deployment.cloud_state()
    assert not [a for a in held["applications"] if a["uniqueName"]]
    assert (held["secrets"], vnet_of(deployment).peerings) == ([], [])


def test_a_start_says_that_its_application_is_gone_and_not_that_the_connection_has_another_owner(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    deployment.event(kind="delete-application", app_id=status["facts"]["application_id"])
    again = deployment.settle()
    assert (again["state"], again["problem"]["code"]) == ("failed", "application-missing")
    assert the_connection(deployment).state == "ACTIVE"


def test_a_removal_believes_no_list_that_still_shows_its_own_side(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(list_stale=5, deleted=0)
    deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(minutes=1))
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize(("effective", "stale"), [(30, 5), (200, 100)])
def test_rights_that_no_list_shows_yet_do_not_end_a_start_that_aiven_has_refused(
    tmp_path: Path, effective: float, stale: float
) -> None:
    slow = Scenario(role_effective=effective, list_stale=stale, detect=15)
    with deploy(tmp_path, slow) as deployment:
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")


@pytest.mark.parametrize("status", [429, 503])
def test_looks_that_a_remote_did_not_answer_do_not_count_as_looks(deployment: Deployment, status: int) -> None:
    settled = deployment.settle()
    facts = settled["facts"]
    path = f"/v1.0/applications/{facts['application_object_id']}"
    deployment.event(kind="delete-application", app_id=facts["application_id"])
    deployment.clear_requests()
    fault = {"host": "graph.microsoft.com", "method": "GET", "path": f"{path}$", "status": status, "times": 13}
    deployment.knobs(faults=[fault])
    deployment.remove(settled["id"])
    answers = [request.status for request in deployment.cloud.requests if request.path == path]
    # A minute of looks, and only those that show that it is not there.
    assert answers.count(404) >= 13
