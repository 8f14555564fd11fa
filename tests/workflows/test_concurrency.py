"""Operations at the same time: each ends in a defined state, and nothing is left half made."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.deployment import AT_WORK, Deployment, deploy
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.waiting import until_gone

pytestmark = pytest.mark.both_kinds


def test_two_removes_at_once_are_one(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: deployment.api.delete(f"/api/peerings/{identity}"), range(6)))
    assert {answer.status_code for answer in answers} <= {202, 404}
    assert [a.json()["joined"] for a in answers if a.status_code == 202].count(False) == 1
    until_gone(deployment, identity)
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("approved", [0, 3600])
def test_a_remove_during_a_start_stops_it_in_order_and_removes_all(deployment: Deployment, approved: int) -> None:
    before = deployment.cloud_state()
    deployment.knobs(approved=approved, secret_accepted=5)
    identity = deployment.start()
    answer = deployment.api.delete(f"/api/peerings/{identity}")
    assert answer.status_code == 202
    until_gone(deployment, identity)
    deployment.knobs(approved=0, secret_accepted=0)
    assert deployment.cloud_state() == before
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}
    assert deployment.settle()["state"] == "connected"


def test_a_start_during_a_remove_is_refused_and_possible_afterwards(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(deleted=3600, latency=0.02)
    deployment.api.delete(f"/api/peerings/{identity}")
    answer = deployment.api.post("/api/peerings", json=deployment.request())
    assert (answer.status_code, answer.json()["code"]) == (409, "being-removed")
    until_gone(deployment, identity)
    assert deployment.settle()["state"] == "connected"


@pytest.mark.parametrize("second", ["check", "rotate"])
@pytest.mark.any_kind
def test_what_comes_during_another_operation_is_refused_by_name(deployment: Deployment, second: str) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(latency=0.1)
    assert deployment.api.post(f"/api/peerings/{identity}/rotate").status_code == 202
    answer = deployment.api.post(f"/api/peerings/{identity}/{second}")
    assert (answer.status_code, answer.json()["code"]) == (409, "operation-under-way")
    assert "rotate" in answer.json()["detail"]
    answer = deployment.api.post("/api/peerings", json=deployment.request())
    assert (answer.status_code, answer.json()["code"]) == (409, "operation-under-way")
    deployment.knobs(latency=0)
    assert deployment.until(identity)["runs"][-1]["state"] == "rotated"


def test_a_rotation_during_a_sweep_is_not_judged_by_it(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.check(status["id"])
    deployment.knobs(latency=0.05)
    sweep(deployment)
    assert deployment.api.post(f"/api/peerings/{status['id']}/rotate").status_code == 202
    until_swept(deployment)
    deployment.knobs(latency=0)
    after = deployment.until(status["id"])
    assert [run["operation"] for run in after["runs"]] == ["establish", "rotate"]
    assert after["health"]["verdict"] == "healthy"
    application = deployment.cloud.world.application(status["facts"]["application_id"])
    assert application is not None
    assert len(application.passwords) == 1


@pytest.mark.engine_part
def test_a_remove_during_a_repair_wins(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    deployment.knobs(approved=3600)
    deployment.api.post(f"/api/peerings/{status['id']}/check")
    deployment.until(status["id"], "repairing")
    assert deployment.api.delete(f"/api/peerings/{status['id']}").status_code == 202
    until_gone(deployment, status["id"])
    assert deployment.cloud_state() == before


@pytest.mark.any_kind
@pytest.mark.engine_part
def test_a_terminated_orchestration_is_resumed(deployment: Deployment) -> None:
    deployment.knobs(approved=3600, latency=0.02)
    identity = deployment.start()
    deployment.terminate(identity)
    deployment.knobs(approved=0, latency=0)
    assert deployment.until(identity)["state"] == "connected"
    assert deployment.remove(identity)["state"] == "removed"


def test_starts_and_removes_in_any_order_leave_all_or_nothing(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    calls: list[Callable[[], object]] = [
        lambda: deployment.api.post("/api/peerings", json=deployment.request()),
        lambda: deployment.api.delete(f"/api/peerings/{identity}"),
    ]
    identity = deployment.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: calls[n % 2](), range(12)))
    deadline = time.monotonic() + 60 * deployment.patience
    while (status := deployment.status(identity))["state"] in AT_WORK:
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    assert status["state"] in ("connected", "removed", "stopped"), status
    if status["state"] != "removed":
        deployment.remove(identity)
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_no_start_slips_into_a_removal_that_stops_a_run(deployment: Deployment, pause: float) -> None:
    deployment.knobs(approved=3600, latency=pause)
    identity = deployment.start()
    assert deployment.api.delete(f"/api/peerings/{identity}").status_code == 202
    seen = set[str]()
    while (status := deployment.status(identity))["state"] != "removed":
        seen.add(status["state"])
        answer = deployment.api.post("/api/peerings", json=deployment.request())
        if answer.status_code != 409:
            # It was removed in between: this start is one of a new peering.
            break
        assert answer.json()["code"] == "being-removed"
    assert seen <= {"stopping", "removing"}


@pytest.mark.any_kind
def test_starts_that_are_rolled_back_at_once_leave_nothing(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario(vnets=3)) as deployment:
        before = deployment.cloud_state()
        deployment.knobs(outcome="ERROR", latency=0.01)
        vnets = deployment.cloud.vnet_ids
        with ThreadPoolExecutor(len(vnets)) as pool:
            started = pool.map(lambda vnet: deployment.start(vnet_id=vnet, on_failure="rollback"), vnets)
            statuses = list(pool.map(deployment.until, started))
        assert [status["state"] for status in statuses] == ["rolled-back"] * len(vnets)
        assert deployment.cloud_state() == before
