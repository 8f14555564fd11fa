"""The activities that keep a peering's record while its order is carried out: take, phase, signs of life, outcome."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from clients.durable import DurableClient
from clients.registry import registry
from clients.registry.orders import hint, log_ended, note_ended_runs
from clients.telemetry import carried, count, span
from peering.orders import Lost, PhaseChange, Supersession, Taken, Taking
from peering.record import Record, RunRecord
from peering.registry import (
    Ending,
    comes_late,
    conclude,
    enter_phase,
    has_made,
    has_recorded,
    note_stopped,
    peering_of,
    take,
)
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE
from peering.spec import Fence

log: Final = logging.getLogger("aiven_azure_peering.run")


async def take_order(given: Taking) -> Taken | None:
    """Take the open order of a peering for an execution; None when there is none."""
    noted: list[RunRecord] = []
    while True:
        record, taken = await registry().change(given["id"], partial(_take, given, noted))
        if taken is not None or record is None or "order" not in record:
            if taken is not None:
                log.info("event=order-taken peering=%s run=%s", given["id"], taken["order"]["run"])
                _begin_execution(taken)
            return taken
        # What has ended is noted before the order is taken; more may end between two reads.
        noted = await note_ended_runs(record)


def _begin_execution(taken: Taken) -> None:
    """Let the activities of this execution continue a span of its own, whatever started it."""
    order, peering_id = taken["order"], taken["peering"]["id"]
    about = {"peering.id": peering_id, "peering.run": order["run"], "peering.execution": order.get("execution", "")}
    with span(f"run_order {order['operation']}", order.get("trace"), attributes=about):
        taken["order"] = {**order, **carried()}


def _take(
    given: Taking, noted: list[RunRecord], record: Record | None, _: datetime
) -> tuple[Record | None, tuple[Record | None, Taken | None]]:
    if record is None or "order" not in record or record.get("unnoted", []) != noted:
        return record, (record, None)
    if comes_late(record, given["execution"], given["at"]):
        return record, (None, None)
    record.pop("unnoted", None)
    order = take(record, given["execution"], given["at"])
    order["alive_until"] = (datetime.fromisoformat(given["at"]) + SIGN_OF_LIFE).isoformat()
    taken = Taken(
        order=order,
        peering=peering_of(record, order),
        known=record["facts"],
        revision=record["revision"],
        unsettled=record.get("unsettled"),
        has_requested_connection=has_made(record, "peering_connection", order["at"]),
    )
    return record, (record, taken)


async def renew_order(fence: Fence) -> bool:
    """Renew the sign of life; False if the order is no longer the execution's own."""
    return await registry().is_own(fence)


async def enter_order_phase(given: PhaseChange) -> bool:
    """Record the order's phase; False if the order is no longer the execution's own."""

    def entering(record: Record | None, _: datetime) -> tuple[Record | None, bool]:
        return record, record is not None and enter_phase(record, given)

    return await registry().change(given["fence"]["id"], entering)


async def conclude_order(ending: Ending) -> bool:
    """Record the outcome of an order; False, without a record, if the order is no longer the execution's own."""
    fence = ending["fence"]
    if ending["drop"]:
        await _note_before_it_goes(ending)

    def concluding(record: Record | None, _: datetime) -> tuple[Record | None, tuple[bool, Record | None]]:
        if record is None or conclude(record, ending) is None:
            return record, (record is not None and has_recorded(record, fence["run"]), record)
        return (None, (True, None)) if ending["drop"] else (record, (True, record))

    concluded, record = await registry().change(fence["id"], concluding)
    if record is not None:
        await note_ended_runs(record)
    if concluded:
        problem = ending["problem"]["code"] if "problem" in ending else ""
        operation = ending.get("operation", "")
        count("peering.orders.ended", operation=operation, state=ending["state"], problem=problem)
    # A record that is gone does not tell whether an earlier call got as far as the log.
    if concluded or (ending["drop"] and record is None):
        log_ended(fence["id"], fence["run"], ending.get("operation"), ending["state"])
    return concluded


async def _note_before_it_goes(ending: Ending) -> None:
    """A record that is about to be deleted cannot hold the outcome, so the table of runs gets it first."""
    held = await registry().record(ending["fence"]["id"])
    if held is not None and conclude(held, ending) is not None:
        await note_ended_runs(held)


async def note_superseded(given: Supersession) -> None:
    """Record what a superseded run has learned, and the steps that it reached."""

    def noting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None:
            note_stopped(record, given)
        return record, None

    fence = given["fence"]
    await registry().change(fence["id"], noting)
    log_ended(fence["id"], fence["run"], given["operation"], "superseded")


async def note_lost(given: Lost) -> None:
    """Record that a lost call may still be running for as long as a function may run."""
    until = (datetime.fromisoformat(given["at"]) + FUNCTION_TIMEOUT).isoformat()

    def noting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None and record.get("unsettled", "") < until:
            record["unsettled"] = until
        return record, None

    await registry().change(given["id"], noting)


async def stop_waits(instances: Sequence[str], client: DurableClient) -> None:
    """Notify waits that the order of their run has changed."""
    for instance in instances:
        await hint(client, instance)
