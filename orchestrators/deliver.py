"""The delivery of a peering's events to the operator's webhook, one after the other in the order of their moments."""

from typing import Final, cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.lost import LostError, interrupted, reliably
from orchestrators.waiting import attempt
from peering.webhook import Delivery, Event

#: The workflow starts over after so many events.
EVENTS_IN_ONE_HISTORY: Final = 20


def deliver(context: OrchestrationContext) -> Workflow:
    """Send the events of a peering to the webhook, each tried again with durable timers until it is taken.

    Input: `Delivery`. Output: nothing, or the problem that kept the webhook from taking an event in time. What was not
    taken stays in the peering's record, whatever the reason; every later check begins the delivery anew.
    """
    given = cast("Delivery", context.get_input())
    try:
        for _ in range(EVENTS_IN_ONE_HISTORY):
            event = cast("Event | None", (yield from reliably(context, "next_event", given)))
            if event is None:
                return None
            name = context.new_uuid()[:8]
            outcome = yield from attempt(context, "deliver_event", event, name, given["deadlines"])
            if "problem" not in outcome:
                yield from reliably(context, "note_delivered", event["change"])
            elif outcome["problem"]["code"] != "webhook-refused":
                return outcome
            # One that the webhook refuses holds no other back.
            given = {**given, "after": event["change"]["at"]}
    except LostError as error:
        return {"problem": interrupted(error)}
    context.continue_as_new(given)
    return None
