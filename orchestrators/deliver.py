"""The delivery of one event to the operator's webhook, tried again with durable timers until it is taken."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.waiting import attempt
from peering.webhook import Delivery


def deliver(context: OrchestrationContext) -> Workflow:
    """Send an event to the webhook.

    Input: `Delivery`. Output: `Outcome`, with the problem when the webhook did not take the event in time.
    """
    given = cast("Delivery", context.get_input())
    return (yield from attempt(context, "deliver_event", given, "1", given["deadlines"]))
