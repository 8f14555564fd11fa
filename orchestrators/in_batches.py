"""One activity for many things: batches side by side, and what failed again after a pause that grows."""

from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from typing import Final, TypeVar, cast

from orchestrators.durable import OrchestrationContext, Task
from orchestrators.lost import MOST_LOST, pause

#: Calls of an activity at a time.
PARALLEL: Final = 8

T = TypeVar("T")


def in_batches(
    context: OrchestrationContext,
    activity: str,
    things: Sequence[T],
    size: int,
    given: Callable[[Sequence[T]], object],
    take: Callable[[Sequence[T], object], Sequence[T]],
) -> Generator[Task, object, list[T]]:
    """Call an activity for all of some things; returns those that it failed for every time.

    Args:
        context: Durable's orchestration context.
        activity: the activity's name.
        things: what it is called for.
        size: so many to a call; fewer when few are left, so that one that brings its call down fails alone.
        given: the input for a batch.
        take: takes in the result for a batch; returns those of it that are to be tried again. All are when the
            platform lost the call.
    """
    left = list(things)
    for losses in range(MOST_LOST + 1):
        batches, left = batched(left, size), []
        for window in batched(batches, PARALLEL):
            results = yield from _all(context, activity, [given(batch) for batch in window])
            for batch, result in zip(window, results, strict=True):
                left += batch if isinstance(result, BaseException) else take(batch, result)
        if not left:
            break
        if losses < MOST_LOST:
            yield context.create_timer(context.current_utc_datetime + timedelta(seconds=pause(losses)))
        size = max(1, min(size, len(left) // PARALLEL))
    return left


def batched(things: Sequence[T], size: int) -> list[Sequence[T]]:
    """The things in their order, so many to a batch."""
    return [things[start : start + size] for start in range(0, len(things), size)]


def _all(
    context: OrchestrationContext, activity: str, inputs: Sequence[object]
) -> Generator[Task, object, list[object]]:
    """The results of an activity for some inputs at once, or what their calls failed with."""
    tasks = [context.call_activity(activity, one) for one in inputs]
    pending = list(tasks)
    while pending:
        # All of them at once would fail with the first, and leave the others to whoever comes next.
        pending.remove(cast("Task", (yield context.task_any(pending))))
    return [task.result for task in tasks]
