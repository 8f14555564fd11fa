"""A second delivery may come, or go on, at any later time: it makes and takes nothing that others rely on by then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.deployment import Deployment, deploy
from tests.workflows.cloud_objects import application_of
from tests.workflows.delivered_late import Late, late_calls, stalled
from tests.workflows.managed_identity import as_identity


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
    deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(hours=1))
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
    with stalled("remove_role_assignments", "activities.steps.access", "assignments_on") as twin:
        assert deployment.remove(status["id"])["state"] == "removed"
        assert deployment.settle()["state"] == "connected"
        there = deployment.cloud_state()
        twin.go_on()
    assert deployment.cloud_state() == there


def test_who_stands_still_before_the_old_credential_goes_takes_no_newer_one(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        with stalled("retire_credential", "activities.steps.credentials", "_remove_federated") as twin:
            assert deployment.rotate(status["id"], credential="secret")["runs"][-1]["state"] == "rotated"
            assert deployment.rotate(status["id"], credential="federated")["runs"][-1]["state"] == "rotated"
            twin.go_on()
        application = application_of(deployment, status["facts"]["application_id"])
        assert (len(application.federated), application.passwords) == (1, [])


def test_who_stands_still_before_the_vault_leaves_neither_secret_nor_password(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    (vault,) = deployment.cloud.world.vaults.values()
    with stalled("application_credential", "activities.steps.credentials", "_store") as twin:
        identity = deployment.start()
        assert twin.reached.wait(30)
        assert deployment.remove(identity)["state"] == "removed"
        twin.go_on()
    assert vault.secrets == {}


def test_a_password_that_comes_too_late_for_the_vault_goes(deployment: Deployment) -> None:
    status = deployment.settle()
    application = application_of(deployment, status["facts"]["application_id"])
    with stalled("new_credential", "activities.steps.credentials", "_store") as twin:
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
        twin.go_on()
    (password,) = application.passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]
