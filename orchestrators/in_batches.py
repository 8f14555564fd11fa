"""One activity for many items: parallel batches, and retries of failed items after a growing pause."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Final, Generic, NamedTuple, TypeVar

from orchestrators.durable import OrchestrationContext, Workflow, result_of
from orchestrators.lost import MOST_LOST, pause
from peering.calls import Activity

#: Calls of an activity at a time.
PARALLEL: Final = 8

#: How long throttled calls are retried, and the share of the time waited that is added to each pause.
PATIENCE: Final = timedelta(minutes=15)
_SHARE: Final = 0.1

T = TypeVar("T")
Given = TypeVar("Given")
Answer = TypeVar("Answer")


class Again(NamedTuple, Generic[T]):
    """The items to retry, and after how many seconds, if a remote service asked for a delay."""

    things: Sequence[T]
    after: float


def in_batches(
    context: OrchestrationContext,
    activity: Activity[Given, Answer],
    things: Sequence[T],
    size: int,
    given: Callable[[Sequence[T], int], Given],
    take: Callable[[Sequence[T], Answer], Again[T]],
) -> Workflow[list[T]]:
    """Call an activity for all items; returns those for which it failed every time.

    Args:
        context: Durable's orchestration context.
        activity: the activity.
        things: the items.
        size: the items per call; fewer when few are left, so that an item that crashes its call fails alone.
        given: the input for a batch and its attempt.
        take: processes the result of a batch; returns the items to retry. After a lost call, all are retried.
    """
    left, losses, begun = list(things), 0, context.current_utc_datetime
    for attempt in count():
        batches, left, asked = batched(left, size), [], 0.0
        for window in batched(batches, PARALLEL):
            results = yield from _all(context, activity, [given(batch, attempt) for batch in window])
            for batch, result in zip(window, results, strict=True):
                again = Again(batch, 0.0) if isinstance(result, BaseException) else take(batch, result)
                left += again.things
                asked = max(asked, again.after)
        waited = context.current_utc_datetime - begun
        if not left or losses == MOST_LOST or (asked and waited >= PATIENCE):
            break
        if asked:
            wait = timedelta(seconds=asked) + _SHARE * waited
        else:
            wait = timedelta(seconds=pause(losses))
            losses += 1
        yield context.create_timer(context.current_utc_datetime + wait)
        size = max(1, min(size, len(left) // PARALLEL))
    return left


def batched(things: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in their order, in batches of this size."""
    return [things[start : start + size] for start in range(0, len(things), size)]


def _all(
    context: OrchestrationContext, activity: Activity[Given, Answer], inputs: Sequence[Given]
) -> Workflow[list[Answer | BaseException]]:
    """The results of parallel calls of an activity, or the errors that they failed with."""
    tasks = [context.call_activity(activity, one) for one in inputs]
    pending = list(tasks)
    while pending:
        # All of them at once would fail with the first, and leave the others running.
        pending.remove((yield from result_of(context.task_any(pending))))
    return [task.result for task in tasks]
