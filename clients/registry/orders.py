"""Starting the orchestrator for an order in a peering's record."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import Final

from clients.durable import DurableClient
from clients.registry import registry
from clients.telemetry import carried
from peering.calls import RUN_ORDER, Whose
from peering.outcome import ProblemError
from peering.record import Record, RunRecord
from peering.registry import forget_noted
from peering.runs import STOP

log: Final = logging.getLogger("aiven_azure_peering.run")

#: How often a start is tried, and the pause in seconds: an instance without an order may be about to end.
_STARTS: Final = 12
_HINTS: Final = 3
_PAUSE: Final = 0.25


def log_ended(peering_id: str, run: str, operation: str | None, state: str) -> None:
    """Log that an order has ended, or that another one has superseded it."""
    log.info("event=order-ended peering=%s run=%s operation=%s state=%s", peering_id, run, operation, state)


async def start_order(client: DurableClient, peering_id: str, *, tries: int = _STARTS) -> None:
    """Start the orchestrator of a peering, which carries out the order in the peering's record.

    A running instance causes a refusal: it takes the order after the current one, or is about to end.
    Nothing is lost if no start succeeds, because an order that is not taken is resumed.
    """
    from azure.core.exceptions import AzureError

    for _ in range(tries):
        try:
            await client.start_new(RUN_ORDER, peering_id, Whose(id=peering_id, **carried()))
        except Exception as error:  # the SDK raises a bare exception
            failure = error
        else:
            return
        # The order is in the record, so it is carried out even if the start's result is unknown.
        with suppress(AzureError):
            order = await registry().order(peering_id)
            if order is None or order["execution"]:
                return
        await asyncio.sleep(_PAUSE)
    log.warning("event=start-failed peering=%s error=%s", peering_id, failure)


async def hint(client: DurableClient, instance_id: str) -> None:
    """Notify an instance that the order in its peering's record has changed; the record decides."""
    for _ in range(_HINTS):
        # An ended instance needs no event, and a running one notices at its next poll.
        with suppress(Exception):  # the SDK raises a bare exception
            await client.raise_event(instance_id, STOP, {})
            return
        await asyncio.sleep(_PAUSE)


async def keep_order_row(peering_id: str) -> None:
    """Ensure that the order in a peering's record has its own row, without which it would not be resumed.

    Nothing is lost if that fails: the next request does it.
    """
    from azure.core.exceptions import AzureError

    with suppress(AzureError):
        await registry().settle_order_row(peering_id)


async def keep_ended_runs(peering_id: str) -> None:
    """Move the ended runs from a peering's record to the table of runs, so that the record does not grow.

    Nothing is lost if that fails: the execution that takes the order does it.
    """
    from azure.core.exceptions import AzureError

    def forgetting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None:
            forget_noted(record, noted)
        return record, None

    try:
        record = await registry().record(peering_id)
        if record is not None:
            noted = await note_ended_runs(record)
            await registry().change(peering_id, forgetting)
    except (AzureError, ProblemError) as error:
        log.warning("event=ended-runs-not-noted peering=%s error=%s", peering_id, error)


async def note_ended_runs(record: Record) -> list[RunRecord]:
    """Write the ended runs of a record to the table of runs; returns them."""
    ended = record.get("unnoted", [])
    for run in ended:
        await registry().history.note(run)
    return ended
