"""The pause of all automatic checks and repairs: one row beside the peerings'."""

import json
from typing import Final

from clients.registry import registry, rows
from peering.erasure import erased
from peering.record import Pause, lasts

_PAUSES: Final = "pauses"
_ALL: Final = "all"


async def pause_all(pause: Pause) -> None:
    """Pause the automatic checks and repairs of all peerings, also of future ones."""
    await registry().put({"PartitionKey": _PAUSES, "RowKey": _ALL, **rows.split("pause", json.dumps(pause))})


async def resume_all() -> None:
    """End that pause, if there is one."""
    await registry().delete_rows([{"PartitionKey": _PAUSES, "RowKey": _ALL}])


async def erase(caller: str) -> None:
    """Erase a caller from that pause.

    Args:
        caller: the caller's name or id.
    """
    pause = await _held()
    if pause is not None and erased(pause, caller) != pause:
        await pause_all(erased(pause, caller))


async def of_all() -> Pause | None:
    """The pause of all peerings that is in force."""
    pause = await _held()
    return pause if pause is not None and lasts(pause, registry().now.isoformat()) else None


async def _held() -> Pause | None:
    """The pause of all peerings, also one that has ended by itself."""
    found = await registry().scan(f"PartitionKey eq '{_PAUSES}' and RowKey eq '{_ALL}'")
    pause: Pause | None = json.loads(rows.joined("pause", found[0])) if found else None
    return pause
