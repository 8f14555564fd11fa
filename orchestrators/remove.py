"""The way back: everything that the peering made, in the order in which it can go."""

from collections.abc import Generator
from datetime import datetime
from typing import Final

from orchestrators.durable import Task
from orchestrators.run import Run, Running
from peering.plan import REMOVAL, REMOVED

#: How often all is taken away when a last look still finds something of it.
_PASSES: Final = 3


def remove(run: Run) -> Running:
    """Take one peering away again.

    It ends in the state `failed` with the problem at the step that met it; a new `DELETE` goes on from there.
    """
    gone = yield from take_away(run)
    yield from run.conclude(drop=gone)


def take_away(run: Run) -> Generator[Task, object, bool]:
    """Carry out the removal's table; returns whether all is gone. The run is `removed`, `failed` or superseded then.

    A call that the platform lost may still be at work and make something: then all is looked at once more when it can
    have ended.
    """
    for _ in range(_PASSES):
        yield from _once(run)
        if not _has_left_something(run):
            break
    while run.state == "removed" and run.context.current_utc_datetime.isoformat() < run.unsettled:
        run.report()
        yield from run.pause_until(datetime.fromisoformat(run.unsettled))
        if not run.is_superseded:
            yield from _once(run)
    return run.state == "removed"


def _has_left_something(run: Run) -> bool:
    """Whether the last look has found what was to be gone."""
    last = run.steps.get("last_look")
    return last is not None and "problem" in last and last["problem"]["code"] == "still-there"


def _once(run: Run) -> Running:
    run.state, run.steps = "running", {}
    yield from run.drive(REMOVAL, {})
    if run.state == "running":
        run.state = "removed" if set(REMOVED) <= set(run.facts) else "failed"
