"""An event is a hint that the order may be another one now. One that came for nothing costs no time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.deployment import Deployment
from peering.runs import FUNCTION_TIMEOUT, STOP
from tests.workflows.cloud_objects import rights
from tests.workflows.recorded_runs import runs
from tests.workflows.waiting import while_waiting

#: What a run may take longer than what it waits for: a share of that, and some looks.
SOON = timedelta(minutes=3)


def hinted(deployment: Deployment, identity: str) -> None:
    """Raise two events at once while time stands still, and give the run a while to look what they are about."""
    before = history_size(deployment, identity)
    for _ in range(2):
        deployment.raise_event(identity, STOP)
    time.sleep(2 * deployment.patience)
    assert 0 < history_size(deployment, identity) - before < 25


def history_size(deployment: Deployment, instance: str) -> int:
    """How many events an instance has."""
    return len(deployment.instance(instance, showHistory="true")["historyEvents"])


def took(run: dict[str, Any]) -> timedelta:
    """How long a run took."""
    return datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["taken"])


def last_run(deployment: Deployment, identity: str, operation: str) -> dict[str, Any]:
    """A peering's newest run of an operation."""
    return next(run for run in runs(deployment, identity).values() if run["operation"] == operation)


def until(deployment: Deployment, holds: Callable[[], bool]) -> None:
    """Wait in the machine's time until something holds."""
    deadline = time.monotonic() + 30 * deployment.patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.both_kinds
@pytest.mark.engine_part
def test_a_start_waits_no_longer_than_without(deployment: Deployment) -> None:
    deployment.knobs(approved=60)
    deployment.virtual_clock.held = True
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    hinted(deployment, identity)
    deployment.virtual_clock.held = False
    assert deployment.until(identity)["state"] == "connected"
    assert took(last_run(deployment, identity, "establish")) < SOON


@pytest.mark.both_kinds
def test_a_removal_waits_no_longer_than_without(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(deleted=60)
    deployment.virtual_clock.held = True
    deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
    while_waiting(deployment, identity, "remove_connection")
    hinted(deployment, identity)
    deployment.virtual_clock.held = False
    assert deployment.until(identity)["state"] == "removed"
    assert took(last_run(deployment, identity, "remove")) < SOON


def test_a_removal_waits_for_what_was_lost_no_longer_than_without(deployment: Deployment) -> None:
    deployment.knobs(approved=3600)
    deployment.virtual_clock.held = True
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    deployment.terminate(identity)
    deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
    until(deployment, lambda: (deployment.instance(identity)["customStatus"] or {}).get("state") == "removed")
    hinted(deployment, identity)
    deployment.virtual_clock.held = False
    assert deployment.until(identity)["state"] == "removed"
    assert FUNCTION_TIMEOUT <= took(last_run(deployment, identity, "remove")) < FUNCTION_TIMEOUT + SOON


@pytest.mark.both_kinds
def test_a_cancel_waits_for_what_it_removes_and_no_longer(deployment: Deployment) -> None:
    deployment.knobs(approved=36000)
    deployment.virtual_clock.held = True
    identity = deployment.start(privilege="setup-only")
    while_waiting(deployment, identity, "pending_peer")
    fault = {"host": "management.azure.com", "path": "roleAssignments", "method": "DELETE", "status": 503, "times": 999}
    deployment.knobs(faults=[fault])
    deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
    until(deployment, lambda: any(one["instanceId"].endswith(":release_rights") for one in deployment.instances()))
    hinted(deployment, identity)
    deployment.knobs(faults=[])
    deployment.virtual_clock.held = False
    status = deployment.until(identity)
    assert (status["state"], rights(deployment, status)) == ("stopped", 0)
    assert took(last_run(deployment, identity, "cancel")) < SOON


@pytest.mark.engine_part
def test_a_cancel_and_a_removal_at_once_are_not_in_each_other_s_way(deployment: Deployment) -> None:
    for _ in range(3):
        deployment.knobs(approved=36000)
        identity = deployment.start()
        while_waiting(deployment, identity, "pending_peer")
        deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
        deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
        deployment.knobs(approved=0)
        assert deployment.until(identity)["state"] == "removed"
        assert took(last_run(deployment, identity, "remove")) < SOON
