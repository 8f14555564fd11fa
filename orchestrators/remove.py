"""The removal: deletes everything that the peering created, in a valid order."""

from datetime import datetime
from typing import Final

from orchestrators.durable import Workflow
from orchestrators.run import CurrentRun, Running
from peering.steps import REMOVAL, REMOVED

_LAST_LOOK: Final = "last_look"
#: How often the removal is repeated if a check still finds an object.
_PASSES: Final = 3


def remove(run: CurrentRun) -> Running:
    """Remove one peering.

    It ends in the state `failed` with the problem of the step that met it; a new `DELETE` resumes from there.
    """
    gone = yield from take_away(run)
    yield from run.conclude(drop=gone)


def take_away(run: CurrentRun) -> Workflow[bool]:
    """Run the removal's table; returns whether all is deleted. The run is then `removed`, `failed` or superseded.

    A call that was lost before may still be running and create an object: everything is checked once more when it must
    have ended. Lost calls of the removal itself only delete: they must have ended before a start recreates an object.
    """
    makes_until = run.unsettled
    for _ in range(_PASSES):
        yield from _once(run)
        if not _has_left_something(run):
            break
    if (yield from _has_waited(run, makes_until)):
        yield from _once(run)
    yield from _has_waited(run, run.unsettled)
    return run.state == "removed"


def _has_waited(run: CurrentRun, until: str) -> Workflow[bool]:
    """Wait until a time while everything is deleted; False if it has passed already, or another order has arrived."""
    if run.state != "removed" or until <= run.context.current_utc_datetime.isoformat():
        return False
    run.report()
    yield from run.pause_until(datetime.fromisoformat(until))
    return not run.is_superseded


def _has_left_something(run: CurrentRun) -> bool:
    """Whether a check has found what should be deleted: the final one, or that before the application is deleted."""
    return any("problem" in step and step["problem"]["code"] == "still-there" for step in run.steps.values())


def _once(run: CurrentRun) -> Running:
    """Remove everything, and check once more when no call can create anything."""
    run.state, run.steps = "running", {}
    yield from run.drive([step for step in REMOVAL if step.name != _LAST_LOOK], {})
    if run.state == "running" and run.is_complete:
        yield from run.fence_off()
    if run.state == "running":
        yield from run.drive([step for step in REMOVAL if step.name == _LAST_LOOK], run.facts)
    if run.state == "running":
        run.state = "removed" if set(REMOVED) <= set(run.facts) else "failed"
