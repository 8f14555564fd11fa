"""Runs that come too late, go on after their end or come twice: they do nothing."""

import time
from typing import Any

import httpx
import pytest

from local.deployment import Deployment, Status
from peering.runs import wait_instance_id
from tests.workflows.test_foreign_objects import deletions, the_connection, while_waiting
from tests.workflows.test_health import instance
from tests.workflows.test_interrupted_credentials import record, terminate


def until_ended(deployment: Deployment, name: str) -> dict[str, Any]:
    """Wait until an orchestration has ended."""
    deadline = time.monotonic() + 30
    while (found := instance(deployment, name)).get("runtimeStatus") in ("Running", "Pending"):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_a_wait_of_a_terminated_removal_deletes_nothing_of_the_next_start(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(deleted=600, latency=0.05)
    deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
    removal = while_waiting(deployment, identity, "remove_connection")
    terminate(deployment, identity)
    deployment.clear_requests()
    deployment.knobs(latency=0)
    status = deployment.settle()
    orphan = until_ended(deployment, wait_instance_id(identity, removal["runs"][-1]["run"], "remove_connection"))
    assert orphan["runtimeStatus"] == "Completed"
    assert status["state"] == "connected", status.get("problem")
    assert [r["path"] for r in deletions(deployment) if "peering-connections" in r["path"]] == []
    assert the_connection(deployment).state == "ACTIVE"


def test_a_wait_of_a_terminated_start_makes_nothing_after_a_removal(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(approved=3600, latency=0.05)
    identity = deployment.start()
    start = while_waiting(deployment, identity, "pending_peer")
    terminate(deployment, identity)
    deployment.knobs(approved=0, latency=0)
    assert deployment.remove(identity)["state"] == "removed"
    orphan = until_ended(deployment, wait_instance_id(identity, start["runs"][-1]["run"], "pending_peer"))
    assert orphan["runtimeStatus"] == "Completed"
    assert deployment.cloud_state() == before


def begin(deployment: Deployment, operation: str, status: Status, **given: object) -> Status:
    """Start an orchestration as a follow-up of a check does, and wait for its end."""
    body = {
        "peering": status["peering"],
        "deadlines": {"propagation": 900, "platform": 86400},
        "run": "aaaaaaaa",
        "by": {"name": "aiven-azure-peering", "id": None},
        **given,
    }
    url = f"{deployment.host.url}/runtime/webhooks/durabletask/orchestrators/{operation}/{status['id']}"
    answer = httpx.post(url, params={"code": deployment.host.keys.system}, json=body, trust_env=False)
    assert answer.status_code == 202, answer.text
    until_ended(deployment, status["id"])
    return deployment.status(status["id"])


@pytest.mark.parametrize(("operation", "codes"), [("repair", ["vnet-peering-missing"]), ("rotate", ["secret-missing"])])
def test_what_was_to_mend_a_peering_that_was_removed_makes_nothing(
    deployment: Deployment, operation: str, codes: list[str]
) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    assert deployment.remove(status["id"])["state"] == "removed"
    deployment.clear_requests()
    begin(deployment, operation, status, codes=codes)
    assert deployment.writes() == []
    assert deployment.cloud_state() == before
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}


@pytest.mark.parametrize(("operation", "codes"), [("repair", ["vnet-peering-missing"]), ("rotate", ["secret-missing"])])
def test_what_was_to_mend_findings_of_an_older_state_makes_nothing(
    deployment: Deployment, operation: str, codes: list[str]
) -> None:
    status = deployment.settle()
    outdated = record(deployment, status)["revision"] - 1
    before = deployment.cloud_state()
    deployment.clear_requests()
    after = begin(deployment, operation, status, codes=codes, revision=outdated)
    assert deployment.writes() == []
    assert deployment.cloud_state() == before
    assert (after["state"], [run["operation"] for run in after["runs"]]) == ("connected", ["establish"])
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


def test_a_finding_that_was_repaired_in_vain_is_not_repaired_again_because_a_check_could_not_look(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    deployment.event(
        kind="delete-connection", project_vpc_id=status["peering"]["project_vpc_id"], vnet_id=status["facts"]["vnet_id"]
    )
    deployment.knobs(outcome="ERROR")
    for _ in range(3):
        deployment.check(status["id"])
    runs = len(deployment.status(status["id"])["runs"])
    for host in ("management.azure.com", "api.aiven.io"):
        deployment.knobs(faults=[{"host": host, "status": 503, "times": 9999}])
        deployment.check(status["id"])
        deployment.knobs(faults=[])
        again = deployment.check(status["id"])
        assert len(again["runs"]) == runs
    assert again["health"]["verdict"] == "broken"


def test_a_finding_that_comes_back_after_it_was_gone_is_repaired_again(deployment: Deployment) -> None:
    status = deployment.settle()
    for _ in range(2):
        deployment.event(
            kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
        )
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    runs = deployment.status(status["id"])["runs"]
    assert [run["operation"] for run in runs] == ["establish", "repair", "repair"]


def test_a_terminated_rotation_shows_the_peerings_own_state(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.knobs(secret_accepted=3600, latency=0.05)
    deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
    while_waiting(deployment, status["id"], "prove_credential")
    terminate(deployment, status["id"])
    deployment.knobs(secret_accepted=0, latency=0)
    (listed,) = deployment.api.get("/api/peerings").json()["peerings"]
    assert (deployment.status(status["id"])["state"], listed["state"]) == ("connected", "connected")
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
