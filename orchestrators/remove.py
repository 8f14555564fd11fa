"""The way back: everything that the peering made, in the order in which it can go."""

from collections.abc import Generator
from datetime import datetime

from orchestrators.durable import Task
from orchestrators.run import Run, Running
from peering.plan import REMOVAL, REMOVED


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
    yield from _once(run)
    if run.state == "removed" and run.unsettled is not None:
        settled = datetime.fromisoformat(run.unsettled)
        if run.context.current_utc_datetime < settled:
            run.report()
            yield run.context.create_timer(settled)
            yield from _once(run)
    return run.state == "removed"


def _once(run: Run) -> Running:
    run.state, run.steps = "running", {}
    yield from run.drive(REMOVAL, {})
    if run.state == "running":
        run.state = "removed" if set(REMOVED) <= set(run.facts) else "failed"
