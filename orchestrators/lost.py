"""Calls that the platform lost: a lost worker looks like an exception of the function that it ran.

A step of the app returns a problem and never raises, so every failed call is repeated.
"""

from datetime import timedelta
from typing import Final, TypeVar

from orchestrators.durable import OrchestrationContext, Workflow, result_of
from peering.calls import NOTE_LOST, Activity
from peering.orders import Lost
from peering.outcome import LOST, Occurrence
from peering.progress import shortened
from peering.runs import FUNCTION_TIMEOUT

Given = TypeVar("Given")
Answer = TypeVar("Answer")

#: How often in a row a call may be lost until its run is given up.
MOST_LOST: Final = 4
_FIRST_PAUSE: Final = 2.0
_GROWTH: Final = 4
#: The longest pause, in seconds, during which a superseding order is not noticed.
DEAF: Final = 15.0


class LostError(Exception):
    """A call was lost repeatedly; the execution that resumes the order repeats it."""


def pause(losses: int) -> float:
    """How long to wait, in seconds, before the repetition of a call, by the number of its losses."""
    return _FIRST_PAUSE * float(_GROWTH**losses)


def lost(error: BaseException, losses: int) -> Occurrence:
    """The problem of a lost call, with the number of its earlier losses."""
    return Occurrence(code=LOST, detail=shortened(str(error)), retry_after=pause(losses))


def interrupted(error: BaseException) -> Occurrence:
    """The problem of a call that was lost too often."""
    return Occurrence(code="interrupted", detail=shortened(str(error)))


def reliably(context: OrchestrationContext, activity: Activity[Given, Answer], given: Given) -> Workflow[Answer]:
    """Call an activity that fails only if the platform does, and retry it after a pause; returns its result.

    Raises:
        LostError: it was lost too often.
    """
    losses = 0
    while True:
        try:
            return (yield from result_of(context.call_activity(activity, given)))
        except Exception as error:
            if losses == MOST_LOST:
                raise LostError(f"{activity}: {shortened(str(error))}") from error
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=min(pause(losses), DEAF)))
        losses += 1


def note_lost(context: OrchestrationContext, peering_id: str) -> Workflow[str]:
    """Record that a lost call may still be running; returns until when.

    Raises:
        LostError: that could not be noted.
    """
    at = context.current_utc_datetime
    yield from reliably(context, NOTE_LOST, Lost(id=peering_id, at=at.isoformat()))
    return (at + FUNCTION_TIMEOUT).isoformat()
