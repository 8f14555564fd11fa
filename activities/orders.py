"""The activities that keep a peering's record while its order is carried out: take, phase, signs of life, outcome."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from clients.durable import DurableClient
from clients.orders import hint
from clients.registry import registry
from peering.orders import Lost, PhaseChange, Supersession, Taken, Taking
from peering.registry import Ending, Record, conclude, enter_phase, peering_of, superseded_runs, take
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE
from peering.spec import Fence

log: Final = logging.getLogger("aiven_azure_peering.run")


async def take_order(given: Taking) -> Taken | None:
    """Take the open order of a peering for an execution; None when there is none."""

    def taking(record: Record | None, _: datetime) -> tuple[Record | None, Taken | None]:
        order = take(record, given["execution"], given["at"]) if record else None
        if record is None or order is None:
            return record, None
        order["alive_until"] = (datetime.fromisoformat(given["at"]) + SIGN_OF_LIFE).isoformat()
        return record, Taken(
            order=order,
            peering=peering_of(record, order),
            known=record["facts"],
            revision=record["revision"],
            unsettled=record.get("unsettled"),
        )

    if (held := await registry().record(given["id"])) is not None:
        for run in superseded_runs(held):
            await registry().note_run(run, replace=False)
    taken = await registry().change(given["id"], taking)
    order = taken["order"] if taken else None
    log.info("event=order-taken peering=%s run=%s", given["id"], order["run"] if order else None)
    return taken


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
