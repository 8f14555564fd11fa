"""Rollbacks and removals that fail, are cancelled or interrupted halfway: what is gone is not listed as there."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from local.deployment import Deployment, deploy
from local.host import Hostility, Kind
from tests.workflows.lost_calls import LostCalls
from tests.workflows.recorded_runs import runs
from tests.workflows.waiting import NEVER, soon

#: The vault does not delete secrets: a removal gets as far as the application.
_KEEPS_SECRETS: Final = {"host": r".*vault\.azure\.net", "path": "/secrets/.+", "method": "DELETE", "times": NEVER}


class OnceFailed(Hostility):
    """The orchestrator fails once, when a connection is ACTIVE; what the next execution looks at is refused."""

    def __init__(self) -> None:
        super().__init__(0, rates={})
        self.deployment: Deployment | None = None

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:  # noqa: ARG002 - of any instance
        if self.deployment is None or (kind, function) != (Kind.ORCHESTRATOR_FAILED, "run_order"):
            return False
        if "ACTIVE" not in {connection.state for _, connection in self.deployment.cloud.world.connections()}:
            return False
        path = {"host": "management.azure.com", "path": "/roleAssignments$", "method": "GET"}
        refused = {**path, "status": 400, "code": "BadRequest", "times": 3}
        self.deployment.knobs(faults=[refused])
        self.deployment = None
        return True


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path) as deployed:
        yield deployed


def listed(deployment: Deployment, identity: str) -> set[str]:
    """The objects that the report of a peering lists."""
    report = deployment.api.get(f"/api/peerings/{identity}/report?format=json").raise_for_status().json()
    return {made["object"] for made in report["objects"]}


def until_the_vault_refuses(deployment: Deployment) -> None:
    """Wait for a removal to get as far as it can."""
    soon(deployment, lambda: ("vault", "DELETE") in {(one.service, one.method) for one in deployment.cloud.requests})


@pytest.mark.both_kinds
def test_a_rollback_that_fails_lists_what_is_left(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(outcome="ERROR", faults=[{**_KEEPS_SECRETS, "status": 403, "code": "Forbidden"}])
    status = deployment.settle(on_failure="rollback")
    assert status["state"] == "failed"
    assert deployment.cloud_state()["applications"] == before["applications"]
    assert listed(deployment, status["id"]) == {"application credential"}


def cancelled_halfway(deployment: Deployment) -> str:
    """Cancel a rollback that the vault holds up; returns the peering's id."""
    deployment.knobs(outcome="ERROR", faults=[{**_KEEPS_SECRETS, "status": 503}])
    identity = deployment.start(on_failure="rollback")
    deployment.virtual_clock.held = True
    until_the_vault_refuses(deployment)
    deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
    deployment.virtual_clock.held = False
    return identity


@pytest.mark.both_kinds
def test_a_rollback_that_is_cancelled_lists_what_is_left(deployment: Deployment) -> None:
    identity = cancelled_halfway(deployment)
    assert deployment.until(identity)["state"] == "stopped"
    assert "application" not in listed(deployment, identity)


def test_a_start_after_a_rollback_that_was_cancelled_lists_only_what_it_has_made(deployment: Deployment) -> None:
    identity = cancelled_halfway(deployment)
    deployment.until(identity)
    path = {"host": "management.azure.com", "path": "/roleAssignments/.+", "method": "PUT"}
    deployment.knobs(outcome="", faults=[{**path, "status": 400, "code": "BadRequest", "times": NEVER}])
    assert deployment.settle(on_failure="keep")["state"] == "failed"
    made = listed(deployment, identity)
    assert "application" in made
    assert made.isdisjoint({"peering connection", "vnet peering", "user role assignment", "platform role assignment"})


@pytest.mark.parametrize(
    "kept",
    [
        _KEEPS_SECRETS,
        # The VNet peering alone is gone, so nothing works any more.
        {"host": r"api\.aiven\.io", "method": "DELETE", "path": "peering-connection", "times": NEVER},
    ],
    ids=["the secret", "the connection"],
)
def test_a_start_that_fails_after_a_removal_that_failed_is_rolled_back(
    deployment: Deployment, kept: dict[str, object]
) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{**kept, "status": 403, "code": "Forbidden"}])
    assert deployment.remove(identity)["state"] == "removal-failed"
    deployment.knobs(outcome="ERROR", faults=[])
    status = deployment.settle(on_failure="rollback")
    assert (status["state"], status["problem"]["code"]) == ("rolled-back", "connection-error")
    assert deployment.cloud_state() == before


