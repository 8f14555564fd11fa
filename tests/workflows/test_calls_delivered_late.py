"""A second delivery may come, or go on, at any later time: it makes and takes nothing that others rely on by then."""

import asyncio
import importlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from local.deployment import Deployment, deploy
from local.host.worker import Worker
from peering.aiven_vpc import Kind
from peering.record import Record, RunRecord
from tests.workflows.cloud_objects import application_of
from tests.workflows.delivered_late import Late, is_second, late_calls, stalled
from tests.workflows.managed_identity import as_identity
from tests.workflows.recorded_runs import runs
from tests.workflows.waiting import while_waiting


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app on a platform that is friendly but for what a test asks for."""
    with deploy(tmp_path) as deployed:
        yield deployed


@pytest.fixture
def late() -> Iterator[Late]:
    """The calls, to be repeated."""
    with late_calls() as watched:
        yield watched


@pytest.mark.parametrize(
    ("forward", "back"),
    [
        ("application", "remove_application"),
        ("platform_service_principal", "remove_roles"),
        ("user_role", "last_look"),
        ("platform_role_assignment", "last_look"),
        ("peering_connection", "last_look"),
    ],
)
def test_a_step_makes_nothing_while_its_run_goes_back(
    deployment: Deployment, late: Late, forward: str, back: str
) -> None:
    before = deployment.cloud_state()
    deployment.knobs(outcome="ERROR")
    late.activity, late.behind = forward, back
    status = deployment.settle(on_failure="rollback")
    assert (status["state"], status["problem"]["code"]) == ("rolled-back", "connection-error")
    assert len(late.answers) == 1
    assert deployment.cloud_state() == before


def test_a_removal_leaves_nothing_that_a_call_of_its_own_makes_again(deployment: Deployment, late: Late) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    late.activity, late.behind = "user_role", "last_look"
    assert deployment.remove(status["id"])["state"] == "removed"
    assert len(late.answers) == 1
    assert deployment.cloud_state() == before


def test_a_right_that_the_way_back_needs_is_not_taken_by_the_way_there(deployment: Deployment, late: Late) -> None:
    before = deployment.cloud_state()
    fault = {"host": r"management\.azure\.com", "path": "virtualNetworkPeerings/.+", "method": "GET"}
    deployment.knobs(faults=[{**fault, "status": 400, "code": "BadRequest", "times": 1}])
    late.activity, late.behind = "release_rights", "user_role_assignment"
    status = deployment.settle(on_failure="rollback", privilege="setup-only")
    assert status["state"] == "rolled-back", status["problem"]
    assert len(late.answers) == 1
    assert deployment.cloud_state() == before


def test_a_rotation_that_has_failed_leaves_one_password(deployment: Deployment, late: Late) -> None:
    status = deployment.settle()
    deployment.knobs(secret_accepted=3600)
    late.activity, late.behind = "new_credential", "discard_credential"
    rotated = deployment.rotate(status["id"])
    assert rotated["runs"][-1]["problem"]["code"] == "secret-not-accepted"
    assert len(late.answers) == 1
    (password,) = application_of(deployment, status["facts"]["application_id"]).passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]


def test_an_order_is_not_taken_from_who_carries_it_out(deployment: Deployment, late: Late) -> None:
    status = deployment.settle()
    deployment.later(status["id"], timedelta(hours=1))
    late.first = True
    late.activity, late.behind = "take_order", "new_credential"
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    assert late.answers == ["null"]
    assert [name for name, *_ in late.calls].count("new_credential") == 1


@pytest.mark.parametrize(
    ("activity", "module", "function"),
    [
        ("pending_peer", "activities.steps.aiven", "_request"),
        ("platform_service_principal", "activities.steps.directory", "find_principal"),
        ("platform_role", "activities.steps.access", "roles"),
    ],
)
def test_who_stands_still_before_a_change_makes_nothing_after_the_removal(
    deployment: Deployment, activity: str, module: str, function: str
) -> None:
    before = deployment.cloud_state()
    deployment.knobs(outcome="REJECTED_BY_PEER" if activity == "pending_peer" else "ERROR")
    with stalled(activity, module, function) as twin:
        identity = deployment.start()
        assert twin.reached.wait(30)
        deployment.knobs(outcome="")
        assert deployment.remove(identity)["state"] == "removed"
        assert deployment.cloud_state() == before
        twin.go_on()
    assert deployment.cloud_state() == before


def test_who_stands_still_before_a_deletion_takes_nothing_from_the_next_start(deployment: Deployment) -> None:
    status = deployment.settle()
    with stalled("remove_role_assignments", "activities.steps.removed_rights", "neighbours_of") as twin:
        assert deployment.remove(status["id"])["state"] == "removed"
        assert deployment.settle()["state"] == "connected"
        there = deployment.cloud_state()
        twin.go_on()
    assert deployment.cloud_state() == there


def test_who_stands_still_before_the_old_credential_goes_takes_no_newer_one(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        with stalled("retire_credential", "activities.steps.credentials", "remove_federated") as twin:
            assert deployment.rotate(status["id"], credential="secret")["runs"][-1]["state"] == "rotated"
            assert deployment.rotate(status["id"], credential="federated")["runs"][-1]["state"] == "rotated"
            twin.go_on()
        application = application_of(deployment, status["facts"]["application_id"])
        assert (len(application.federated), application.passwords) == (1, [])


def test_who_stands_still_before_the_vault_leaves_neither_secret_nor_password(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    (vault,) = deployment.cloud.world.vaults.values()
    with stalled("application_credential", "activities.steps.passwords", "_store") as twin:
        identity = deployment.start()
        assert twin.reached.wait(30)
        assert deployment.remove(identity)["state"] == "removed"
        twin.go_on()
    assert vault.secrets == {}


@pytest.mark.both_kinds
@pytest.mark.parametrize("behind", ["pending_peer", "active"])
def test_who_stands_still_before_an_ended_connection_goes_takes_no_new_one(
    deployment: Deployment, behind: str, aiven_vpc: Kind
) -> None:
    status = deployment.settle()
    side = {"vnet_id": status["peering"]["vnet_id"], "remote_id": status["facts"]["to_network_id"]}
    deployment.event(kind="delete-vnet-peering", **side)
    deletes = f"{aiven_vpc.capitalize()}VpcClient.delete_connection"
    with stalled("stale_connection", "clients.aiven_vpcs", deletes, behind) as twin:
        assert deployment.settle()["state"] == "connected"
        assert twin.ended.is_set()
    assert [connection.state for _, connection in deployment.cloud.world.connections()] == ["ACTIVE"]


@pytest.mark.parametrize(
    ("activity", "behind"), [("new_credential", "retire_credential"), ("application_credential", "pending_peer")]
)
def test_the_password_of_a_second_delivery_goes_with_a_later_check(
    deployment: Deployment, activity: str, behind: str
) -> None:
    status = deployment.settle() if activity == "new_credential" else None
    with stalled(activity, "activities.steps.passwords", "_make_password", behind) as twin:
        status = deployment.rotate(status["id"]) if status is not None else deployment.settle()
        assert twin.ended.is_set()
    application = application_of(deployment, status["facts"]["application_id"])
    deployment.later(status["id"], timedelta(hours=1))
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    (password,) = application.passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]


def test_the_next_order_is_not_taken_for_an_earlier_one(deployment: Deployment, late: Late) -> None:
    late.activity, late.behind, late.first = "take_order", "pending_peer", True
    identity = deployment.start()
    late.meanwhile = lambda: deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
    assert deployment.until(identity)["state"] == "stopped"
    assert late.answers == ["null"]
    cancel, start = runs(deployment, identity).values()
    assert (start["outcome"], cancel["outcome"]) == ("superseded", "done")
    assert start["steps"]
    assert "to_network_id" in deployment.record(identity)["facts"]


def test_an_outcome_that_comes_late_does_not_take_the_place_of_the_true_one(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = deployment.settle()["id"]
    once, may_go = Worker.activity, threading.Event()

    async def held(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        if name == "conclude_order" and not is_second():
            await asyncio.to_thread(may_go.wait, 60)
        return await once(worker, name, given, instance_id)

    monkeypatch.setattr(Worker, "activity", held)
    with stalled("conclude_order", "activities.orders", "note_ended_runs") as twin:
        removal = deployment.api.delete(f"/api/peerings/{identity}").raise_for_status().json()["run"]
        assert twin.reached.wait(60)
        deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
        may_go.set()
        deployment.until(identity)
        twin.go_on()
    assert runs(deployment, identity)[removal]["outcome"] == "superseded"


def test_who_supersedes_a_run_and_is_slow_does_not_forget_what_it_got_to(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = importlib.import_module("clients.registry.orders")
    genuine, reached, goes_on = orders.note_ended_runs, threading.Event(), threading.Event()

    async def slow(record: Record) -> list[RunRecord]:
        reached.set()
        await asyncio.to_thread(goes_on.wait, 60)
        noted: list[RunRecord] = await genuine(record)
        return noted

    deployment.knobs(approved=3600)
    identity = deployment.start()
    deployment.virtual_clock.held = True
    while_waiting(deployment, identity, "pending_peer")
    monkeypatch.setattr(orders, "note_ended_runs", slow)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(deployment.api.post, f"/api/peerings/{identity}/cancel", timeout=120)
        assert reached.wait(30)
        deployment.virtual_clock.held = False
        deployment.until(identity)
        goes_on.set()
        asked.result().raise_for_status()
    cancel, start = runs(deployment, identity).values()
    assert (start["outcome"], cancel["outcome"]) == ("superseded", "done")
    assert start["steps"]


def test_a_password_that_comes_too_late_for_the_vault_goes(deployment: Deployment) -> None:
    status = deployment.settle()
    application = application_of(deployment, status["facts"]["application_id"])
    with stalled("new_credential", "activities.steps.passwords", "_store") as twin:
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
        twin.go_on()
    (password,) = application.passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]
