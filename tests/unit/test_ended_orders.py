"""Which orders the log says have ended: those whose outcome is in the registry, and no others."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from activities import orders
from peering.progress import RunState
from peering.record import Record
from peering.registry import Ending
from peering.spec import Fence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS = Fence(id="p", run="ours", execution="x", alive_until="")


def ended(monkeypatch: pytest.MonkeyPatch, record: object, *, drop: bool = False) -> bool:
    """What the activity answers whose run has failed, or has removed everything, over this record."""

    async def change(_: str, changing: Callable[[object, datetime], tuple[object, object]]) -> object:
        return changing(record, NOW)[1]

    async def held(_: str) -> object:
        return record

    monkeypatch.setattr(orders, "registry", lambda: SimpleNamespace(change=change, record=held))
    state: RunState = "removed" if drop else "failed"
    ending = Ending(fence=OURS, state=state, facts={}, steps={}, at=NOW.isoformat(), drop=drop, operation="establish")
    return asyncio.run(orders.conclude_order(ending))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged."""
    caplog.set_level(logging.INFO, orders.log.name)
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_run_that_fails_once_another_order_is_open_has_not_ended_the_order(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    later: Record = {"order": {"run": "later", "execution": "y"}}  # type: ignore[typeddict-item]
    assert not ended(monkeypatch, later)
    assert told() == []


def test_a_removal_that_is_recorded_twice_is_logged_even_if_the_first_call_did_not_get_to_it(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    assert not ended(monkeypatch, None, drop=True)
    assert told() == ["event=order-ended peering=p run=ours operation=establish state=removed"]
