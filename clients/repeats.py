"""The changes that were requested with each `Idempotency-Key`, and their responses: rows beside the peerings'."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clients.registry import registry, rows
from peering.runs import FUNCTION_TIMEOUT
from peering.sweep import cut

_REPEATS: Final = "repeats"
#: How long a response is kept.
KEPT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Repeat:
    """A request with a key: its fingerprint, and its response once there is one."""

    fingerprint: str
    status: int | None = None
    headers: dict[str, str] | None = None
    body: str = ""


async def claim(key: str, fingerprint: str) -> Repeat | None:
    """Claim a key for a request; the request that has it already, if there is one.

    One that has had no response for as long as a function may run never will: its key is claimed again.
    """
    claimed: rows.Row = {**_key(key), "at": registry().now.isoformat(), "fingerprint": fingerprint, "status": 0}
    while not await registry().claim(claimed):
        held = await registry().scan(f"PartitionKey eq '{_REPEATS}' and RowKey eq '{key}'")
        if held and not _is_over(held[0]):
            return _read(held[0])
        for row in held:
            await registry().delete_as_read(row)
    return None


async def answer(key: str, repeat: Repeat) -> None:
    """Store the response of a request."""
    headers, body = rows.split("headers", json.dumps(repeat.headers)), rows.split("body", repeat.body)
    kept: rows.Row = {"at": registry().now.isoformat(), "fingerprint": repeat.fingerprint, "status": repeat.status or 0}
    await registry().put({**_key(key), **kept, **headers, **body})


async def release(key: str) -> None:
    """Release a key: its request was refused, and may be sent again."""
    await registry().delete_rows([_key(key)])


async def forget() -> int:
    """Delete expired responses; returns how many."""
    before = (registry().now - KEPT).isoformat()
    old = await registry().scan(f"PartitionKey eq '{_REPEATS}' and at lt '{before}'", "RowKey")
    for some in cut(old, 100):
        await registry().delete_rows(some)
    return len(old)


def _key(key: str) -> rows.Row:
    return {"PartitionKey": _REPEATS, "RowKey": key}


def _is_over(row: rows.Held) -> bool:
    age = registry().now - datetime.fromisoformat(str(row["at"]))
    return age > (KEPT if row["status"] else FUNCTION_TIMEOUT)


def _read(row: rows.Held) -> Repeat:
    if not row["status"]:
        return Repeat(fingerprint=str(row["fingerprint"]))
    return Repeat(
        fingerprint=str(row["fingerprint"]),
        status=rows.number("status", row),
        headers=json.loads(rows.joined("headers", row)),
        body=rows.joined("body", row),
    )
