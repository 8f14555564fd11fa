"""What waiting looks like: why, since when, how often; how small the history stays; and where it ends."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import Scenario
from local.deployment import Deployment, Status, deploy
from tests.workflows.managed_identity import as_identity
from tests.workflows.waiting import NEVER

pytestmark = pytest.mark.both_kinds


def history_sizes(deployment: Deployment) -> dict[str, int]:
    """How many events every instance has, the waits included."""
    ids = [instance["instanceId"] for instance in deployment.instances()]
    return {one: len(deployment.instance(one, showHistory="true")["historyEvents"]) for one in ids}


def step(status: Status, name: str) -> dict[str, Any]:
    """One step of a status document."""
    return next(found for found in status["steps"] if found["name"] == name)


@pytest.mark.engine_part
def test_with_realistic_delays_it_converges_and_says_why_it_waits(tmp_path: Path) -> None:
    seen: dict[str, set[str]] = {}
    looks = 0
    with deploy(tmp_path, "realistic") as deployment:
        identity = deployment.start()
        status = deployment.status(identity)
        while status["state"] == "running":
            for found in status["steps"]:
                if found["state"] == "waiting":
                    seen.setdefault(found["name"], set()).add(found["problem"]["code"])
                    assert found["waiting_since"] <= found.get("next_look", found["waiting_since"])
                    looks += "next_look" in found
            status = deployment.status(identity)
    assert status["state"] == "connected", status.get("problem")
    assert "problem" not in status
    assert all("problem" not in found for found in status["steps"])
    assert seen["pending_peer"] == {"connection-not-built"}
    assert looks
    assert seen["active"] == {"connection-not-active"}


@pytest.mark.any_kind
def test_with_realistic_delays_a_federated_sign_in_that_came_too_early_is_waited_out(tmp_path: Path) -> None:
    with deploy(tmp_path, "realistic", settings=as_identity(tmp_path)) as deployment:
        status = deployment.settle(credential="federated")
        assert status["state"] == "connected", status.get("problem")


def test_a_remote_that_refuses_for_hours_leaves_the_order_to_one_execution(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {"host": "management.azure.com", "path": "virtualNetworks", "status": 429, "times": 100000}
    with deploy(tmp_path) as deployment:
        deployment.knobs(faults=[{**refused, "code": "TooManyRequests", "retry_after": 39}])
        status = deployment.settle()
    # It did not count as abandoned, and was not started again.
    assert (status["state"], status["problem"]["code"]) == ("failed", "remote-throttled")
    assert "event=order-resumed" not in caplog.text


def test_an_application_that_aiven_does_not_know_yet_is_waited_for(tmp_path: Path) -> None:
    scenario = Scenario(directory_visible=60, unknown_application_refused=True)
    with deploy(tmp_path, scenario) as deployment:
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")


def test_a_day_in_approved_stays_small_and_ends_with_a_problem_that_a_new_request_resumes(tmp_path: Path) -> None:
    with deploy(tmp_path, "stuck_approved") as deployment:
        status = deployment.settle()
        assert (status["state"], status["problem"]["code"]) == ("failed", "connection-not-built")
        waited = step(status, "pending_peer")
        begun, ended = (datetime.fromisoformat(waited[name]) for name in ("started", "finished"))
        assert 24 * 3600 <= (ended - begun).total_seconds() < 25 * 3600
        assert "gave up after 86400 s" in status["problem"]["detail"]
        sizes = history_sizes(deployment)
        assert len(sizes) >= 2
        assert max(sizes.values()) < 100, sizes
        assert waited["tries"] < 200
        deployment.knobs(approved=0)
        assert deployment.settle()["state"] == "connected"


def test_the_deadline_is_a_setting(tmp_path: Path) -> None:
    with deploy(tmp_path, "stuck_approved", settings={"PLATFORM_DEADLINE_HOURS": "0.5"}) as deployment:
        status = deployment.settle()
    assert "gave up after 1800 s" in status["problem"]["detail"]


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ("invalid_specification", "connection-invalid-specification"),
        ("rejected_by_peer", "connection-rejected-by-peer"),
        ("error", "connection-error"),
        ("deleted_by_peer", "connection-deleted-by-peer"),
        ("overlapping", "address-spaces-overlap"),
    ],
)
def test_a_failed_state_ends_with_its_problem_and_a_new_request_goes_on(
    tmp_path: Path, scenario: str, code: str
) -> None:
    with deploy(tmp_path, scenario) as deployment:
        status = deployment.settle()
        assert (status["state"], status["problem"]["code"]) == ("failed", code)
        assert status["problem"]["remedy"]
        if scenario == "overlapping":
            vnet = status["peering"]["vnet_id"]
            deployment.event(kind="change-address-space", vnet_id=vnet, prefixes=["10.99.0.0/24"])
        deployment.knobs(outcome="")
        again = deployment.settle()
        assert again["state"] == "connected", json.dumps(again.get("problem"))


def test_what_aiven_named_once_is_kept_when_it_is_gone(deployment: Deployment) -> None:
    deployment.knobs(null_state_info=True)
    first = deployment.settle()
    second = deployment.settle()
    assert second["state"] == "connected"
    assert second["facts"]["to_network_id"] == first["facts"]["to_network_id"]


def test_throttling_is_waited_out(deployment: Deployment) -> None:
    fault = {"host": "api.aiven.io", "status": 429, "code": "too_many_requests", "times": 3}
    deployment.knobs(faults=[fault, {**fault, "host": "management.azure.com", "retry_after": 30, "times": 4}])
    assert deployment.settle()["state"] == "connected"


def test_an_answer_that_is_lost_makes_nothing_twice(deployment: Deployment) -> None:
    lost = [
        *(("PATCH", "applications"), ("PATCH", "servicePrincipals"), ("POST", "servicePrincipals")),
        *(("POST", "addPassword"), ("PUT", "secrets"), ("PUT", "roleDefinitions"), ("PUT", "roleAssignments")),
        *(("POST", "peering-connections"), ("PUT", "virtualNetworkPeerings")),
    ]
    deployment.knobs(faults=[{"method": method, "path": path, "after": True} for method, path in lost])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    held = httpx.get(f"{deployment.cloud.admin_url}/state", trust_env=False).json()
    (application,) = [a for a in held["applications"] if a["uniqueName"]]
    assert len(application["passwordCredentials"]) == 1
    assert len(held["peeringConnections"]) == 1
    assert len(held["virtualNetworkPeerings"]) == 2


@pytest.mark.any_kind
@pytest.mark.parametrize(("on_failure", "state"), [("keep", "failed"), ("rollback", "rolled-back")])
def test_a_step_that_failed_ends_the_run_whatever_others_wait_for(
    deployment: Deployment, on_failure: str, state: str
) -> None:
    vault = {"host": r".*\.vault\.azure\.net", "method": "PUT"}
    # Refused once Aiven has been asked, so that the run waits for the customer's side meanwhile.
    faults = [
        {**vault, "status": 503, "code": "ServiceUnavailable", "times": 4},
        {**vault, "status": 403, "code": "ForbiddenByRbac", "times": NEVER},
    ]
    deployment.knobs(approved=20 * 3600, faults=faults)
    begun = deployment.clock.now()
    status = deployment.settle(on_failure=on_failure)
    assert status["state"] == state
    assert deployment.clock.now() - begun < timedelta(minutes=10)
    if state == "failed":
        assert status["problem"]["code"] == "vault-access-denied"
        assert [step["name"] for step in status["steps"] if step["state"] == "failed"] == ["application_credential"]
