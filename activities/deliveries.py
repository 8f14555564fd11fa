"""Events on their way to the operator's webhook: begun, and taken out of the record once they were delivered."""

from datetime import datetime

from clients.durable import DurableClient, start_unless_running
from clients.registry import registry
from peering.registry import Change, Record
from peering.runs import deterministic_id, event_instance_id
from peering.spec import Deadlines
from peering.webhook import Delivery, Event, ToDeliver


async def begin_deliveries(given: ToDeliver, client: DurableClient) -> None:
    """Begin the delivery of a peering's events, unless it is under way."""
    await deliver_events(given["id"], given["deadlines"], client)


async def deliver_events(peering_id: str, deadlines: Deadlines, client: DurableClient) -> None:
    """The same, for the activities that find the events."""
    record = await registry().record(peering_id)
    for change in record.get("events", []) if record else ():
        event = Event(id=_event_id(change), type="verdict-changed", change=change)
        delivery = Delivery(event=event, deadlines=deadlines)
        await start_unless_running(client, "deliver", event_instance_id(event["id"]), delivery)


async def note_delivered(given: Change) -> None:
    """Take an event out of its peering's record: it was delivered, or will never be taken."""

    def delivered(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None and "events" in record:
            record["events"] = [event for event in record["events"] if event != given]
        return record, None

    await registry().change(given["id"], delivered, health=True)


def _event_id(change: Change) -> str:
    return deterministic_id("event", change["id"], change["verdict"], change["at"])
