"""The work of the resume timer: overdue orders are restarted, ended instances are purged.

One condition covers lost starts, platform failures, terminated and stuck instances, histories that no longer replay and
a purged task hub. An order is open, and no execution gives a sign of life.
"""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from azure.durable_functions import OrchestrationRuntimeStatus

from clients import pauses
from clients.durable import DurableClient, OrchestrationStatus, end_instance, is_running, start_unless_running
from clients.registry import registry, sweeps
from clients.registry.orders import log_ended, note_ended_runs, start_order
from clients.registry.rows import OrderRow
from clients.settings import settings
from clients.side_by_side import side_by_side
from clients.telemetry import count, show
from peering.calls import CHECK_HEALTH
from peering.orders import MOST_EXECUTIONS
from peering.outcome import Occurrence
from peering.record import Record
from peering.registry import Ending, conclude
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE, START_WITHIN, SWEEP, peering_of_instance, resume_pause
from peering.spec import Fence
from peering.sweep import Sweep

log: Final = logging.getLogger("aiven_azure_peering.resume")

#: The maximum number of instances that one call purges, and of runs that one call deletes.
_PURGED_AT_ONCE: Final = 500
_FORGOTTEN_AT_ONCE: Final = 2000
#: How long an ended instance is kept, for readers of its status.
_KEPT_AFTER_END: Final = timedelta(hours=1)
_SWEEP_KEPT_AFTER_END: Final = timedelta(minutes=2)
_COMPLETED: Final = (OrchestrationRuntimeStatus.Completed,)
_BROKEN_OFF: Final = tuple(getattr(OrchestrationRuntimeStatus, name) for name in ("Failed", "Terminated", "Canceled"))
#: How long the other parts of an order may take, in addition to its wait for Aiven.
_BESIDE_WAITING: Final = timedelta(hours=2)
#: The number of orders or instances that a call handles in parallel.
_AT_ONCE: Final = 16
#: For how many seconds one call of the timer resumes, ends and purges, so that it ends before `functionTimeout`; and
#: how long one order may take.
_RESUMED_WITHIN: Final = 100.0
_ENDED_WITHIN: Final = 20.0
_PURGED_WITHIN: Final = 40.0
_LONGEST_RESUMPTION: Final = 45.0


async def resume_overdue(client: DurableClient) -> int:
    """Restart overdue orders, the most overdue first; returns how many.

    The next call handles what remains. A failure of one order does not affect the others.
    """

    async def resume(order: OrderRow) -> bool:
        status = await client.get_status(order["id"])
        if not _is_overdue(order, status, registry().now):
            return False
        # The list may be stale: an execution that has worked on the order since it was read continues.
        return await registry().order(order["id"]) == order and await _resume(client, order, status)

    orders, now = await registry().orders(), registry().now
    placed = [datetime.fromisoformat(order["at"]) for order in orders]
    show("peering.orders.oldest_age", max(0.0, (now - min(placed, default=now)).total_seconds()))
    _tell_lasting(orders, now)
    due = [order for order in orders if now >= datetime.fromisoformat(order["not_before"])]
    # A running execution renews its order's sign of life, so every other order reaches the front.
    due.sort(key=lambda order: datetime.fromisoformat(order["alive_until"]))
    done = await side_by_side(resume, due, at_once=_AT_ONCE, within=_RESUMED_WITHIN, longest=_LONGEST_RESUMPTION)
    for order, error in done.failures:  # any error: the next call tries it again
        log.error("event=resume-failed peering=%s", order["id"], exc_info=error)
    if done.left:
        log.warning("event=resume-unfinished orders=%s", len(done.left))
    return sum(done.results)


def _tell_lasting(orders: Sequence[OrderRow], now: datetime) -> None:
    """Log the orders that are open for longer than they may wait for Aiven: an alert rule reads these records."""
    longest = timedelta(hours=settings().platform_deadline_hours) + _BESIDE_WAITING
    for order in orders:
        if now - datetime.fromisoformat(order["at"]) > longest:
            log.warning("event=order-lasting peering=%s run=%s since=%s", order["id"], order["run"], order["at"])


def _is_overdue(order: OrderRow, status: OrchestrationStatus[object], now: datetime) -> bool:
    """Whether an overdue order has no execution: its instance is missing, or has given no sign of life in time."""
    return not is_running(status) or now >= datetime.fromisoformat(order["alive_until"])


