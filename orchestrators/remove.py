"""The way back: everything that the peering made, in the order in which it can go."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.run import Run
from orchestrators.waiting import Wait, may_clear
from peering.outcome import Outcome
from peering.plan import REMOVAL
from peering.runs import RunInput, wait_instance_id


def remove(context: OrchestrationContext) -> Workflow:
    """Take one peering away again.

    Input: `RunInput`. Output and custom status: `Progress`. It ends in the state `failed` with the problem at the step
    that met it; a new `DELETE` goes on from there.
    """
    run = Run(context, cast("RunInput", context.get_input()), "remove", REMOVAL)
    yield from run.begin()
    yield from run.drive({})
    if run.state == "running":
        run.state = "removed" if "secret_removed" in run.facts and "roles_removed" in run.facts else "failed"
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
    outcome = cast("Outcome", (yield context.call_activity("begin_removal", given)))
    if "problem" in outcome and may_clear(outcome["problem"]):
        wait = Wait(
            step="begin_removal",
            request=given,
            deadlines=given["deadlines"],
            since=context.current_utc_datetime.isoformat(),
            tries=1,
            problem=outcome["problem"],
        )
        instance = wait_instance_id(context.instance_id, given["run"], "begin_removal")
        yield context.call_sub_orchestrator("await_step", wait, instance)
    return None
