"""What follows from a check: verdicts in the registry, events for the log and the webhook, repairs that are safe."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from activities.remote_errors import problem_of
from clients.durable import DurableClient, start_unless_running
from clients.orders import start_order
from clients.registry import registry
from clients.rows import quoted
from clients.settings import settings
from clients.side_by_side import side_by_side
from peering.checks import FollowUp, NotedVerdicts, ToRepair, UnmanagedScope, Verdicts
from peering.health import connection_of
from peering.look import ProjectVpcLook
from peering.orders import APP, Order, new_order, repair_of
from peering.plan import Operation
from peering.registry import Change, Checked, Judged, Placed, Record, UnmanagedConnections, announce, judge, place
from peering.runs import delivery_instance_id, deterministic_id
from peering.spec import Deadlines
from peering.webhook import Delivery

log: Final = logging.getLogger("aiven_azure_peering.health")

#: Peerings that one activity is at work on at a time.
_AT_ONCE: Final = 8


async def note_verdicts(given: Verdicts) -> NotedVerdicts:
    """Write what a check found into the peerings' records; a peering that has changed since the look is left alone.

    One that the registry fails for keeps no other from it, and is among the `failed` of the answer.
    """
    noted = NotedVerdicts(changed=0, unsettled=[], repairs=[], undelivered=[], failed=[])

    async def note(found: tuple[str, Checked]) -> None:
        peering_id, checked = found
        judged, is_undelivered = await _judge(peering_id, checked, given["at"])
        if judged.change is not None:
            noted["changed"] += 1
            _log(judged.change)
        if judged.repair:
            noted["repairs"].append(ToRepair(id=peering_id, codes=judged.repair, revision=checked["revision"]))
        elif judged.unsettled:
            noted["unsettled"].append(peering_id)
        if is_undelivered:
            noted["undelivered"].append(peering_id)

    done = await side_by_side(note, given["checked"].items(), at_once=_AT_ONCE)
    for (peering_id, _), error in done.failures:
        log.error("event=verdict-not-noted peering=%s problem=%s", peering_id, problem_of(error, "note")["code"])
        noted["failed"].append(peering_id)
    return noted


async def _judge(peering_id: str, checked: Checked, at: str) -> tuple[Judged, bool]:
    """Write one verdict; returns what came of it, and whether events are to be delivered."""
    announces = settings().webhook_url is not None

    def judging(record: Record | None, _: datetime) -> tuple[Record | None, tuple[Judged, bool, int]]:
        if record is None:
            return None, (Judged(), False, 0)
        judged = judge(record, checked, at)
        dropped = announce(record, judged.change) if judged.change is not None and announces else 0
        return record, (judged, announces and bool(record.get("events")), dropped)

    judged, is_undelivered, dropped = await registry().change(peering_id, judging, health=True)
    if dropped:
        log.error("event=events-dropped peering=%s count=%s", peering_id, dropped)
    return judged, is_undelivered


def _log(change: Change) -> None:
    log.log(
        logging.INFO if change["verdict"] == "healthy" else logging.WARNING,
        "event=verdict-changed peering=%s previous=%s verdict=%s codes=%s at=%s",
        *(change["id"], change["previous"], change["verdict"], ",".join(change["codes"]), change["at"]),
    )


async def follow_up(given: FollowUp, client: DurableClient) -> list[str]:
    """Begin deliveries, repairs and checks; a peering that something is under way on gets none of the latter two.

    Returns the peerings that it failed for.
    """
    begin: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        *((one, partial(_deliver, client, one, given["deadlines"])) for one in given["undelivered"]),
        *((wanted["id"], partial(_repair, client, wanted, given)) for wanted in given["repairs"]),
        *((one, partial(_settle, client, one, given)) for one in given["unsettled"]),
    ]
    done = await side_by_side(lambda one: one[1](), begin, at_once=_AT_ONCE)
    for (peering_id, _), error in done.failures:
        log.error("event=follow-up-failed peering=%s problem=%s", peering_id, problem_of(error, "follow_up")["code"])
    return [peering_id for (peering_id, _), _ in done.failures]


async def _deliver(client: DurableClient, peering_id: str, deadlines: Deadlines) -> None:
    """Begin the delivery of a peering's events; one that is under way goes on to what has come since."""
    delivery = Delivery(id=peering_id, deadlines=deadlines, after="")
    await start_unless_running(client, "deliver", delivery_instance_id(peering_id), delivery)


async def _repair(client: DurableClient, wanted: ToRepair, given: FollowUp) -> None:
    operation, codes = repair_of(wanted["codes"])
    order: Order = {**_order("repair", operation, wanted["id"], given), "codes": codes}
    begun = await _place(wanted["id"], order, wanted["revision"], client)
    log.info(
        "event=repair-%s peering=%s operation=%s codes=%s",
        *("started" if begun else "put-off", wanted["id"], operation, ",".join(codes)),
    )


async def _settle(client: DurableClient, peering_id: str, given: FollowUp) -> None:
    await _place(peering_id, _order("settle", "check", peering_id, given), None, client)


def _order(why: str, operation: Operation, peering_id: str, given: FollowUp) -> Order:
    """An order of the app's own, of the same name whenever this check places it."""
    run = deterministic_id(why, peering_id, given["at"])[:8]
    return new_order(operation, run, APP, datetime.fromisoformat(given["at"]), given["deadlines"])


async def _place(peering_id: str, order: Order, revision: int | None, client: DurableClient) -> bool:
    """Place an order of the app's own, and start it; whatever is under way on the peering puts it off."""

    def placing(record: Record | None, _: datetime) -> tuple[Record | None, Placed]:
        return place(record, order, revision)

    begun = (await registry().change(peering_id, placing)).answer == "accept"
    if begun:
        await start_order(client, peering_id)
    return begun


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


async def forget_unmanaged(kept: Sequence[str]) -> None:
    """Forget the connections of project VPCs that no watched peering uses any more.

    Args:
        kept: the keys of those that one does.
    """
    if gone := await registry().forget_unmanaged(frozenset(kept)):
        log.info("event=project-vpcs-forgotten count=%s", gone)
