"""The registry's clock is the Table service's, also when a clock is put right."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

from clients.registry.table import ServiceClock

FAR = timedelta(hours=1)
#: The header has whole seconds.
NEAR = timedelta(seconds=1.5)


def hear(clock: ServiceClock, ahead: timedelta) -> None:
    """An answer of a service whose clock is so far ahead of this machine's."""
    headers = {"Date": format_datetime(datetime.now(UTC) + ahead, usegmt=True)}
    clock.hear(SimpleNamespace(http_response=SimpleNamespace(headers=headers)))  # type: ignore[arg-type]


def ahead(clock: ServiceClock) -> timedelta:
    """How far the registry's clock is ahead of this machine's."""
    return clock.now - datetime.now(UTC)


def test_the_time_is_the_services() -> None:
    found = ServiceClock()
    assert abs(ahead(found)) < NEAR
    hear(found, FAR)
    assert abs(ahead(found) - FAR) < NEAR


def test_a_late_answer_does_not_turn_the_clock_back() -> None:
    found = ServiceClock()
    hear(found, FAR)
    hear(found, FAR - timedelta(seconds=20))
    assert abs(ahead(found) - FAR) < NEAR


def test_a_clock_that_was_put_right_is_believed() -> None:
    found = ServiceClock()
    for truth in (FAR, timedelta(), -FAR, FAR):
        hear(found, truth)
        assert abs(ahead(found) - truth) < NEAR
