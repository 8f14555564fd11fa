"""The pause of all automatic checks and repairs: one row beside the peerings'."""

import json
from typing import Final

from clients.registry import registry, rows
from clients.registry.remembered import Remembered
from peering.erasure import erased
from peering.record import Pause, lasts

_PAUSES: Final = "pauses"
_ALL: Final = "all"


async def pause_all(pause: Pause) -> None:
    """Pause the automatic checks and repairs of all peerings, also of future ones."""
    await registry().put(_row_of(pause))
    _remembered.forget()


async def resume_all() -> None:
    """End that pause, if there is one."""
    await registry().delete_rows([{"PartitionKey": _PAUSES, "RowKey": _ALL}])
    _remembered.forget()


async def erase(caller: str) -> None:
    """Erase a caller from that pause, also from one that has ended by itself.

    Args:
        caller: the caller's name or id.

    Raises:
        ProblemError: `registry-row-newer`.
        azure.core.exceptions.AzureError: it has changed meanwhile, or the registry does not respond.
    """
    held = await _held()
    if held is not None and (without := erased(_pause_in(held), caller)) != _pause_in(held):
        await registry().replace(held, _row_of(without))


async def of_all() -> Pause | None:
    """The pause of all peerings that is in force."""
    held = await _held()
    pause = _pause_in(held) if held is not None else None
    return pause if pause is not None and lasts(pause, registry().now.isoformat()) else None


_remembered: Final = Remembered(of_all)


async def shown() -> Pause | None:
    """That pause, as of some seconds ago."""
    return await _remembered.value()


async def _held() -> rows.Held | None:
    found = await registry().scan(f"PartitionKey eq '{_PAUSES}' and RowKey eq '{_ALL}'")
    return found[0] if found else None


def _row_of(pause: Pause) -> rows.Row:
    return {"PartitionKey": _PAUSES, "RowKey": _ALL, **rows.split("pause", json.dumps(pause))}


def _pause_in(row: rows.Held) -> Pause:
    pause: Pause = json.loads(rows.joined("pause", row))
    return pause
