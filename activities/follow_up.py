"""What follows from a check: verdicts in the registry, events for the log and the webhook, repairs that are safe."""

import asyncio
import logging
from datetime import datetime
from typing import Final

from clients.durable import DurableClient, start_unless_running
from clients.orders import start_order
from clients.registry import registry
from clients.rows import quoted
from clients.settings import settings
from peering.checks import FollowUp, NotedVerdicts, ToRepair, UnmanagedScope, Verdicts
from peering.health import connection_of
from peering.look import ProjectVpcLook
from peering.orders import APP, Order, new_order, repair_of
from peering.registry import Change, Checked, Judged, Placed, Record, UnmanagedConnections, judge, place
from peering.runs import deterministic_id, event_instance_id
from peering.webhook import Delivery, Event

log: Final = logging.getLogger("aiven_azure_peering.health")

#: Peerings whose verdicts are written side by side.
_AT_ONCE: Final = 8


async def note_verdicts(given: Verdicts) -> NotedVerdicts:
    """Write what a check found into the peerings' records; a peering that has changed since the look is left alone."""
    noted, gate = NotedVerdicts(changed=0, unsettled=[], repairs=[], undelivered=[]), asyncio.Semaphore(_AT_ONCE)

    async def note(peering_id: str, checked: Checked) -> None:
        async with gate:
            judged, events = await _judge(peering_id, checked, given["at"])
        if judged.change is not None:
            noted["changed"] += 1
            _log(judged.change)
        if judged.repair:
            noted["repairs"].append(ToRepair(id=peering_id, codes=judged.repair, revision=checked["revision"]))
        elif judged.unsettled:
            noted["unsettled"].append(peering_id)
        if events:
            noted["undelivered"].append(peering_id)

    await asyncio.gather(*(note(peering_id, checked) for peering_id, checked in given["checked"].items()))
    return noted


async def _judge(peering_id: str, checked: Checked, at: str) -> tuple[Judged, bool]:
    """Write one verdict; returns what came of it, and whether events are to be delivered."""
    announces = settings().webhook_url is not None

    def judging(record: Record | None, _: datetime) -> tuple[Record | None, tuple[Judged, bool]]:
        if record is None:
            return None, (Judged(), False)
        judged = judge(record, checked, at)
        if judged.change is not None and announces:
            record["events"] = [*record.get("events", []), judged.change]
        return record, (judged, bool(record.get("events")))

    return await registry().change(peering_id, judging, health=True)


def _log(change: Change) -> None:
    log.log(
        logging.INFO if change["verdict"] == "healthy" else logging.WARNING,
        "event=verdict-changed peering=%s previous=%s verdict=%s codes=%s at=%s",
        *(change["id"], change["previous"], change["verdict"], ",".join(change["codes"]), change["at"]),
    )


async def follow_up(given: FollowUp, client: DurableClient) -> None:
    """Begin the deliveries and the repairs; a peering that something is under way on gets no repair."""
    for peering_id in given["undelivered"]:
        record = await registry().record(peering_id)
        for change in record.get("events", []) if record else ():
            event = Event(id=_event_id(change), type="verdict-changed", change=change)
            delivery = Delivery(event=event, deadlines=given["deadlines"])
            await start_unless_running(client, "deliver", event_instance_id(event["id"]), delivery)
    at, deadlines = datetime.fromisoformat(given["at"]), given["deadlines"]
    for wanted in given["repairs"]:
        operation, codes = repair_of(wanted["codes"])
        run = deterministic_id("repair", wanted["id"], given["at"])[:8]
        order: Order = {**new_order(operation, run, APP, at, deadlines), "codes": codes}
        begun = await _place(wanted["id"], order, wanted["revision"], client)
        log.info(
            "event=repair-%s peering=%s operation=%s codes=%s",
            *("started" if begun else "put-off", wanted["id"], operation, ",".join(codes)),
        )
    for peering_id in given["unsettled"]:
        run = deterministic_id("settle", peering_id, given["at"])[:8]
        await _place(peering_id, new_order("check", run, APP, at, deadlines), None, client)


async def _place(peering_id: str, order: Order, revision: int | None, client: DurableClient) -> bool:
    """Place an order of the app's own, and start it; whatever is under way on the peering puts it off."""

    def placing(record: Record | None, _: datetime) -> tuple[Record | None, Placed]:
        return place(record, order, revision)

    begun = (await registry().change(peering_id, placing)).answer == "accept"
    if begun:
        await start_order(client, peering_id)
    return begun


async def note_delivered(given: Change) -> None:
    """Take an event out of its peering's record: it was delivered, or will never be taken."""

    def delivered(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None and "events" in record:
            record["events"] = [event for event in record["events"] if event != given]
        return record, None

    await registry().change(given["id"], delivered, health=True)


async def note_unmanaged(given: UnmanagedScope) -> None:
    """Keep which connections of a project VPC no peering of the registry has."""
    vpc = ProjectVpcLook(cloud_name="", network_cidr="", state="", connections=given["connections"])
    condition = f"owner eq {quoted(given['project'])} and project_vpc_id eq {quoted(given['project_vpc_id'])}"
    ours = await registry().columns(f"{condition} and state ne 'existing'", "vnet_id")
    managed = [connection_of(str(row["vnet_id"]), vpc) for row in ours]
    left = [connection for connection in given["connections"] if connection not in managed]
    await registry().note_unmanaged(
        UnmanagedConnections(project=given["project"], project_vpc_id=given["project_vpc_id"], connections=left)
    )


def _event_id(change: Change) -> str:
    return deterministic_id("event", change["id"], change["verdict"], change["at"])
