"""Orders that meet, orders that are never taken: every 202 ends in the result that docs/orders.md promises."""

import logging
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest

from clients.registry.rows import PEERINGS, order_key
from local.cloud import Scenario
from local.deployment import Deployment, deploy
from local.host import Hostility, Kind
from peering.calls import RUN_ORDER
from peering.orders import ANSWERS, MOST_EXECUTIONS, Request
from peering.runs import SIGN_OF_LIFE, SWEEP
from peering.steps import Operation
from tests.workflows.markdown_tables import Row, table
from tests.workflows.recorded_runs import runs
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.waiting import soon, while_waiting

REQUESTS: Final[tuple[Request, ...]] = (
    *("start", "start with other options", "check", "repair", "rotate", "remove", "cancel"),
)
TABLE: Final = table("orders.md", "Under way", *(f"`{request}`" for request in REQUESTS))


class LostStarts(Hostility):
    """A platform that loses the starts of orders, and does nothing else, while it is told to."""

    def __init__(self) -> None:
        super().__init__(0, rates={})
        self.losing = False
        self.lost: list[str] = []

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:
        if not self.losing or (kind, function) != (Kind.LOST_START, RUN_ORDER):
            return False
        self.lost.append(instance)
        return True


@dataclass
class Meeting:
    """Peerings whose orders are not taken while the time stands still."""

    deployment: Deployment
    losses: LostStarts
    identities: dict[str, str]

    def hold(self) -> None:
        """Let no order be taken from now on, not even by the executions that have carried out the last ones."""
        for identity in self.identities:
            self.deployment.until_ended(identity)
        self.deployment.virtual_clock.held = self.losses.losing = True

    def release(self) -> None:
        """Let the orders be carried out, and wait for their ends."""
        self.losses.losing = self.deployment.virtual_clock.held = False
        for identity in self.identities:
            self.deployment.until(identity)

    def ask(self, request: Request, identity: str) -> httpx.Response:
        """Ask for something over HTTP."""
        api = self.deployment.api
        if request.startswith("start"):
            options = {"allow_gateway_transit": True} if request != "start" else {}
            return api.post("/api/peerings", json=self.deployment.request(vnet_id=self.identities[identity], **options))
        if request == "remove":
            return api.delete(f"/api/peerings/{identity}")
        return api.post(f"/api/peerings/{identity}/{request}")

    def damage(self, identity: str) -> None:
        """Delete the VNet peering behind the app's back."""
        facts = self.deployment.record(identity)["facts"]
        self.deployment.event(
            kind="delete-vnet-peering", vnet_id=self.identities[identity], remote_id=facts["to_network_id"]
        )

    def run_under_way(self, identity: str) -> str:
        """The run of the order that is open."""
        return str(self.deployment.record(identity)["order"]["run"])

    def runs(self, identity: str) -> dict[str, dict[str, Any]]:
        """All runs of a peering, by their names."""
        return runs(self.deployment, identity)


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Meeting]:
    """A connected peering for each request of the table."""
    losses = LostStarts()
    with deploy(tmp_path, Scenario.model_validate({"vnets": 9}), hostile=losses) as deployment:
        chosen = deployment.cloud.vnet_ids[: len(REQUESTS)]
        with ThreadPoolExecutor(len(chosen)) as pool:
            settled = list(pool.map(lambda vnet: deployment.settle(vnet_id=vnet), chosen))
        assert [status["state"] for status in settled] == ["connected"] * len(chosen)
        yield Meeting(deployment, losses, {one["id"]: vnet for one, vnet in zip(settled, chosen, strict=True)})
        deployment.virtual_clock.held = False


def begin(meeting: Meeting, operation: Operation) -> None:
    """Bring every peering into the state that an order for the operation is open."""
    if operation == "repair":
        for identity in meeting.identities:
            meeting.damage(identity)
        meeting.hold()
        sweep(meeting.deployment)
        until_swept(meeting.deployment)
        return
    meeting.hold()
    asked: list[Request] = ["start" if operation == "establish" else cast("Request", operation)]
    for request in ["rotate", *asked] if operation == "cancel" else asked:
        for identity in meeting.identities:
            answer = meeting.ask(request, identity)
            assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("row", TABLE, ids=[row["Under way"].strip("`") for row in TABLE])
