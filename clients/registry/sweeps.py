"""The intermediate data of a check of all peerings: rows beside the registry's, deleted at its end.

The keys of a check's rows begin with its start time, so rows of another check are never read as its own.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal

from clients.registry import registry, rows
from clients.registry.remembered import Remembered
from peering.sweep import PROJECT_VPCS_IN_A_PIECE, LeftForPiece, Piece, PieceIds, VpcToLookAt, cut

#: What is read for pieces of VNets.
Looked = Literal["vpcs", "secrets", "assignments"]

_SWEEP: Final = "sweep"
_LAST: Final = "last"
_LAST_ENDED: Final = "last-ended"
_WANTED: Final = "wanted"
_AT_ONCE: Final = 8
#: A row holds a megabyte, and text takes two bytes a character.
_LARGEST: Final = 400_000


def _row(key: str, value: str) -> rows.Row:
    return {"PartitionKey": _SWEEP, "RowKey": key, **rows.split("value", value)}


def _between(first: str) -> str:
    """The rows whose keys begin with a text."""
    return f"PartitionKey eq '{_SWEEP}' and RowKey ge {rows.quoted(first)} and RowKey lt {rows.quoted(first + '~')}"


async def _put_all(found: Iterable[rows.Row]) -> None:
    """Insert rows. Existing rows were written by an earlier delivery of the same activity."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def put(row: rows.Row) -> None:
        async with gate:
            await registry().insert(row)

    await asyncio.gather(*map(put, found))


async def _put_listed(key: str, texts: Iterable[str]) -> None:
    """Store items, given as JSON texts, as lists in as few rows as possible."""
    parts, size = [list[str]()], 0
    for text in texts:
        if size + len(text) > _LARGEST and size:
            parts.append([])
            size = 0
        parts[-1].append(text)
        size += len(text)
    await _put_all(_row(f"{key}|{k:05d}", f"[{','.join(part)}]") for k, part in enumerate(parts))


async def put_vnets(at: str, number: int, snapshots: Iterable[str]) -> None:
    """Store the peerings of a piece of VNets, those of one VNet together, given as JSON texts."""
    await _put_listed(f"{at}|net|{number:05d}|records", snapshots)


async def put_undelivered(at: str, number: int, ids: Sequence[str]) -> None:
    """Store a piece of the peerings that have events to deliver and are not checked."""
    await _put_all([_row(f"{at}|events|{number:05d}", json.dumps(ids))])


async def undelivered(at: str, number: int) -> list[str]:
    """A piece of the peerings that have events to deliver and are not checked."""
    (row,) = await registry().scan(_between(f"{at}|events|{number:05d}"))
    found: list[str] = json.loads(rows.joined("value", row))
    return found


async def put_subscriptions(at: str, subscriptions: Sequence[str]) -> None:
    """Store the subscriptions."""
    await _put_all([_row(f"{at}|subscriptions", json.dumps(subscriptions))])


async def subscriptions(at: str) -> list[str]:
    """The subscriptions."""
    (row,) = await registry().scan(_between(f"{at}|subscriptions"))
    found: list[str] = json.loads(rows.joined("value", row))
    return found


async def put_ids(at: str, number: int, ids: PieceIds) -> None:
    """Store which peerings a piece of VNets has."""
    await _put_all([_row(f"{at}|ids|{number:05d}", json.dumps(ids))])


async def ids(at: str) -> dict[int, PieceIds]:
    """Which peerings the pieces have, by their numbers."""
    found = await registry().scan(_between(f"{at}|ids|"))
    return {int(str(row["RowKey"]).rpartition("|")[2]): json.loads(rows.joined("value", row)) for row in found}


async def put_project_vpcs(at: str, number: int, vpcs: Sequence[VpcToLookAt]) -> None:
    """Store the project VPCs of a piece."""
    await _put_listed(f"{at}|vpcs|{number:05d}", map(json.dumps, vpcs))


async def project_vpcs(at: str, numbers: Iterable[int]) -> dict[int, VpcToLookAt]:
    """Some project VPCs, by their numbers."""
    found: dict[int, VpcToLookAt] = {}
    for piece, wanted in groupby(sorted(numbers), lambda number: number // PROJECT_VPCS_IN_A_PIECE):
        parts = await registry().scan(_between(f"{at}|vpcs|{piece:05d}|"))
        held: list[VpcToLookAt] = [vpc for part in parts for vpc in json.loads(rows.joined("value", part))]
        found |= {number: held[number % PROJECT_VPCS_IN_A_PIECE] for number in wanted}
    return found


async def put_looks(given: Piece, kind: Looked, looks: Mapping[int, object]) -> None:
    """Store looks for the pieces of VNets; those of a later attempt come after earlier ones.

    Args:
        given: what was read, and for which check.
        kind: of what.
        looks: the look for each piece of VNets, by its number.
    """
    source = f"{given['attempt']:03d}-{given['numbers'][0]:05d}"
    await _put_all(
        _row(f"{given['at']}|net|{number:05d}|{kind}|{source}", json.dumps(look)) for number, look in looks.items()
    )


async def vnet_piece(at: str, number: int) -> LeftForPiece:
    """All data that is stored for a piece of VNets."""
    parts = defaultdict[str, list[Any]](list)
    for row in await registry().scan(_between(f"{at}|net|{number:05d}|")):
        parts[str(row["RowKey"]).split("|")[3]].append(json.loads(rows.joined("value", row)))
    return LeftForPiece(
        records=parts["records"], vpcs=parts["vpcs"], secrets=parts["secrets"], assignments=parts["assignments"]
    )


async def clear(before: str) -> None:
    """Delete the intermediate data with keys before this one: a later check may be running."""
    left = await registry().scan(f"PartitionKey eq '{_SWEEP}' and RowKey lt {rows.quoted(before)}", "RowKey")
    for some in cut(left, 100):
        await registry().delete_rows(some)


async def note_end(at: str) -> None:
    """Record the end of the check that began at a time."""
    await registry().put(_row(_LAST, at))


async def note_ended() -> None:
    """Record that the last check of all has ended now."""
    await registry().put(_row(_LAST_ENDED, registry().now.isoformat()))


async def note_wanted(at: str) -> None:
    """Record that a caller was promised a check of all that begins after a time."""
    await registry().put(_row(_WANTED, at))


async def owed() -> str | None:
    """The time after which a promised check of all must begin; None if a check that began later has ended."""
    found = await registry().scan(f"PartitionKey eq '{_SWEEP}' and RowKey ge '{_LAST}'")
    noted = {str(row["RowKey"]): rows.joined("value", row) for row in found}
    wanted = noted.get(_WANTED)
    return wanted if wanted is not None and wanted > noted.get(_LAST, "") else None


async def last_and_its_end() -> tuple[str, str]:
    """When the last completed check of all began, and when it ended; empty if none is recorded."""
    found = await registry().scan(f"PartitionKey eq '{_SWEEP}' and RowKey ge '{_LAST}'")
    noted = {str(row["RowKey"]): rows.joined("value", row) for row in found}
    return noted.get(_LAST, ""), noted.get(_LAST_ENDED, "")


async def _last() -> str:
    found = await registry().scan(f"PartitionKey eq '{_SWEEP}' and RowKey eq '{_LAST}'")
    return rows.joined("value", found[0]) if found else ""


_remembered: Final = Remembered(_last)


async def last() -> str:
    """When the last completed check began, as of some seconds ago; empty if there was none."""
    return await _remembered.value()
