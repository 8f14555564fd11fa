"""The activities that keep a peering's record while its order is carried out: take, phase, signs of life, outcome."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from clients.durable import DurableClient
from clients.orders import hint, note_superseded_runs
from clients.registry import registry
from peering.orders import Lost, Order, PhaseChange, Supersession, Taken, Taking
from peering.registry import Ending, Record, conclude, enter_phase, peering_of, superseded_runs, take
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE
from peering.spec import Fence

log: Final = logging.getLogger("aiven_azure_peering.run")


async def take_order(given: Taking) -> Taken | None:
    """Take the open order of a peering for an execution; None when there is none."""
    # Another order may take the place between two reads; whose place it took is noted before it is taken.
    while (order := (await _noted(given["id"]))) is not None:
        taken = await registry().change(given["id"], partial(_take, given, order["run"]))
        if taken is not None:
            log.info("event=order-taken peering=%s run=%s", given["id"], order["run"])
            return taken
    log.info("event=order-taken peering=%s run=None", given["id"])
    return None


async def _noted(peering_id: str) -> Order | None:
    """The open order of a peering, once the runs whose place it took are in the table of runs."""
    record = await registry().record(peering_id)
    if record is None or "order" not in record:
        return None
    await note_superseded_runs(record)
    return record["order"]


def _take(given: Taking, run: str, record: Record | None, _: datetime) -> tuple[Record | None, Taken | None]:
    if record is None or "order" not in record or record["order"]["run"] != run:
        return record, None
    order = take(record, given["execution"], given["at"])
    order["alive_until"] = (datetime.fromisoformat(given["at"]) + SIGN_OF_LIFE).isoformat()
    taken = Taken(
        order=order,
        peering=peering_of(record, order),
        known=record["facts"],
        revision=record["revision"],
        unsettled=record.get("unsettled"),
    )
    return record, taken


async def renew_order(fence: Fence) -> bool:
    """Give a sign of life; False when the order is not the execution's own any more."""
    return await registry().is_own(fence)


async def enter_order_phase(given: PhaseChange) -> bool:
    """Note which way the order goes from now on; False when it is not the execution's own any more."""

    def entering(record: Record | None, _: datetime) -> tuple[Record | None, bool]:
        return record, record is not None and enter_phase(record, given)

    return await registry().change(given["fence"]["id"], entering)


async def conclude_order(ending: Ending) -> bool:
    """Record the outcome of an order; False when it is not the execution's own any more, and nothing was recorded."""
    fence = ending["fence"]
    held = await registry().record(fence["id"])
    run = conclude(held, ending) if held is not None else None
    if run is None:
        return False
    # The run first: once the order is gone from the record, nobody would write it.
    await registry().note_run(run)

    def concluding(record: Record | None, _: datetime) -> tuple[Record | None, bool]:
        own = record is not None and conclude(record, ending) is not None
        return (None if own and ending["drop"] else record), own

    concluded = await registry().change(fence["id"], concluding)
    log.info("event=order-ended peering=%s run=%s state=%s", fence["id"], fence["run"], ending["state"])
    return concluded


async def note_superseded(given: Supersession) -> None:
    """Keep what a run whose place was taken has found out, and the steps that it got to."""
    fence = given["fence"]

    def noting(record: Record | None, _: datetime) -> tuple[Record | None, Record | None]:
        if record is not None:
            record["facts"] = given["facts"] | record["facts"]
        return record, record

    record = await registry().change(fence["id"], noting)
    for run in superseded_runs(record) if record else ():
        if run["run"] == fence["run"]:
            await registry().note_run({**run, "steps": given["steps"]})


async def note_lost(given: Lost) -> None:
    """Note that a call of the platform's may still be at work for as long as a function may run."""
    until = (datetime.fromisoformat(given["at"]) + FUNCTION_TIMEOUT).isoformat()

    def noting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None and record.get("unsettled", "") < until:
            record["unsettled"] = until
        return record, None

    await registry().change(given["id"], noting)


async def stop_waits(instances: Sequence[str], client: DurableClient) -> None:
    """Tell waits that the order of their run is another one now."""
    for instance in instances:
        await hint(client, instance)
