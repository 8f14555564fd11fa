"""The delivery of one event to the operator's webhook, tried again with durable timers until it is taken."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.waiting import Wait, may_clear
from peering.outcome import Outcome
from peering.runs import wait_instance_id
from peering.webhook import Delivery


def deliver(context: OrchestrationContext) -> Workflow:
    """Send an event to the webhook.

    Input: `Delivery`. Output: `Outcome`, with the problem when the webhook did not take the event in time.
    """
    given = cast("Delivery", context.get_input())
    outcome = cast("Outcome", (yield context.call_activity("deliver_event", given)))
    if "problem" not in outcome or not may_clear(outcome["problem"]):
        return outcome
    wait = Wait(
        step="deliver_event",
        request=given,
        deadlines=given["deadlines"],
        since=context.current_utc_datetime.isoformat(),
        tries=1,
        problem=outcome["problem"],
    )
    ended = yield context.call_sub_orchestrator("await_step", wait, wait_instance_id(context.instance_id, "1", "try"))
    return cast("dict[str, object]", ended)["outcome"]