async def _resume(client: DurableClient, order: OrderRow, status: OrchestrationStatus[object]) -> bool:
    """Record that an order is restarted, end its last execution if necessary, and start another one."""
    peering_id = order["id"]
    held = await registry().record(peering_id)
    if held is None or not _is_order_of(held, order):
        await registry().settle_order_row(peering_id)
        return False
    last = held["order"]["executions"] >= MOST_EXECUTIONS

    def resuming(record: Record | None, now: datetime) -> tuple[Record | None, Record | None]:
        if record is None or not _is_order_of(record, order):
            return record, None
        (_interrupt if last else _begin_again)(record, now)
        return record, record

    resumed = await registry().change(peering_id, resuming)
    if resumed is None:
        return False
    if last:
        operation = held["order"]["operation"]
        count("peering.orders.ended", operation=operation, state="failed", problem="interrupted")
        log_ended(peering_id, order["run"], operation, "failed")
    await note_ended_runs(resumed)
    log.warning("event=order-%s peering=%s run=%s", "interrupted" if last else "resumed", peering_id, order["run"])
    if is_running(status):
        await end_instance(client, peering_id, "it gave no sign of life")
    if not last:
        await start_order(client, peering_id)
    return True


def _is_order_of(record: Record, order: OrderRow) -> bool:
    """Whether a record's order is that of a row, with the same execution."""
    held = record.get("order")
    return held is not None and (held["run"], held.get("execution", "")) == (order["run"], order["execution"])


def _begin_again(record: Record, now: datetime) -> None:
    """The former execution has lost the order, though its calls may continue for as long as a function may run."""
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
    problem = Occurrence(code="interrupted", detail=f"It was started {order['executions']} times.")
    record["unsettled"] = (now + FUNCTION_TIMEOUT).isoformat()
    ending = Ending(fence=fence, state="failed", facts={}, steps={}, at=now.isoformat(), drop=False, problem=problem)
    conclude(record, ending)


async def sweep_again(client: DurableClient) -> bool:
    """Restart the check of all if its orchestrator failed, which a check itself never causes, or never started.

    While all peerings are paused it repairs nothing.
    """
    status = await client.get_status(SWEEP)
    has_failed = status.runtime_status is OrchestrationRuntimeStatus.Failed
    if not has_failed and (is_running(status) or not await _is_sweep_owed()):
        return False
    given = Sweep(repairs=await pauses.of_all() is None, deadlines=settings().deadlines)
    return await start_unless_running(client, CHECK_HEALTH, SWEEP, given)


async def _is_sweep_owed() -> bool:
    """Whether a requested check of all should have begun by now."""
    wanted = await sweeps.owed()
    return wanted is not None and datetime.fromisoformat(wanted) + START_WITHIN < registry().now


async def end_unbegun(client: DurableClient) -> int:
    """End instances that were accepted and have not begun in time; returns how many.

    Such an instance would refuse every later start of its id, including that of the scheduled check.
    """
    found = await client.get_status_by(None, registry().now - SIGN_OF_LIFE, [OrchestrationRuntimeStatus.Pending])
    unbegun = [status.instance_id for status in found if status.instance_id is not None]
    done = await side_by_side(
        lambda instance: client.terminate(instance, "it has never started"),
        unbegun,
        at_once=_AT_ONCE,
        within=_ENDED_WITHIN,
    )
    for instance, error in done.failures:
        log.warning("event=end-failed instance=%s error=%s", instance, error)
    return len(done.results)


async def purge_ended(client: DurableClient) -> int:
    """Purge instances that ended an hour ago, a bounded number; returns how many.

    An instance that did not complete is evidence about its order, and is kept while the order is open. The scheduled
    check has one id, and the engine keeps data of each execution, so it is purged before the next one.
    """
    now, until = registry().now, time.monotonic() + _PURGED_WITHIN
    are_open = {order["id"] for order in await registry().orders()}
    purged = await _purge(client, [await client.get_status(SWEEP)], now - _SWEEP_KEPT_AFTER_END, are_open)
    before = now - _KEPT_AFTER_END
    for states in (_COMPLETED, _BROKEN_OFF):
        while purged < _PURGED_AT_ONCE and time.monotonic() < until:
            # The engine lists only one page; purged instances make room on it.
            listed = await client.get_status_by(None, before, states)
            if not (more := await _purge(client, listed, before, are_open)):
                break
            purged += more
    return purged


async def _purge(
    client: DurableClient, found: Sequence[OrchestrationStatus[object]], before: datetime, are_open: Collection[str]
) -> int:
    """Purge those that ended before a moment and are no evidence; returns how many."""
    ended = [
        status.instance_id
        for status in found
        if status.instance_id is not None
        and status.last_updated_time is not None
        and status.last_updated_time < before
        and (
            status.runtime_status in _COMPLETED
            or (status.runtime_status in _BROKEN_OFF and peering_of_instance(status.instance_id) not in are_open)
        )
    ]
    done = await side_by_side(client.purge_instance_history, ended, at_once=_AT_ONCE, within=_PURGED_WITHIN)
    for instance, error in done.failures:  # one that changes meanwhile is left for the next time
        log.warning("event=purge-failed instance=%s error=%s", instance, error)
    return len(done.results)


async def forget_runs() -> int:
    """Delete runs that ended longer ago than `HISTORY_DAYS`, a bounded number; returns how many."""
    before = registry().now - timedelta(days=settings().history_days)
    return await registry().history.forget(before.isoformat(), _FORGOTTEN_AT_ONCE)
