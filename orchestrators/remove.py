"""The way back: everything that the peering made, in the order in which it can go."""

from typing import TypedDict, cast

from azure.durable_functions import EntityId

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.progress import Progress, StepProgress
from orchestrators.waiting import Wait, WaitResult, may_clear, wait_instance_id
from peering.outcome import Facts, Outcome, StepRequest
from peering.plan import REMOVAL
from peering.registry import ENTITY, entity_key
from peering.spec import Deadlines, Peering


class RemoveInput(TypedDict):
    """What a removal is started with."""

    peering: Peering
    deadlines: Deadlines
    run: str


def remove(context: OrchestrationContext) -> Workflow:
    """Take one peering away again.

    Input: `RemoveInput`. Output and custom status: `Progress`. It ends in the state `failed` with the problem at the step
    that met it; a new `DELETE` goes on from there.
    """
    given = cast("RemoveInput", context.get_input())
    peering = given["peering"]
    progress = Progress(state="removing", run=given["run"], steps={}, facts=Facts())
    for step in REMOVAL:
        current = StepProgress(state="running", started=context.current_utc_datetime.isoformat(), tries=1)
        progress["steps"][step.name] = current
        context.set_custom_status(progress)
        request = StepRequest(peering=peering, facts=progress["facts"])
        outcome = cast("Outcome", (yield context.call_activity(step.name, request)))
        if "problem" in outcome and may_clear(outcome["problem"]):
            current["state"], current["problem"] = "waiting", outcome["problem"]
            context.set_custom_status(progress)
            wait = Wait(
                step=step.name,
                request=request,
                deadlines=given["deadlines"],
                since=context.current_utc_datetime.isoformat(),
                tries=1,
                problem=outcome["problem"],
            )
            instance = wait_instance_id(context.instance_id, given["run"], step.name)
            ended = cast("WaitResult", (yield context.call_sub_orchestrator("await_step", wait, instance)))
            current["tries"], outcome = ended["tries"], ended["outcome"]
        current["finished"] = context.current_utc_datetime.isoformat()
        if "problem" in outcome:
            current["state"], current["problem"] = "failed", outcome["problem"]
            progress["state"] = "failed"
            context.set_custom_status(progress)
            return progress
        current.pop("problem", None)
        current["state"] = "done"
        progress["facts"] |= outcome["facts"]
    progress["state"] = "removed"
    context.set_custom_status(progress)
    registry = EntityId(ENTITY, entity_key(peering["project"], peering["project_vpc_id"]))
    yield context.call_entity(registry, "forget", peering["id"])
    return progress


def removal_instance_id(peering_id: str) -> str:
    """The instance id of a peering's removal."""
    return f"{peering_id}:remove"
