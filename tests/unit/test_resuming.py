"""What one call of the resume timer takes on: as much as it has the time for, and no evidence is purged."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus

from clients import pauses
from clients.durable import DurableClient, OrchestrationStatus
from clients.registry import resuming
from clients.registry.rows import OrderRow
from peering.sweep import Sweep

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeEngine:
    """Durable's client: what fails, whose status never comes, and how long the others' takes."""

    failing: frozenset[str] = frozenset()
    hanging: frozenset[str] = frozenset()
    seconds: float = 0.0
    instances: list[OrchestrationStatus[object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    purged: list[str] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def get_status(self, instance_id: str) -> OrchestrationStatus[object]:
        self.asked.append(instance_id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(3600 if instance_id in self.hanging else self.seconds)
        finally:
            self.under_way -= 1
        if instance_id in self.failing:
            raise ConnectionError(instance_id)
        return status("")

    async def get_status_by(
        self, _: object, __: datetime, states: tuple[OrchestrationRuntimeStatus, ...]
    ) -> list[OrchestrationStatus[object]]:
        left = [one for one in self.instances if one.instance_id not in self.purged]
        return [one for one in left if one.runtime_status in states][:3]

    async def purge_instance_history(self, instance_id: str) -> None:
        if instance_id in self.failing:
            raise ConnectionError(instance_id)
        self.purged.append(instance_id)

    async def terminate(self, instance_id: str, reason: str) -> None:
        assert reason
        if instance_id in self.failing:
            raise ConnectionError(instance_id)
        self.terminated.append(instance_id)


def status(
    instance_id: str, state: str | None = None, ended: timedelta = timedelta(hours=2)
) -> OrchestrationStatus[object]:
    """How an instance stands that ended so long ago; without a state, that there is none."""
    runtime_status = getattr(OrchestrationRuntimeStatus, state) if state else None
    found = SimpleNamespace(
        instance_id=instance_id or None, runtime_status=runtime_status, last_updated_time=NOW - ended
    )
    return cast("OrchestrationStatus[object]", found)


def order(peering_id: str, overdue: timedelta = timedelta(minutes=1)) -> OrderRow:
    """An open order without a running execution."""
    at = (NOW - overdue).isoformat()
    return OrderRow(id=peering_id, run="r", execution="x", alive_until=at, not_before=at, at=at)


def with_orders(
    monkeypatch: pytest.MonkeyPatch, orders: list[OrderRow], since: dict[str, OrderRow | None] | None = None
) -> list[str]:
    """Let these orders be open, and what has changed since they were listed; returns those that will be resumed."""
    resumed = list[str]()
    now = {one["id"]: one for one in orders} | (since or {})

    async def listed() -> list[OrderRow]:
        return orders

    async def read(peering_id: str) -> OrderRow | None:
        return now[peering_id]

    async def resume(_: DurableClient, found: OrderRow, __: OrchestrationStatus[object]) -> bool:
        resumed.append(found["id"])
        return True

    monkeypatch.setattr(resuming, "registry", lambda: SimpleNamespace(orders=listed, order=read, now=NOW))
    monkeypatch.setattr(resuming, "settings", lambda: SimpleNamespace(platform_deadline_hours=48))
    monkeypatch.setattr(resuming, "_resume", resume)
    return resumed


def resume(engine: FakeEngine) -> int:
    """What the timer does."""
    return asyncio.run(resuming.resume_overdue(cast("DurableClient", engine)))


def test_some_orders_are_resumed_at_a_time_and_those_that_fail_keep_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resuming, "_LONGEST_RESUMPTION", 0.5)
    resumed = with_orders(monkeypatch, [order(str(number)) for number in range(200)])
    engine = FakeEngine(failing=frozenset({"3", "90"}), hanging=frozenset({"4", "80"}), seconds=0.01)
    assert resume(engine) == 196
    assert set(resumed) == {str(number) for number in range(200)} - {"3", "90", "4", "80"}
    assert 1 < engine.most <= 16


def test_what_the_time_does_not_suffice_for_is_the_least_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_RESUMED_WITHIN", 0.2)
    resumed = with_orders(monkeypatch, [order(str(number), timedelta(minutes=number)) for number in range(500)])
    begun = time.monotonic()
    count = resume(FakeEngine(seconds=0.1))
    assert time.monotonic() - begun < 2
    assert 16 <= count < 200
    assert sorted(resumed, key=int) == [str(number) for number in range(500 - count, 500)]


def test_an_order_that_may_wait_costs_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with_orders(monkeypatch, [order("waits", -timedelta(minutes=1)), order("due")])
    engine = FakeEngine()
    assert resume(engine) == 1
    assert engine.asked == ["due"]


def test_an_order_that_is_open_for_longer_than_its_waits_may_take_is_logged_by_every_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old = OrderRow(**{**order("old"), "at": (NOW - timedelta(hours=51)).isoformat()})
    orders = [old, OrderRow(**{**order("new"), "at": (NOW - timedelta(hours=49)).isoformat()})]
    for _ in range(2):
        with_orders(monkeypatch, orders)
        assert resume(FakeEngine()) == 2
    told = [record.getMessage() for record in caplog.records if "event=order-lasting" in record.getMessage()]
    assert told == [f"event=order-lasting peering=old run=r since={old['at']}"] * 2


def test_whoever_has_worked_on_an_order_since_it_was_listed_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("taken", "alive", "ended", "left")
    alive = OrderRow(**{**order("alive"), "alive_until": NOW.isoformat()})
    since = {"taken": OrderRow(**{**order("taken"), "execution": "y"}), "alive": alive, "ended": None}
    resumed = with_orders(monkeypatch, [order(name) for name in names], since)
    assert (resume(FakeEngine()), resumed) == (1, ["left"])


@pytest.mark.parametrize(("paused", "begun"), [(False, [True]), (True, [False])])
def test_a_check_of_all_that_failed_is_begun_again_and_repairs_nothing_during_a_pause(
    monkeypatch: pytest.MonkeyPatch, paused: bool, begun: list[bool]
) -> None:
    given = list[Sweep]()

    async def pause() -> object:
        return {"why": "x"} if paused else None

    async def start(_: object, __: object, ___: str, sweep: Sweep) -> bool:
        given.append(sweep)
        return True

    class OneSweep(FakeEngine):
        async def get_status(self, instance_id: str) -> OrchestrationStatus[object]:
            return status(instance_id, "Failed")

    monkeypatch.setattr(pauses, "of_all", pause)
    monkeypatch.setattr(resuming, "start_unless_running", start)
    monkeypatch.setattr(resuming, "settings", lambda: SimpleNamespace(deadlines={}))
    assert asyncio.run(resuming.sweep_again(cast("DurableClient", OneSweep())))
    assert [sweep["repairs"] for sweep in given] == begun


def test_what_broke_off_is_kept_while_its_order_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with_orders(monkeypatch, [order("open")])
    engine = FakeEngine(
        instances=[
            *(status(name, "Failed") for name in ("open", "closed")),
            *(status(name, "Terminated") for name in ("open:1:active", "closed:1:active", "events:open")),
            *(status(name, "Completed") for name in ("open:2:active", "done")),
            *(status(name, "Running") for name in ("at work",)),
            *(status(name, "Completed", timedelta(minutes=59)) for name in ("done just now",)),
        ]
    )
    assert asyncio.run(resuming.purge_ended(cast("DurableClient", engine))) == 5
    assert set(engine.purged) == {"closed", "closed:1:active", "events:open", "open:2:active", "done"}


def test_an_instance_that_cannot_be_purged_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_orders(monkeypatch, [])
    names = ("one", "busy", "other")
    engine = FakeEngine(frozenset({"busy"}), instances=[status(name, "Completed") for name in names])
    assert asyncio.run(resuming.purge_ended(cast("DurableClient", engine))) == 2
    assert engine.purged == ["one", "other"]
    assert "event=purge-failed instance=busy error=busy" in caplog.text


def test_an_unbegun_instance_that_cannot_be_ended_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_orders(monkeypatch, [])
    names = ("one", "stuck", "other")
    engine = FakeEngine(frozenset({"stuck"}), instances=[status(name, "Pending") for name in names])
    assert asyncio.run(resuming.end_unbegun(cast("DurableClient", engine))) == 2
    assert engine.terminated == ["one", "other"]
    assert "event=end-failed instance=stuck error=stuck" in caplog.text
