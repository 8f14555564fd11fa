"""The delivery of a peering's events to the operator's webhook, one after the other in chronological order."""

from typing import Final

from orchestrators.durable import StartedWith, Workflow
from orchestrators.lost import LostError, interrupted, reliably
from orchestrators.waiting import attempt
from peering.calls import DELIVER_EVENT, NEXT_EVENT, NOTE_DELIVERED
from peering.outcome import Outcome
from peering.webhook import Delivery

#: The history is reset after this many events.
EVENTS_IN_ONE_HISTORY: Final = 20


def deliver(context: StartedWith[Delivery]) -> Workflow[Outcome | None]:
    """Send the events of a peering to the webhook, each retried with durable timers until it is accepted.

    Input: `Delivery`. Output: nothing, or the problem that prevented the delivery of an event in time. Undelivered
    events stay in the peering's record, whatever the reason; every later check restarts the delivery.
    """
    given = context.get_input()
    try:
        for _ in range(EVENTS_IN_ONE_HISTORY):
            event = yield from reliably(context, NEXT_EVENT, given)
            if event is None:
                return None
            name = context.new_uuid()[:8]
            outcome = yield from attempt(context, DELIVER_EVENT, event, name, given["deadlines"])
            if "problem" not in outcome:
                yield from reliably(context, NOTE_DELIVERED, event["change"])
            elif outcome["problem"]["code"] != "webhook-refused":
                return outcome
            # A refused event does not block the others.
            given = {**given, "after": event["change"]["at"]}
    except LostError as error:
        return {"problem": interrupted(error)}
    context.continue_as_new(given)
    return None
