"""What the platform lost may still be at work: it is looked for again once it can have ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment, deploy
from local.host import Hostility, Kind
from orchestrators.lost import pause
from peering.naming import secret_name
from peering.runs import FUNCTION_TIMEOUT
from tests.workflows.cloud_objects import application_of
from tests.workflows.managed_identity import as_identity
from tests.workflows.recorded_runs import runs
from tests.workflows.waiting import while_waiting

pytestmark = pytest.mark.both_kinds


class LostResults(Hostility):
    """A platform that loses the results of some functions, so often each."""

    def __init__(self) -> None:
        super().__init__(0, rates={})
        self.to_lose: dict[str, int] = {}

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:  # noqa: ARG002 - of any instance
        if kind is not Kind.ACTIVITY_RESULT_LOST or not self.to_lose.get(function):
            return False
        self.to_lose[function] -= 1
        return True


@contextmanager
def losing(tmp_path: Path, settings: dict[str, str] | None = None) -> Iterator[tuple[Deployment, LostResults]]:
    """An app on a platform that loses what it is told to."""
    losses = LostResults()
    with deploy(tmp_path, settings=settings, hostile=losses) as deployment:
        yield deployment, losses


def took(run: dict[str, Any]) -> timedelta:
    """How long a run took."""
    return datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["taken"])


def last_run(deployment: Deployment, identity: str) -> dict[str, Any]:
    """A peering's newest run."""
    return next(iter(runs(deployment, identity).values()))


def test_a_removal_ends_when_what_it_lost_itself_can_have_ended(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, losses):
        identity = deployment.settle()["id"]
        losses.to_lose = {"remove_connection": 1}
        assert deployment.remove(identity)["state"] == "removed"
        assert took(last_run(deployment, identity)) >= FUNCTION_TIMEOUT


def test_a_removal_knows_of_what_its_waits_lost(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, losses):
        identity = deployment.settle()["id"]
        # The first call is the run's own, the others are those of its wait.
        losses.to_lose = {"remove_connection": 3}
        assert deployment.remove(identity)["state"] == "removed"
        assert losses.to_lose == {"remove_connection": 0}
        assert took(last_run(deployment, identity)) >= FUNCTION_TIMEOUT + timedelta(seconds=pause(0) + pause(1))


def test_a_start_that_goes_back_looks_again_when_what_it_lost_can_have_ended(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, losses):
        losses.to_lose = {"application": 1}
        deployment.knobs(faults=[{"host": "management.azure.com", "method": "PUT", "status": 400, "times": 99}])
        identity = deployment.start(on_failure="rollback")
        assert deployment.until(identity)["state"] == "rolled-back"
        assert took(last_run(deployment, identity)) >= FUNCTION_TIMEOUT


def test_a_removal_in_the_place_of_a_run_that_was_terminated_waits_for_what_that_had_under_way(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, _):
        deployment.knobs(approved=3600)
        identity = deployment.start()
        deployment.virtual_clock.held = True
        while_waiting(deployment, identity, "pending_peer")
        deployment.terminate(identity)
        answer = deployment.api.delete(f"/api/peerings/{identity}")
        deployment.virtual_clock.held = False
        assert answer.json()["superseded"]
        assert deployment.until(identity)["state"] == "removed"
        assert took(last_run(deployment, identity)) >= FUNCTION_TIMEOUT


@pytest.mark.any_kind
def test_a_check_leaves_what_it_could_not_look_for_to_the_next_one(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, losses):
        status = deployment.settle()
        losses.to_lose = {"new_credential": 1}
        deployment.rotate(status["id"])
        assert "unsettled" in deployment.record(status["id"])
        deployment.later(status["id"], 2 * FUNCTION_TIMEOUT)
        deployment.knobs(faults=[{"host": ".*vault.azure.net", "status": 403, "times": 99}])
        deployment.check(status["id"])
        assert "unsettled" in deployment.record(status["id"])
        deployment.knobs(faults=[])
        deployment.check(status["id"])
        assert "unsettled" not in deployment.record(status["id"])


@pytest.mark.any_kind
def test_a_check_that_sees_no_federated_credential_leaves_unknown_passwords_to_the_next_one(tmp_path: Path) -> None:
    with losing(tmp_path, as_identity(tmp_path)) as (deployment, losses):
        status = deployment.settle(credential="federated")
        losses.to_lose = {"new_credential": 1}
        deployment.rotate(status["id"])
        application = application_of(deployment, status["facts"]["application_id"])
        world = deployment.cloud.world
        world.add_password(application, secret_name(status["id"]), world.now + timedelta(days=30))
        nothing = {"host": "graph.microsoft.com", "path": "/federatedIdentityCredentials$", "status": 200}
        for faults in ([{**nothing, "body": {"value": []}}], []):
            deployment.later(status["id"], 2 * FUNCTION_TIMEOUT)
            deployment.knobs(faults=faults)
            deployment.check(status["id"])
        assert (application.passwords, len(application.federated)) == ([], 1)
        assert "unsettled" not in deployment.record(status["id"])


@pytest.mark.any_kind
def test_a_cancel_while_the_old_credential_goes_leaves_the_new_one_noted(tmp_path: Path) -> None:
    with losing(tmp_path) as (deployment, _):
        status = deployment.settle()
        deployment.knobs(faults=[{"host": ".*vault.azure.net", "method": "PATCH", "status": 503, "times": 999}])
        deployment.virtual_clock.held = True
        deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
        while_waiting(deployment, status["id"], "retire_credential")
        deployment.api.post(f"/api/peerings/{status['id']}/cancel").raise_for_status()
        deployment.knobs(faults=[])
        deployment.virtual_clock.held = False
        deployment.until(status["id"])
        record = deployment.record(status["id"])
        assert record["facts"]["secret_version"] != status["facts"]["secret_version"]
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
