"""The pause of all automatic checks and repairs: one row beside the peerings'."""

import json
from typing import Final

from clients.registry import registry, rows
from peering.record import Pause, lasts

_PAUSES: Final = "pauses"
_ALL: Final = "all"


async def pause_all(pause: Pause) -> None:
    """Pause the automatic checks and repairs of all peerings, also of future ones."""
    await registry().put({"PartitionKey": _PAUSES, "RowKey": _ALL, **rows.split("pause", json.dumps(pause))})


async def resume_all() -> None:
    """End that pause, if there is one."""
    await registry().delete_rows([{"PartitionKey": _PAUSES, "RowKey": _ALL}])


async def of_all() -> Pause | None:
    """The pause of all peerings that is in force."""
    found = await registry().scan(f"PartitionKey eq '{_PAUSES}' and RowKey eq '{_ALL}'")
    pause: Pause | None = json.loads(rows.joined("pause", found[0])) if found else None
    return pause if pause is not None and lasts(pause, registry().now.isoformat()) else None
