"""The check of all peerings: divide them, look at both clouds in pieces, judge in pieces. Only counts come back."""

from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import Final, cast

from orchestrators.durable import OrchestrationContext, Task, Workflow
from orchestrators.lost import DEAF, MOST_LOST, LostError, pause, reliably
from peering.sweep import Piece, Sweep, SweepCounts, SweepPlan

#: Pieces at a time, and windows of so many until the history begins anew: it stays below two hundred events.
PARALLEL: Final = 8
WINDOWS_IN_ONE_HISTORY: Final = 5

#: The activity of a piece, and its number.
_Step = tuple[str, int]


def check_health(context: OrchestrationContext) -> Workflow:
    """Look at every peering that is watched; note the verdicts that changed; begin what follows from them.

    Input: `Sweep`. Output: `SweepCounts`, and why it was broken off if it was.
    """
    given = cast("Sweep", context.get_input())
    counts = given.get("counts", SweepCounts(checked=0, changed=0, repairs=0))
    try:
        plan = given.get("plan")
        if plan is None:
            at = context.current_utc_datetime.isoformat()
            plan = cast("SweepPlan", (yield from reliably(context, "plan_sweep", at)))
        done, windows = given.get("done", 0), _windows(plan)
        for window in windows[done : done + WINDOWS_IN_ONE_HISTORY]:
            yield from _do(context, given, plan, window, counts)
        done += WINDOWS_IN_ONE_HISTORY
        if done < len(windows):
            context.continue_as_new({**given, "plan": plan, "done": done, "counts": counts})
            return None
        yield from reliably(context, "end_sweep", plan["at"])
    except LostError as error:
        return {**counts, "interrupted": str(error)}
    return dict(counts)


def _windows(plan: SweepPlan) -> list[list[_Step]]:
    """The pieces in the order in which they can be done, so many at a time: first what VNets are judged by."""
    looks = [("look_at_secrets", 0), *(("look_at_project_vpcs", number) for number in range(plan["project_vpcs"]))]
    checks = [("check_vnets", number) for number in range(plan["vnets"])]
    return [
        steps[start : start + PARALLEL]
        for steps in (looks if checks else [], checks)
        for start in range(0, len(steps), PARALLEL)
    ]


def _do(
    context: OrchestrationContext, given: Sweep, plan: SweepPlan, window: Sequence[_Step], counts: SweepCounts
) -> Generator[Task, object, None]:
    """Do some pieces side by side, and add what they come to.

    A look that the platform loses again and again is missing to those who judge by it: they say so. What was to be
    judged then is unknown.
    """
    pieces = [
        Piece(number=number, at=plan["at"], repairs=given["repairs"], deadlines=given["deadlines"])
        for _, number in window
    ]
    results = yield from _side_by_side(
        context, [(name, piece) for (name, _), piece in zip(window, pieces, strict=True)]
    )
    for (name, _), piece, result in zip(window, pieces, results, strict=True):
        if name != "check_vnets":
            continue
        if isinstance(result, BaseException):
            try:
                result = yield from reliably(context, "note_unseen", piece)
            except LostError:
                counts["lost"] = counts.get("lost", 0) + 1
                continue
        found = cast("SweepCounts", result)
        counts["checked"] += found["checked"]
        counts["changed"] += found["changed"]
        counts["repairs"] += found["repairs"]


def _side_by_side(
    context: OrchestrationContext, calls: Sequence[tuple[str, Piece]]
) -> Generator[Task, object, list[object]]:
    """The results of activities that run at once; those that the platform loses are called again after a pause.

    One that was lost too often has its exception for a result.
    """
    results: list[object] = [None] * len(calls)
    left = list(range(len(calls)))
    for losses in range(MOST_LOST + 1):
        tasks = {number: context.call_activity(*calls[number]) for number in left}
        pending = list(tasks.values())
        while pending:
            pending.remove(cast("Task", (yield context.task_any(pending))))
        results = [tasks[number].result if number in tasks else held for number, held in enumerate(results)]
        left = [number for number in left if isinstance(results[number], BaseException)]
        if not left or losses == MOST_LOST:
            break
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=min(pause(losses), DEAF)))
    return results