def test_a_rollback_deletes_the_roles_that_a_removal_left_under_other_names(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle(user_role_name="role of before")["id"]
    keeps_roles = {"host": r"management\.azure\.com", "path": "/roleDefinitions/.+", "method": "DELETE"}
    deployment.knobs(faults=[{**keeps_roles, "status": 403, "code": "AuthorizationFailed", "times": NEVER}])
    assert deployment.remove(identity)["state"] == "removal-failed"
    deployment.knobs(outcome="ERROR", faults=[])
    status = deployment.settle(user_role_name="role of now", on_failure="rollback")
    assert (status["state"], status["problem"]["code"]) == ("rolled-back", "connection-error")
    assert deployment.cloud_state() == before


def test_a_removal_deletes_the_role_of_a_start_that_failed_under_another_name(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle(user_role_name="role of before")
    side = {"vnet_id": status["facts"]["vnet_id"], "remote_id": status["facts"]["to_network_id"]}
    deployment.event(kind="delete-vnet-peering", **side)
    deployment.knobs(outcome="ERROR")
    assert deployment.settle(user_role_name="role of now")["state"] == "failed"
    lists_no_role = {"host": r"management\.azure\.com", "path": "/roleDefinitions$", "method": "GET", "times": NEVER}
    deployment.knobs(outcome="", faults=[{**lists_no_role, "status": 200, "body": {"value": []}}])
    planned = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").raise_for_status().json()
    deployment.knobs(faults=[])
    deleted = {one["id"] for one in planned["steps"] if one["action"] == "delete" and one["step"].endswith("_role")}
    made = {
        role["name"] for role in deployment.cloud_state()["roleDefinitions"] if role not in before["roleDefinitions"]
    }
    assert {one.rpartition("/")[2] for one in deleted} == made
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("then", ["rotate", "repair"])
def test_what_a_start_makes_after_a_removal_that_failed_stays_listed(deployment: Deployment, then: str) -> None:
    identity = deployment.settle()["id"]
    everything = listed(deployment, identity)
    deployment.knobs(faults=[{**_KEEPS_SECRETS, "status": 403, "code": "Forbidden"}])
    assert deployment.remove(identity)["state"] == "removal-failed"
    deployment.knobs(faults=[])
    status = deployment.settle()
    if then == "rotate":
        deployment.rotate(identity)
    else:
        side = {"vnet_id": status["facts"]["vnet_id"], "remote_id": status["facts"]["to_network_id"]}
        deployment.event(kind="delete-vnet-peering", **side)
        deployment.check(identity)
    deployment.until_ended(identity)
    assert deployment.record(identity)["runs"][-1]["operation"] == then
    assert listed(deployment, identity) == everything


def test_a_removal_that_is_interrupted_at_its_end_lists_nothing(tmp_path: Path) -> None:
    losses = LostCalls()
    with deploy(tmp_path, hostile=losses) as deployment:
        before = deployment.cloud_state()
        identity = deployment.settle()["id"]
        losses.to_lose["conclude_order"] = NEVER
        deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
        status = deployment.until(identity)
        assert (status["state"], status["problem"]["code"]) == ("removal-failed", "interrupted")
        assert deployment.cloud_state() == before
        assert listed(deployment, identity) == set()


@pytest.mark.both_kinds
def test_a_cancel_does_not_wait_for_an_application_that_the_removal_has_deleted(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.until_ended(identity)
    deployment.knobs(faults=[{**_KEEPS_SECRETS, "status": 503}])
    deployment.clear_requests()
    deployment.virtual_clock.held = True
    deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
    until_the_vault_refuses(deployment)
    cancel = deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status().json()["run"]
    deployment.virtual_clock.held = False
    deployment.until(identity)
    run = runs(deployment, identity)[cancel]
    assert datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["taken"]) < timedelta(minutes=1)


@pytest.mark.both_kinds
def test_a_start_that_is_begun_again_takes_back_the_connection_that_it_has_brought_to_active(tmp_path: Path) -> None:
    once = OnceFailed()
    with deploy(tmp_path, hostile=once) as deployment:
        once.deployment = deployment
        status = deployment.settle(on_failure="rollback")
        assert once.deployment is None
        assert status["problem"]["code"] == "remote-refused"
        assert list(deployment.cloud.world.connections()) == []
