"""Timer triggers on a virtual clock: it is moved to them only while one is awaited."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from local.clock import VirtualClock
from tests.host.features import serve


def _soon(reached: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.01)
    return reached()


def test_the_clock_moves_to_an_awaited_trigger_and_no_longer_than_it_is_awaited(tmp_path: Path) -> None:
    clock, waits = VirtualClock(), False
    with serve(tmp_path, clock=clock, timer_triggers_awaited=lambda: waits) as features:
        began = clock.now()
        time.sleep(0.2)
        assert clock.now() - began < timedelta(seconds=30)
        waits = True
        assert _soon(lambda: features.calls().get("tick", 0) >= 3)
        waits = False
        time.sleep(0.1)
        rested, ticks = clock.now(), features.calls()["tick"]
        assert timedelta(minutes=5) * (ticks - 1) <= rested - began <= timedelta(minutes=5) * (ticks + 1)
        time.sleep(0.2)
        assert clock.now() - rested < timedelta(seconds=30)


def test_an_awaited_trigger_fires_before_a_later_durable_timer(tmp_path: Path) -> None:
    clock = VirtualClock()
    with serve(tmp_path, clock=clock, timer_triggers_awaited=lambda: True) as features:
        features.end(features.start("waits_an_hour"))
        assert features.calls()["tick"] >= 11


def test_a_trigger_fires_once_when_time_is_skipped_over_several_occurrences(tmp_path: Path) -> None:
    clock = VirtualClock()
    with serve(tmp_path, clock=clock) as features:
        features.end(features.start("waits_an_hour"))
        assert _soon(lambda: features.calls().get("tick", 0) > 0)
        assert features.calls()["tick"] == 1


def test_a_trigger_that_is_not_awaited_does_not_move_the_clock(tmp_path: Path) -> None:
    clock = VirtualClock()
    with serve(tmp_path, clock=clock, timer_triggers_awaited=lambda: False) as features:
        began = clock.now()
        time.sleep(0.3)
        assert clock.now() - began < timedelta(seconds=30)
        features.end(features.start("waits_an_hour"))
        assert clock.now() - began < timedelta(minutes=61)
