"""Events that the webhook did not take stay in the peering's record, and every later check delivers them again."""

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from clients.registry.rows import health_columns
from local.deployment import Deployment, deploy
from peering.record import Change, Record
from peering.runs import delivery_instance_id
from tests.workflows.cloud_objects import platform
from tests.workflows.registry_rows import change_row
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.webhook_receiver import SECRET, Receiver, receiving

NEVER = 10**9


@contextmanager
def told(directory: Path) -> Iterator[tuple[Deployment, type[Receiver]]]:
    """The app with a webhook that has an hour to take an event, and does not take any."""
    with receiving(directory) as (url, receiver):
        receiver.refusals = NEVER
        settings = {"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET, "PLATFORM_DEADLINE_HOURS": "1"}
        with deploy(directory, settings=settings) as deployment:
            yield deployment, receiver


def ended(deployment: Deployment, identity: str) -> None:
    """Wait for the end of a delivery: the check that begins it ends after its outcome is known."""
    deployment.until_ended(identity)
    deadline = time.monotonic() + 30 * deployment.patience
    while not deployment.instance(delivery_instance_id(identity)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    deployment.until_ended(delivery_instance_id(identity))


def kept(deployment: Deployment, identity: str) -> list[str]:
    """The verdicts that are still to be delivered."""
    return [event["verdict"] for event in deployment.record(identity).get("events", [])]


def taken(receiver: type[Receiver]) -> list[str]:
    """The verdicts that were delivered."""
    return [event["change"]["verdict"] for event in receiver.taken]


def test_what_the_webhook_did_not_take_in_time_is_delivered_with_a_later_check(tmp_path: Path) -> None:
    with told(tmp_path) as (deployment, receiver):
        identity = deployment.settle()["id"]
        deployment.check(identity)
        ended(deployment, identity)
        assert (kept(deployment, identity), len(set(receiver.tries))) == (["healthy"], 1)
        receiver.refusals = 0
        deployment.check(identity)
        ended(deployment, identity)
        assert (kept(deployment, identity), taken(receiver)) == ([], ["healthy"])


def test_what_the_webhook_refused_is_delivered_with_a_later_sweep(tmp_path: Path) -> None:
    with told(tmp_path) as (deployment, receiver):
        receiver.refusal = 401
        identity = deployment.settle()["id"]
        deployment.check(identity)
        ended(deployment, identity)
        deployment.event(kind="disable-service-principal", **platform(deployment))
        deployment.check(identity)
        ended(deployment, identity)
        assert kept(deployment, identity) == ["healthy", "degraded"]
        # Each check tries all of them once: what is refused holds no other back.
        assert len(receiver.tries) == 3
        receiver.refusals = 0
        sweep(deployment)
        until_swept(deployment)
        ended(deployment, identity)
        assert (kept(deployment, identity), taken(receiver)) == ([], ["healthy", "degraded"])


def test_events_of_a_peering_that_is_not_checked_any_more_are_delivered_too(tmp_path: Path) -> None:
    with told(tmp_path) as (deployment, receiver):
        receiver.refusal = 401
        status = deployment.settle()
        identity = status["id"]
        deployment.check(identity)
        ended(deployment, identity)
        deployment.event(kind="add-lock", scope=status["facts"]["vnet_id"], level="CanNotDelete", name="keep")
        assert deployment.remove(identity)["state"] == "removal-failed"
        receiver.refusals = 0
        sweep(deployment)
        assert until_swept(deployment)["checked"] == 0
        ended(deployment, identity)
        assert (kept(deployment, identity), taken(receiver)) == ([], ["healthy"])


@pytest.mark.parametrize("failures", [1, NEVER])
def test_a_delivery_that_cannot_be_begun_ends_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    left = [failures]

    async def failing(*given: object) -> bool:
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError
        return cast("bool", await start(*given))

    with told(tmp_path) as (deployment, receiver):
        receiver.refusal = 401
        status = deployment.settle()
        deployment.check(status["id"])
        ended(deployment, status["id"])
        deployment.event(kind="add-lock", scope=status["facts"]["vnet_id"], level="CanNotDelete", name="keep")
        deployment.remove(status["id"])
        receiver.refusals = 0
        deliveries = importlib.import_module("activities.checks.deliveries")
        start = deliveries.start_unless_running
        monkeypatch.setattr(deliveries, "start_unless_running", failing)
        sweep(deployment)
        output = until_swept(deployment)
        if failures == NEVER:
            assert output == {"checked": 0, "changed": 0, "repairs": 0, "failed": {"begin_deliveries": 1}}
            left[0] = 0
            sweep(deployment)
            output = until_swept(deployment)
        assert output == {"checked": 0, "changed": 0, "repairs": 0}
        ended(deployment, status["id"])
        assert (kept(deployment, status["id"]), taken(receiver)) == ([], ["healthy"])
        assert left == [-1]


def test_very_many_events_of_a_peering_are_one_delivery_in_their_order(tmp_path: Path) -> None:
    with told(tmp_path) as (deployment, receiver):
        receiver.refusal = 401
        identity = deployment.settle()["id"]
        deployment.check(identity)
        ended(deployment, identity)
        events = [
            Change(
                id=identity,
                previous=None,
                verdict="unknown",
                codes=["remote-unavailable"],
                at=f"2026-01-01T00:{n:02}:00+00:00",
            )
            for n in range(45)
        ]
        record = cast("Record", deployment.record(identity))
        change_row(deployment, identity, health_columns({**record, "events": [*events, *record["events"]]}))
        receiver.refusals = 0
        sweep(deployment)
        until_swept(deployment)
        ended(deployment, identity)
        assert [event["change"] for event in receiver.taken][:-1] == events
        assert kept(deployment, identity) == []
        assert len([one for one in deployment.instances() if one["name"] == "deliver"]) == 1


def test_what_a_webhook_says_beside_its_status_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drips = threading.Event()

    def answer(self: Receiver) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).tries.append(self.headers["X-Event-Id"])
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"no gzip")
        self.wfile.flush()
        drips.wait(60)

    monkeypatch.setattr(Receiver, "do_POST", answer)
    with told(tmp_path) as (deployment, receiver):
        identity = deployment.settle()["id"]
        begun = time.monotonic()
        deployment.check(identity)
        ended(deployment, identity)
        took = time.monotonic() - begun
        drips.set()
        assert (kept(deployment, identity), len(receiver.tries)) == ([], 1)
        assert took < 20 * deployment.patience
