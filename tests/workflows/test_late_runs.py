"""Runs that come too late, go on after their end or come twice: they do nothing."""

import pytest

from local.deployment import Deployment
from peering.calls import RUN_ORDER
from tests.workflows.cloud_objects import the_connection
from tests.workflows.waiting import while_waiting

pytestmark = pytest.mark.both_kinds


@pytest.mark.engine_part
def test_a_terminated_removal_is_resumed_and_its_old_wait_deletes_nothing_more(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(deleted=600, latency=0.05)
    deployment.api.delete(f"/api/peerings/{identity}").raise_for_status()
    while_waiting(deployment, identity, "remove_connection")
    orphan = deployment.wait_of(identity, "remove_connection")
    deployment.terminate(identity)
    deployment.knobs(latency=0)
    assert deployment.until(identity)["state"] == "removed"
    assert deployment.until_ended(orphan)["runtimeStatus"] == "Completed"
    assert deployment.cloud_state() == before
    assert deployment.settle()["state"] == "connected"
    assert the_connection(deployment).state == "ACTIVE"


def test_a_wait_of_a_terminated_start_makes_nothing_after_a_removal(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(approved=3600, latency=0.05)
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    orphan = deployment.wait_of(identity, "pending_peer")
    deployment.terminate(identity)
    deployment.knobs(approved=0, latency=0)
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.until_ended(orphan)["runtimeStatus"] == "Completed"
    assert deployment.cloud_state() == before


@pytest.mark.any_kind
def test_an_orchestrator_without_an_order_ends_at_once(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.until_ended(status["id"])
    for identity in (status["id"], "11111111-2222-3333-4444-555555555555"):
        deployment.clear_requests()
        deployment.start_instance(RUN_ORDER, identity, {"id": identity})
        assert deployment.until_ended(identity)["output"] == "no open order"
        assert deployment.writes() == []
    assert len(deployment.status(status["id"])["runs"]) == 1


def test_a_finding_after_a_failed_repair_is_not_repaired_again_because_a_check_could_not_read(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    deployment.event(
        kind="delete-connection", project_vpc_id=deployment.cloud.landscape.vpc.id, vnet_id=status["facts"]["vnet_id"]
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


@pytest.mark.any_kind
@pytest.mark.engine_part
def test_a_terminated_rotation_is_resumed(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.knobs(secret_accepted=300, latency=0.05)
    deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
    while_waiting(deployment, status["id"], "prove_credential")
    deployment.terminate(status["id"])
    deployment.knobs(secret_accepted=0, latency=0)
    rotated = deployment.until(status["id"])
    assert (rotated["state"], rotated["runs"][-1]["state"]) == ("connected", "rotated")
    (listed,) = deployment.api.get("/api/peerings").json()["peerings"]
    assert listed["state"] == "connected"
