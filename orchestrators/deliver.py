"""The delivery of one event to the operator's webhook, tried again with durable timers until it is taken."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.lost import LostError, reliably
from orchestrators.waiting import attempt
from peering.webhook import Delivery


def deliver(context: OrchestrationContext) -> Workflow:
    """Send an event to the webhook.

    Input: `Delivery`. Output: `Outcome`, with the problem when the webhook did not take the event in time. The event
    stays in its peering's record until it is delivered or refused for good; a check begins its delivery anew.
    """
    given = cast("Delivery", context.get_input())
    outcome = yield from attempt(context, "deliver_event", given, context.new_uuid()[:8], given["deadlines"])
    refused = "problem" in outcome and outcome["problem"]["code"] == "webhook-refused"
    try:
        if "facts" in outcome or refused or "gave_up_after" in outcome.get("problem", {}):
            yield from reliably(context, "note_delivered", given["event"]["change"])
    except LostError:
        return {"problem": outcome.get("problem")}
    return outcome
