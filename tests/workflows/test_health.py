"""The scheduled check: one at a time, events for changed verdicts, and never healthy without a look."""

import json
import logging
import time
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from peering.aiven_vpc import AivenVpc
from peering.runs import delivery_instance_id
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import platform
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.webhook_receiver import SECRET, receiving

pytestmark = pytest.mark.both_kinds


@pytest.mark.engine_part
def test_a_sweep_judges_every_peering_with_a_call_for_each_side(deployment: Deployment) -> None:
    identities = [deployment.settle(vnet_id=v)["id"] for v in deployment.cloud.vnet_ids[:3]]
    deployment.clear_requests()
    sweep(deployment)
    assert until_swept(deployment) == {"checked": 3, "changed": 3, "repairs": 0}
    assert [deployment.status(i)["health"]["verdict"] for i in identities] == ["healthy"] * 3
    listed = deployment.api.get("/api/peerings").json()["peerings"]
    assert [peering["verdict"] for peering in listed] == ["healthy"] * 3
    paths = [r.path for r in deployment.cloud.requests if r.service in ("aiven", "arm")]
    assert len([p for p in paths if p.endswith(deployment.cloud.landscape.vpc.id)]) == 1
    assert len([p for p in paths if p.endswith("/virtualNetworkPeerings")]) == 3
    assert deployment.writes() == []


@pytest.mark.any_kind
def test_a_sweep_that_finds_the_last_one_still_running_starts_no_second(deployment: Deployment) -> None:
    deployment.settle()
    deployment.knobs(latency=0.3)
    deployment.clear_requests()
    sweep(deployment)
    sweep(deployment)
    sweep(deployment)
    assert until_swept(deployment)["checked"] == 1
    deployment.knobs(latency=0)
    assert len([r for r in deployment.cloud.requests if r.service == "aiven"]) == 1


def test_what_could_not_be_looked_at_is_unknown(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    deployment.knobs(faults=[{"host": "api.aiven.io", "status": 503, "times": 1}])
    health = deployment.check(identity)["health"]
    assert (health["verdict"], [p["code"] for p in health["problems"]]) == ("unknown", ["remote-unavailable"])
    assert deployment.check(identity)["health"]["verdict"] == "healthy"


@pytest.mark.any_kind
def test_a_change_of_verdict_is_one_event_in_the_log_and_one_that_lasts_is_repeated(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aiven_azure_peering.health")
    identity = deployment.settle(repair="off")["id"]
    deployment.check(identity)
    deployment.event(kind="disable-service-principal", **platform(deployment))
    deployment.check(identity)
    deployment.check(identity)
    events = [r.getMessage() for r in caplog.records if "event=verdict-changed" in r.getMessage()]
    assert [message.rpartition(" at=")[0] for message in events] == [
        f"event=verdict-changed peering={identity} previous=None verdict=healthy codes=",
        f"event=verdict-changed peering={identity} previous=healthy verdict=degraded codes=platform-principal-disabled",
    ]
    lasting = [r.getMessage() for r in caplog.records if "event=verdict-lasting" in r.getMessage()]
    assert [message.rpartition(" since=")[0] for message in lasting] == [
        f"event=verdict-lasting peering={identity} verdict=degraded codes=platform-principal-disabled"
    ]


def test_connections_that_nobody_here_made_are_listed_as_unmanaged(deployment: Deployment) -> None:
    first, second, *_ = deployment.cloud.vnet_ids
    deployment.settle(vnet_id=first)
    application = made_by_hand(deployment.cloud, second)
    sweep(deployment)
    until_swept(deployment)
    (found,) = deployment.api.get("/api/unmanaged").json()["unmanaged"]
    assert (found["vnet"], found["application_id"]) == (second.rpartition("/")[2].lower(), application.app_id)
    assert AivenVpc.of(found).id == deployment.cloud.landscape.vpc.id


@pytest.mark.any_kind
def test_repairs_can_be_switched_off(deployment: Deployment) -> None:
    status = deployment.settle(repair="off")
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    deployment.clear_requests()
    checked = deployment.check(status["id"])
    assert (checked["operation"], checked["health"]["verdict"]) == ("establish", "broken")
    assert deployment.writes() == []


@pytest.mark.engine_part
def test_a_repair_that_does_not_help_is_tried_once(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.event(
        kind="delete-connection", project_vpc_id=deployment.cloud.landscape.vpc.id, vnet_id=status["facts"]["vnet_id"]
    )
    deployment.knobs(outcome="ERROR")
    first = deployment.check(status["id"])
    assert (first["runs"][-1]["operation"], first["runs"][-1]["state"]) == ("repair", "failed")
    runs = len(first["runs"])
    for _ in range(3):
        again = deployment.check(status["id"])
    assert len(again["runs"]) <= runs + 1
    assert again["health"]["verdict"] == "broken"
    # None was completed.
    assert [p for p in again["health"]["problems"] if "repaired" in p] == []


@pytest.mark.any_kind
def test_the_schedule_is_a_setting(tmp_path: Path) -> None:
    with deploy(tmp_path, settings={"HEALTH_CHECK_SCHEDULE": "* * * * * *"}) as deployment:
        identity = deployment.settle()["id"]
        deadline = time.monotonic() + 30 * deployment.patience
        while "health" not in deployment.status(identity):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert deployment.status(identity)["health"]["verdict"] == "healthy"


@pytest.mark.any_kind
def test_the_webhook_gets_each_change_once_signed_and_is_tried_again(tmp_path: Path) -> None:
    with (
        receiving(tmp_path) as (url, receiver),
        deploy(tmp_path, Scenario(), settings={"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET}) as deployment,
    ):
        identity = deployment.settle()["id"]
        deployment.check(identity)
        deadline = time.monotonic() + 30 * deployment.patience
        while not receiver.taken:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (event,) = receiver.taken
        assert event["type"] == "verdict-changed"
        assert (event["change"]["id"], event["change"]["verdict"]) == (identity, "healthy")
        assert receiver.tries == [event["id"]] * 3
        assert SECRET not in json.dumps(deployment.instance(delivery_instance_id(identity)))


@pytest.mark.any_kind
def test_a_webhook_has_to_be_https_and_signed(tmp_path: Path) -> None:
    with deploy(tmp_path, settings={"WEBHOOK_URL": "http://example.com"}) as deployment:
        answer = deployment.api.post("/api/peerings", json=deployment.request())
        assert answer.json()["code"] == "setting-invalid"
        assert "WEBHOOK_URL" in answer.json()["detail"]


def test_what_never_was_costs_later_checks_nothing(deployment: Deployment) -> None:
    nowhere = [f"00000000-0000-4000-8000-{number:012}" for number in range(5)]
    states = {deployment.settle(vpc=vpc)["problem"]["code"] for vpc in nowhere}
    assert states == {"project-vpc-not-found"}
    deployment.settle()
    deployment.clear_requests()
    sweep(deployment)
    until_swept(deployment)
    asked = [request.path for request in deployment.cloud.requests if request.service == "aiven"]
    assert {deployment.cloud.landscape.vpc.id} == {path.rpartition("/")[2] for path in asked}