def test_what_becomes_of_a_request_that_meets_an_order(meeting: Meeting, row: Row) -> None:
    operation = cast("Operation", row["Under way"].strip("`"))
    begin(meeting, operation)
    asked: dict[Request, tuple[str, str, str]] = {}
    for request, identity in zip(REQUESTS, meeting.identities, strict=True):
        before, answer = meeting.run_under_way(identity), row[f"`{request}`"]
        if request == "repair":
            if operation != "repair":
                meeting.damage(identity)
            sweep(meeting.deployment)
            until_swept(meeting.deployment)
            assert (answer, meeting.run_under_way(identity)) == ("put off", before)
            asked[request] = (identity, before, before)
            continue
        given = meeting.ask(request, identity)
        found = (given.status_code, given.json().get("joined"))
        assert found == {"join": (202, True), "409": (409, None), "supersede": (202, False)}[answer]
        assert answer != "supersede" or given.json()["superseded"] == before
        asked[request] = (identity, before, given.json().get("run", before))
    meeting.release()
    for request, (identity, before, after) in asked.items():
        ended = meeting.runs(identity)
        if before != after:
            assert (ended[before]["outcome"], ended[before]["superseded_by"]) == ("superseded", after), request
        assert ended[after]["outcome"] == "done", (request, ended[after])
        assert ("joined" in ended[after]) == (row[f"`{request}`"] == "join")
        last = operation if before == after else request
        assert (meeting.deployment.status(identity)["state"] == "removed") == (last == "remove"), request


def test_the_table_is_the_code() -> None:
    written = {row["Under way"].strip("`"): {name: row[f"`{name}`"] for name in REQUESTS} for row in TABLE}
    assert written == ANSWERS


@pytest.mark.both_kinds
def test_a_cancel_leaves_what_is_there_and_records_it(deployment: Deployment) -> None:
    deployment.knobs(approved=3600, latency=0.05)
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    made = deployment.cloud_state()["applications"]
    answer = deployment.api.post(f"/api/peerings/{identity}/cancel")
    deployment.knobs(approved=0, latency=0)
    assert answer.status_code == 202
    status = deployment.until(identity)
    assert (status["state"], deployment.cloud_state()["applications"]) == ("stopped", made)
    assert "application_object_id" in deployment.record(identity)["facts"]
    ended = runs(deployment, identity)
    assert ended[answer.json()["run"]]["state"] == "stopped"
    assert ended[answer.json()["superseded"]]["steps"]["application"]["state"] == "done"
    assert deployment.settle()["state"] == "connected"
    assert len([request for request in deployment.cloud.requests if "addPassword" in request.path]) == 1


def of_orders(caplog: pytest.LogCaptureFixture, event: str) -> dict[str, list[str]]:
    """The logged records of an event: for each run what they say after its name."""
    found = dict[str, list[str]]()
    for record in caplog.records:
        if match := re.fullmatch(rf"event={event} peering=\S+ run=(\S+) ?(.*)", record.getMessage()):
            found.setdefault(match[1], []).append(match[2])
    return found


