"""Erases a caller from all rows: of peerings, of runs, of refused requests, and of the pause of all."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final, Literal

from clients import pauses
from clients.registry import registry, rows
from clients.side_by_side import side_by_side
from peering.erasure import erased, erased_refusal
from peering.outcome import ProblemError
from peering.record import Record

log: Final = logging.getLogger("aiven_azure_peering.audit")

Kind = Literal["peerings", "runs", "refusals", "pause", "left"]
_Change = Callable[[], Awaitable[Kind]]
#: The number of rows that are changed in parallel, and the seconds for all of them, so that the request is answered in
#: time.
_AT_ONCE: Final = 8
_WITHIN: Final = 100.0


async def erase(caller: str) -> Counter[Kind]:
    """Erase a caller from all rows.

    Args:
        caller: the caller's name or id, in any case.

    Returns:
        How many rows were changed of each kind, and how many are `left`: they need another call, or cannot be read.

    Raises:
        azure.core.exceptions.AzureError: the registry does not respond.
    """
    changes = [change async for change in _changes(caller)]
    done = await side_by_side(lambda change: change(), changes, at_once=_AT_ONCE, within=_WITHIN)
    for _, error in done.failures:
        log.warning("event=erasure-failed error=%s", type(error).__name__)
    found = Counter[Kind](done.results)
    found["left"] = len(done.failures) + len(done.left)
    return found


async def _changes(caller: str) -> AsyncIterator[_Change]:
    """The changes of the rows that name a caller; the one row of the pause of all has its own function."""
    yield partial(_erase_from_pause, caller)
    async for row in registry().peerings():
        if _names(rows.read_peering, row, caller):
            yield partial(_erase_from_peering, str(row["RowKey"]), caller)
    async for row in registry().history.everything():
        is_refusal = row["PartitionKey"] == rows.REFUSALS
        if _names(rows.read_refusal if is_refusal else rows.read_run, row, caller):
            yield partial(_erase_from_refusal if is_refusal else _erase_from_run, row, caller)


def _names(reader: Callable[[rows.Held], object], row: rows.Held, caller: str) -> bool:
    """Whether a row names a caller. An unreadable row counts as if it did: its change fails and reports the reason."""
    try:
        found = reader(row)
    except (KeyError, TypeError, ValueError, ProblemError):
        return True
    return erased(found, caller) != found


async def _erase_from_pause(caller: str) -> Kind:
    await pauses.erase(caller)
    return "pause"


async def _erase_from_peering(peering_id: str, caller: str) -> Kind:
    def erasing(record: Record | None, _: datetime) -> tuple[Record | None, Kind]:
        return erased(record, caller), "peerings"

    return await registry().change(peering_id, erasing)


async def _erase_from_run(row: rows.Held, caller: str) -> Kind:
    await registry().history.replace(row, rows.run_row(erased(rows.read_run(row), caller)))
    return "runs"


async def _erase_from_refusal(row: rows.Held, caller: str) -> Kind:
    await registry().history.replace(row, rows.refusal_row(erased_refusal(rows.read_refusal(row), caller)))
    return "refusals"
