"""The way back: everything that the peering made, in the order in which it can go."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.run import Run
from orchestrators.waiting import attempt
from peering.plan import REMOVAL, REMOVED
from peering.runs import RunInput


def remove(context: OrchestrationContext) -> Workflow:
    """Take one peering away again.

    Input: `RunInput`. Output and custom status: `Progress`. It ends in the state `failed` with the problem at the step
    that met it; a new `DELETE` goes on from there.
    """
    run = Run(context, cast("RunInput", context.get_input()), "remove", REMOVAL)
    yield from run.begin()
    yield from run.drive({})
    if run.state == "running":
        run.state = "removed" if set(REMOVED) <= set(run.facts) else "failed"
    if run.state == "removed":
        run.report()
        yield context.call_entity(run.registry, "drop", run.peering["id"])
    else:
        yield from run.end()
    return run.progress()


def stop_and_remove(context: OrchestrationContext) -> Workflow:
    """Begin a removal in place of a run that is under way: ask it to stop until it has, then start `remove`.

    Input: `RunInput` of the removal. It is an instance of its own, because the run has the peering's own id.
    """
    given = cast("RunInput", context.get_input())
    return (yield from attempt(context, "begin_removal", given, given["run"], given["deadlines"]))
