"""What the resume timer does: overdue orders are begun again, ended instances are purged.

One mechanism for lost starts, platform failures, terminated and stuck instances, histories that no longer replay and a
purged task hub: an order is open, and nobody gives a sign of life.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from azure.durable_functions import OrchestrationRuntimeStatus

from clients.durable import DurableClient, OrchestrationStatus, end_instance, is_running, start_unless_running
from clients.orders import note_ended_runs, start_order
from clients.registry import registry
from clients.rows import OrderRow
from clients.settings import settings
from peering.orders import MOST_EXECUTIONS
from peering.outcome import Occurrence
from peering.registry import Ending, Record, conclude
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE, SWEEP, resume_pause
from peering.spec import Fence
from peering.sweep import Sweep

log: Final = logging.getLogger("aiven_azure_peering.resume")

#: From so many instances on one call purges no more, and runs that one call deletes.
_PURGED_AT_ONCE: Final = 500
_FORGOTTEN_AT_ONCE: Final = 2000
#: Who asks how an instance stands may do so for so long after its end.
_KEPT_AFTER_END: Final = timedelta(hours=1)
_SWEEP_KEPT_AFTER_END: Final = timedelta(minutes=2)
_ENDED: Final = tuple(
    getattr(OrchestrationRuntimeStatus, name) for name in ("Completed", "Failed", "Terminated", "Canceled")
)


async def resume_overdue(client: DurableClient) -> int:
    """Begin every overdue order again; returns how many. One that cannot be does not keep the others from it."""
    resumed = 0
    for order in await registry().orders():
        try:
            status = await client.get_status(order["id"])
            if _is_overdue(order, status, registry().now):
                resumed += await _resume(client, order, status)
        except Exception:  # whatever it is, the other orders must not wait for it; the next round tries it again
            log.exception("event=resume-failed peering=%s", order["id"])
    return resumed


def _is_overdue(order: OrderRow, status: OrchestrationStatus, now: datetime) -> bool:
    """Whether nobody works on an order: its instance is gone, or has given no sign of life in time."""
    if now < datetime.fromisoformat(order["not_before"]):
        return False
    return not is_running(status) or now >= datetime.fromisoformat(order["alive_until"])


async def _resume(client: DurableClient, order: OrderRow, status: OrchestrationStatus) -> bool:
    """Note that an order is begun again, end what is left of its last execution, and start another one."""
    peering_id, run = order["id"], order["run"]
    held = await registry().record(peering_id)
    if held is None or "order" not in held or held["order"]["run"] != run:
        await registry().settle_order_row(peering_id)
        return False
    last = held["order"]["executions"] >= MOST_EXECUTIONS

    def resuming(record: Record | None, now: datetime) -> tuple[Record | None, Record | None]:
        if record is None or "order" not in record or record["order"]["run"] != run:
            return record, None
        (_interrupt if last else _begin_again)(record, now)
        return record, record

    resumed = await registry().change(peering_id, resuming)
    if resumed is not None:
        await note_ended_runs(resumed)
    log.warning("event=order-%s peering=%s run=%s", "interrupted" if last else "resumed", peering_id, run)
    if is_running(status):
        await end_instance(client, peering_id, "it gave no sign of life")
    if resumed is not None and not last:
        await start_order(client, peering_id)
    return resumed is not None


def _begin_again(record: Record, now: datetime) -> None:
    """Whoever had the order has it no more, though what it began may go on for as long as a function may run."""
    order = record["order"]
    order["executions"] += 1
    order["execution"] = ""
    order["not_before"] = (now + resume_pause(order["executions"])).isoformat()
    order["alive_until"] = record["unsettled"] = (now + FUNCTION_TIMEOUT).isoformat()


def _interrupt(record: Record, now: datetime) -> None:
    """End an order that could not be carried out; what its executions made is recorded."""
    order = record["order"]
    fence = Fence(id=record["peering"]["id"], run=order["run"], execution=order.get("execution", ""), alive_until="")
    order["execution"] = fence["execution"]
    problem = Occurrence(code="interrupted", detail=f"It was begun {order['executions']} times.")
    record["unsettled"] = (now + FUNCTION_TIMEOUT).isoformat()
    ending = Ending(fence=fence, state="failed", facts={}, steps={}, at=now.isoformat(), drop=False, problem=problem)
    conclude(record, ending)


async def sweep_again(client: DurableClient) -> bool:
    """Begin the scheduled check again if its orchestrator failed: that is never the check's own doing."""
    status = await client.get_status(SWEEP)
    if status.runtime_status is None or status.runtime_status.name != "Failed":
        return False
    given = Sweep(repairs=True, deadlines=settings().deadlines)
    return await start_unless_running(client, "check_health", SWEEP, given)


async def end_unbegun(client: DurableClient) -> int:
    """End instances that were accepted and have not begun in time; returns how many.

    Such a one would refuse every later start of its id, that of the scheduled check among them.
    """
    before = registry().now - SIGN_OF_LIFE
    ended = 0
    for status in await client.get_status_by(None, before, [OrchestrationRuntimeStatus.Pending]):
        if status.instance_id is not None:
            await client.terminate(status.instance_id, "it has never begun")
            ended += 1
    return ended


async def purge_ended(client: DurableClient) -> int:
    """Purge instances that ended an hour ago, a bounded number; returns how many.

    The scheduled check has one id, and the engine keeps something of each time that it ran: it goes before the next.
    """
    purged = await _purge_if_ended(client, [await client.get_status(SWEEP)], registry().now - _SWEEP_KEPT_AFTER_END)
    before = registry().now - _KEPT_AFTER_END
    while purged < _PURGED_AT_ONCE:
        # The engine lists a page alone, and what is purged makes room on it.
        listed = await client.get_status_by(None, before, list(_ENDED))
        if not (more := await _purge_if_ended(client, listed, before)):
            break
        purged += more
    return purged


async def _purge_if_ended(client: DurableClient, found: Sequence[OrchestrationStatus], before: datetime) -> int:
    """Purge those that ended before a moment; returns how many."""
    purged = 0
    for status in found:
        ended, instance = status.last_updated_time, status.instance_id
        if instance is not None and ended is not None and status.runtime_status in _ENDED and ended < before:
            purged += await _purge(client, instance)
    return purged


async def _purge(client: DurableClient, instance: str) -> bool:
    """Purge an instance; one that changes meanwhile is left for the next time."""
    try:
        await client.purge_instance_history(instance)
    except Exception as error:  # the SDK raises a bare exception
        log.warning("event=purge-failed instance=%s error=%s", instance, error)
        return False
    return True


async def forget_runs() -> int:
    """Delete runs that began longer ago than `HISTORY_DAYS`, a bounded number; returns how many."""
    before = registry().now - timedelta(days=settings().history_days)
    return await registry().forget_runs(before.isoformat(), _FORGOTTEN_AT_ONCE)