def test_a_superseded_order_ends_in_the_log_as_superseded(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aiven_azure_peering.run")
    deployment.knobs(approved=3600)
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    asked = deployment.api.post(f"/api/peerings/{identity}/cancel").json()
    deployment.until(identity)
    deployment.until_ended(identity)
    ended = of_orders(caplog, "order-ended")
    assert ended[asked["superseded"]] == ["operation=establish state=superseded"]
    assert ended[asked["run"]] == ["operation=cancel state=stopped"]
    assert ended.keys() == of_orders(caplog, "order-taken").keys()


@pytest.mark.both_kinds
def test_a_removal_during_a_wait_of_hours_begins_within_half_a_minute(deployment: Deployment) -> None:
    deployment.knobs(approved=20 * 3600)
    begun, identity = deployment.clock.now(), deployment.start()
    while deployment.clock.now() - begun < timedelta(hours=4):
        time.sleep(0.001)
    deployment.virtual_clock.held = True
    soon(deployment, lambda: pauses(deployment, identity) > timedelta(minutes=10))
    asked = deployment.clock.now()
    answer = deployment.api.delete(f"/api/peerings/{identity}")
    soon(deployment, lambda: "taken" in deployment.record(identity)["order"])
    deployment.virtual_clock.held = False
    assert deployment.until(identity)["state"] == "removed"
    removal = runs(deployment, identity)[answer.json()["run"]]
    first = min(step["started"] for step in removal["steps"].values())
    assert timedelta() <= datetime.fromisoformat(first) - asked < timedelta(seconds=30)


def pauses(deployment: Deployment, identity: str) -> timedelta:
    """For how long from now on a run does not look again at what it waits for."""
    looks = [step["next_look"] for step in deployment.status(identity)["steps"] if "next_look" in step]
    return max(map(datetime.fromisoformat, looks), default=deployment.clock.now()) - deployment.clock.now()


def test_an_execution_has_waits_of_its_own(deployment: Deployment) -> None:
    deployment.knobs(approved=3600)
    identity = deployment.start()
    deployment.virtual_clock.held = True
    while_waiting(deployment, identity, "pending_peer")
    execution = deployment.record(identity)["order"]["execution"]
    assert deployment.instance(f"{identity}:{execution}:pending_peer")["runtimeStatus"] == "Running"
    deployment.virtual_clock.held = False
    assert deployment.until(identity)["state"] == "connected"


@pytest.mark.both_kinds
def test_a_rollback_that_is_broken_off_goes_on_back(deployment: Deployment) -> None:
    held, before = {"host": "api.aiven.io", "method": "DELETE", "status": 503, "times": 999}, deployment.cloud_state()
    deployment.knobs(outcome="ERROR", faults=[held])
    identity = deployment.start(on_failure="rollback")
    deployment.virtual_clock.held = True
    soon(deployment, lambda: ("aiven", "DELETE") in {(one.service, one.method) for one in deployment.cloud.requests})
    deployment.terminate(identity)
    deployment.knobs(outcome="", faults=[])
    deployment.virtual_clock.held = False
    status = deployment.until(identity)
    assert (status["state"], status["problem"]["code"]) == ("rolled-back", "connection-error")
    assert deployment.cloud_state() == before


def test_an_order_without_its_own_row_gets_one_at_the_next_request(tmp_path: Path) -> None:
    losses = LostStarts()
    with deploy(tmp_path, hostile=losses) as deployment:
        losses.losing = deployment.virtual_clock.held = True
        identity = deployment.start()
        (account,) = deployment.cloud.world.storage_accounts.values()
        account.table("peerings").remove((PEERINGS, order_key(identity)))
        assert deployment.api.post("/api/peerings", json=deployment.request()).json()["joined"]
        losses.losing = deployment.virtual_clock.held = False
        assert deployment.until(identity)["state"] == "connected"


@pytest.mark.both_kinds
def test_a_start_that_the_platform_loses_is_resumed_within_minutes(tmp_path: Path) -> None:
    losses = LostStarts()
    with deploy(tmp_path, hostile=losses) as deployment:
        losses.losing = deployment.virtual_clock.held = True
        asked = deployment.clock.now()
        identity = deployment.start()
        assert deployment.status(identity)["phase"] == "accepted"
        losses.losing = deployment.virtual_clock.held = False
        assert deployment.until(identity)["state"] == "connected"
        (run,) = runs(deployment, identity).values()
        assert (datetime.fromisoformat(run["taken"]) - asked).total_seconds() < 8 * 60


def test_what_is_lost_five_times_ends_interrupted_and_a_new_start_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aiven_azure_peering")
    losses = LostStarts()
    with deploy(tmp_path, hostile=losses) as deployment:
        losses.losing = True
        asked = deployment.clock.now()
        identity = deployment.start()
        status = deployment.until(identity)
        assert (status["state"], status["problem"]["code"]) == ("failed", "interrupted")
        assert str(MOST_EXECUTIONS) in status["problem"]["detail"]
        (run,) = runs(deployment, identity).values()
        assert run["outcome"] == "problem"
        assert (datetime.fromisoformat(run["ended"]) - asked).total_seconds() < 3 * 3600
        assert losses.lost == [identity] * MOST_EXECUTIONS
        assert of_orders(caplog, "order-interrupted") == {run["run"]: [""]}
        assert of_orders(caplog, "order-ended") == {run["run"]: ["operation=establish state=failed"]}
        losses.losing = False
        assert deployment.settle()["state"] == "connected"
        assert [one["outcome"] for one in runs(deployment, identity).values()] == ["done", "problem"]


def table_requests(deployment: Deployment, path: str) -> int:
    """How many requests to the Table service an answer costs."""
    deployment.clear_requests()
    deployment.api.get(path).raise_for_status()
    return len([request for request in deployment.cloud.requests if request.service == "table"])


def test_a_scheduled_check_that_never_began_keeps_no_later_one_from_beginning(tmp_path: Path) -> None:
    pending = Hostility(0, rates={Kind.PENDING_START: 1.0})
    with deploy(tmp_path, hostile=pending) as deployment:
        sweep(deployment)
        pending.make_peace()
        sweep(deployment)
        assert deployment.instance(SWEEP)["runtimeStatus"] == "Pending"
        deployment.virtual_clock.advance_to(deployment.clock.now() + 2 * SIGN_OF_LIFE)
        deployment.fire("resume_orders")
        deployment.until_ended(SWEEP)
        sweep(deployment)
        assert until_swept(deployment)["checked"] == 0


def test_a_look_at_a_peering_and_a_page_cost_one_read_each(shared: Deployment) -> None:
    first, *_ = ids = [shared.settle(vnet_id=vnet)["id"] for vnet in shared.cloud.vnet_ids[:3]]
    for identity in ids:
        # The execution that has settled it looks for another order.
        shared.until_ended(identity)
    # When the last check of all was is asked for once in ten seconds.
    shared.status(first)
    assert table_requests(shared, f"/api/peerings/{first}") == 1
    assert table_requests(shared, "/api/peerings?limit=2") == 1
    assert table_requests(shared, "/api/peerings?state=connected") == 1
    assert table_requests(shared, "/api/peerings?state=failed&count=true") == 0
