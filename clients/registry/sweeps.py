"""The intermediate data of a check of all peerings: rows beside the registry's, deleted at its end.

All rows of a check begin with the time that it began, so what another one has left is never taken for its own.
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
    """The rows whose keys begin so."""
    return f"PartitionKey eq '{_SWEEP}' and RowKey ge {rows.quoted(first)} and RowKey lt {rows.quoted(first + '~')}"


async def _put_all(found: Iterable[rows.Row]) -> None:
    """Insert rows. What is there already was left by the same activity, which the platform ran before."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def put(row: rows.Row) -> None:
        async with gate:
            await registry().insert(row)

    await asyncio.gather(*map(put, found))


async def _put_listed(key: str, texts: Iterable[str]) -> None:
    """Leave things, given as JSON texts, as lists in as few rows as hold them."""
    parts, size = [list[str]()], 0
    for text in texts:
        if size + len(text) > _LARGEST and size:
            parts.append([])
            size = 0
        parts[-1].append(text)
        size += len(text)
    await _put_all(_row(f"{key}|{k:05d}", f"[{','.join(part)}]") for k, part in enumerate(parts))


async def put_vnets(at: str, number: int, snapshots: Iterable[str]) -> None:
    """Leave the peerings of a piece of VNets, those of one VNet together, given as JSON texts."""
    await _put_listed(f"{at}|net|{number:05d}|records", snapshots)


async def put_undelivered(at: str, number: int, ids: Sequence[str]) -> None:
    """Leave a piece of the peerings that have events to deliver and are not checked."""
    await _put_all([_row(f"{at}|events|{number:05d}", json.dumps(ids))])


async def undelivered(at: str, number: int) -> list[str]:
    """A piece of the peerings that have events to deliver and are not checked."""
    (row,) = await registry().scan(_between(f"{at}|events|{number:05d}"))
    found: list[str] = json.loads(rows.joined("value", row))
    return found


async def put_subscriptions(at: str, subscriptions: Sequence[str]) -> None:
    """Leave which subscriptions there are."""
    await _put_all([_row(f"{at}|subscriptions", json.dumps(subscriptions))])


async def subscriptions(at: str) -> list[str]:
    """Which subscriptions there are."""
    (row,) = await registry().scan(_between(f"{at}|subscriptions"))
    found: list[str] = json.loads(rows.joined("value", row))
    return found


async def put_ids(at: str, number: int, ids: PieceIds) -> None:
    """Leave which peerings a piece of VNets has."""
    await _put_all([_row(f"{at}|ids|{number:05d}", json.dumps(ids))])


async def ids(at: str) -> dict[int, PieceIds]:
    """Which peerings the pieces have, by their numbers."""
    found = await registry().scan(_between(f"{at}|ids|"))
    return {int(str(row["RowKey"]).rpartition("|")[2]): json.loads(rows.joined("value", row)) for row in found}


async def put_project_vpcs(at: str, number: int, vpcs: Sequence[VpcToLookAt]) -> None:
    """Leave the project VPCs of a piece."""
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
    """Leave what a look has shown for the pieces of VNets; a later attempt's comes behind an earlier one's.

    Args:
        given: what was read, and for which check.
        kind: of what.
        looks: what each piece of VNets is to know, by its number.
    """
    source = f"{given['attempt']:03d}-{given['numbers'][0]:05d}"
    await _put_all(
        _row(f"{given['at']}|net|{number:05d}|{kind}|{source}", json.dumps(look)) for number, look in looks.items()
    )


async def vnet_piece(at: str, number: int) -> LeftForPiece:
    """All that is left for a piece of VNets."""
    parts = defaultdict[str, list[Any]](list)
    for row in await registry().scan(_between(f"{at}|net|{number:05d}|")):
        parts[str(row["RowKey"]).split("|")[3]].append(json.loads(rows.joined("value", row)))
    return LeftForPiece(
        records=parts["records"], vpcs=parts["vpcs"], secrets=parts["secrets"], assignments=parts["assignments"]
    )


async def clear(before: str) -> None:
    """Delete what the checks have left for their pieces whose rows come before a key: a later one may be at work."""
    left = await registry().scan(f"PartitionKey eq '{_SWEEP}' and RowKey lt {rows.quoted(before)}", "RowKey")
    for some in cut(left, 100):
        await registry().delete_rows(some)


async def note_end(at: str) -> None:
    """Note that a check has come to its end that began then."""
    await registry().put(_row(_LAST, at))


async def note_ended() -> None:
    """Note that the last check of all has come to its end now."""
    await registry().put(_row(_LAST_ENDED, registry().now.isoformat()))


async def note_wanted(at: str) -> None:
    """Record that a caller was promised a check of all that begins after a time."""
    await registry().put(_row(_WANTED, at))


async def owed() -> str | None:
    """From when on a check of all is owed: it was promised, and none has come to its end that began after that."""
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
    """When the last check began that has come to its end, as of some seconds ago; empty if there was none."""
    return await _remembered.value()
