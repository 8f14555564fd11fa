"""What is done for many things at once: batches, the pauses before what failed is tried again, and what is left."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from orchestrators.durable import OrchestrationContext
from orchestrators.in_batches import PARALLEL, PATIENCE, Again, in_batches
from peering.calls import Activity

START = datetime(2026, 1, 1, tzinfo=UTC)
ACTIVITY = Activity[list[int], object]("activity")


class Engine:
    """Runs the calls of one workflow: what an activity raises, its task failed with."""

    def __init__(self, activity: Callable[[list[int]], object]) -> None:
        self.activity, self.current_utc_datetime = activity, START
        self.calls: list[list[int]] = []
        self.pauses: list[float] = []
        self.most = 0

    def call_activity(self, _: str, given: list[int]) -> SimpleNamespace:
        self.calls.append(given)
        try:
            return SimpleNamespace(result=self.activity(given))
        except ConnectionError as error:
            return SimpleNamespace(result=error)

    def task_any(self, tasks: Sequence[SimpleNamespace]) -> SimpleNamespace:
        self.most = max(self.most, len(tasks))
        return SimpleNamespace(first=tasks[-1])

    def create_timer(self, fire_at: datetime) -> SimpleNamespace:
        self.pauses.append((fire_at - self.current_utc_datetime).total_seconds())
        self.current_utc_datetime = fire_at
        return SimpleNamespace(first=None)

    def run(self, things: int, size: int) -> list[int]:
        """What is left of so many things."""
        context = cast("OrchestrationContext", self)
        running = in_batches(context, ACTIVITY, range(things), size, _numbers, _as_it_says)
        try:
            task = next(running)
            while True:
                task = running.send(cast("SimpleNamespace", task).first)
        except StopIteration as end:
            return cast("list[int]", end.value)


def _numbers(given: Sequence[int], _: int) -> list[int]:
    return list(given)


def _as_it_says(_: Sequence[int], said: object) -> Again[int]:
    return said if isinstance(said, Again) else Again(cast("list[int]", said), 0.0)


def test_thousands_of_things_come_in_batches_some_at_a_time() -> None:
    engine = Engine(lambda _: [])
    assert engine.run(2040, 50) == []
    assert [len(call) for call in engine.calls] == [50] * 40 + [40]
    assert (engine.most, engine.pauses) == (PARALLEL, [])


def test_what_an_activity_says_it_failed_for_is_tried_again_alone() -> None:
    failures = {7: 2, 90: 1}

    def activity(given: list[int]) -> list[int]:
        failed = [one for one in given if failures.get(one, 0)]
        failures.update({one: failures[one] - 1 for one in failed})
        return failed

    engine = Engine(activity)
    assert engine.run(100, 50) == []
    assert engine.calls[2:] == [[7], [90], [7]]
    assert engine.pauses == [2, 8]


def test_one_that_brings_its_call_down_fails_alone_after_pauses_that_grow() -> None:
    def activity(given: list[int]) -> list[int]:
        if 3 in given:
            raise ConnectionError
        return []

    engine = Engine(activity)
    assert engine.run(30, 10) == [3]
    assert engine.pauses == [2, 8, 32, 128]
    assert engine.calls[3:] == [*([one] for one in range(10)), [3], [3], [3]]
    assert engine.current_utc_datetime - START == timedelta(seconds=170)


def test_when_all_calls_are_lost_the_batches_stay_as_large_as_they_are() -> None:
    def activity(_: list[int]) -> list[int]:
        raise ConnectionError

    engine = Engine(activity)
    assert engine.run(1000, 10) == list(range(1000))
    assert len(engine.calls) == 5 * 100


def test_what_a_remote_asks_to_come_back_for_is_tried_again_when_it_says_and_never_counts_as_lost() -> None:
    left = 10

    def activity(given: list[int]) -> Again[int]:
        nonlocal left
        left -= 1
        return Again(given if left else [], 28.0)

    engine = Engine(activity)
    assert engine.run(1, 1) == []
    assert len(engine.calls) == 10
    assert engine.pauses[0] == 28
    assert engine.pauses == sorted(engine.pauses)


def test_patience_ends() -> None:
    engine = Engine(lambda given: Again(given, 28.0))
    assert engine.run(3, 1) == [0, 1, 2]
    assert PATIENCE <= engine.current_utc_datetime - START < 1.5 * PATIENCE
