"""The registry of peerings in Azure Table Storage: read by key, changed with ETags, never overwritten unread.

Every change is a read, a pure function on what was read, and a write with the ETag of the read. After a conflict or a
lost response it is repeated; the new read shows whether the write took effect.
"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableTransactionError, UpdateMode

from clients.registry import rows, schema
from clients.registry.run_history import RunHistory
from clients.registry.table import PAGE, TRIES, ServiceClock, Table, as_read, etag_of, unchanged
from clients.registry.table_calls import read, table_service
from peering.outcome import ProblemError
from peering.record import Record, UnmanagedConnections
from peering.runs import SIGN_OF_LIFE
from peering.spec import Fence
from peering.sweep import cut

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

__all__ = ["Held", "Mutation", "Registry", "etag_of", "table_service"]

log: Final = logging.getLogger("aiven_azure_peering.registry")

T = TypeVar("T")
#: A change of a record at a time: returns the new record, or None to delete it, and a result for the caller.
Mutation = Callable[[Record | None, datetime], tuple[Record | None, T]]

#: The names of the tables, which the deployment's templates create.
PEERINGS_TABLE: Final = "peerings"
RUNS_TABLE: Final = "runs"
#: How often a change is repeated because the result of a write is unknown.
_LOST_WRITES: Final = 2
#: A sign of life that lasts for less than this is renewed.
_RENEW_BEFORE: Final = SIGN_OF_LIFE * 2 / 3
#: The maximum number of operations in one transaction.
_TRANSACTION: Final = 100
#: Spreads the retries of concurrent changes of one row.
_SPREAD: Final = random.SystemRandom()
#: The number of records that are remembered as they were written.
_REMEMBERED: Final = 64
_CONFLICTS: Final = frozenset({404, 409, 412})


@dataclass(frozen=True)
class Held:
    """A row as it was read."""

    record: Record
    etag: str


class Registry:
    """The table of peerings; `history` is that of runs.

    Args:
        service: the client of the storage account's Table service.
    """

    def __init__(self, service: "TableServiceClient") -> None:
        self._clock = ServiceClock()
        self._table = Table(service, PEERINGS_TABLE, self._clock)
        self.history = RunHistory(Table(service, RUNS_TABLE, self._clock))
        self._is_migrated = False
        #: The records that were written last, with the ETags of these writes: until another worker writes one, the
        #: next change of it needs no read.
        self._written: OrderedDict[str, Held] = OrderedDict()

    @property
    def now(self) -> datetime:
        """The service's time, by its last responses."""
        return self._clock.now

    async def held(self, peering_id: str) -> Held | None:
        """A peering's record with its ETag: a point read."""
        row = await self._table.row(rows.PEERINGS, peering_id)
        return Held(read(rows.read_peering, row), etag_of(row)) if row is not None else None

    async def record(self, peering_id: str) -> Record | None:
        """A peering's record, or None when it is not in the registry."""
        held = await self.held(peering_id)
        return held.record if held else None

    async def change(
        self,
        peering_id: str,
        mutation: Mutation[T],
        *,
        health: bool = False,
        written: tuple[Record | None, T] | None = None,
    ) -> T:
        """Change a peering's record.

        Args:
            peering_id: the peering.
            mutation: the change, a function that may be called again.
            health: write the columns of checks alone.
            written: what may have been written already, and its result.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
            azure.core.exceptions.AzureError: the Table service refuses, or does not answer.
        """
        failure: AzureError | None = None
        lost, held = 0, self._written.pop(peering_id, None)
        if held is not None and not _is_change(mutation, held.record, self.now):
            held = None
        for attempt in range(TRIES):
            held = held or await self.held(peering_id)
            before = held.record if held else None
            if written is not None and before == written[0]:
                return written[1]
            after, answer = mutation(deepcopy(before), self.now)
            if after == before:
                return answer
            written = after, answer
            try:
                await self._write(peering_id, held, after, health=health)
            except AzureError as error:
                lost += not _is_conflict(error)
                if not _may_differ(error) or lost > _LOST_WRITES:
                    raise
                failure, held = error, None
                await asyncio.sleep(_SPREAD.uniform(0, 0.02 * 2 ** min(attempt, 6)))
            else:
                return answer
        raise ProblemError("registry-contended", f"Tried {TRIES} times; the last answer was {failure}.")

    async def change_health(self, mutations: Mapping[str, Mutation[T]], known: Mapping[str, Held]) -> dict[str, T]:
        """Store the results of checks of some peerings, a hundred per transaction; returns the changes' results by id.

        Args:
            mutations: the changes.
            known: the peerings as they were read earlier; the parts that a check reads are sufficient.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
            azure.core.exceptions.AzureError: the Table service refuses, or does not answer.
        """
        answers: dict[str, T] = {}
        for some in cut(list(mutations), _TRANSACTION):
            answers |= await self._change_together({one: mutations[one] for one in some}, known)
        return answers

    async def _change_together(self, mutations: Mapping[str, Mutation[T]], known: Mapping[str, Held]) -> dict[str, T]:
        """Change some peerings in one transaction: as they are known, else as they are now, else one by one."""
        made = dict[str, tuple[Record | None, T]]()
        for is_first in (True, False):
            there = known if is_first else await self._all_held(mutations)
            made = {one: self._made(change, there[one], made.get(one)) for one, change in mutations.items()}
            operations = [
                _operation(one, was, after, health=True)
                for one, (after, _) in made.items()
                if (was := there[one]) is not None and after is not None and after != was.record
            ]
            try:
                if operations:
                    await self._table.asked(partial(self._table.client.submit_transaction, operations))
            except AzureError as error:
                # If one row has changed meanwhile, the whole transaction fails.
                log.info("event=transaction-failed peerings=%s error=%s", len(made), type(error).__name__)
            else:
                return {one: answer for one, (_, answer) in made.items()}
        return {
            one: await self.change(one, change, health=True, written=made[one]) for one, change in mutations.items()
        }

    async def _all_held(self, ids: Collection[str]) -> dict[str, Held | None]:
        return dict(zip(ids, await asyncio.gather(*map(self.held, ids)), strict=True))

    def _made(
        self, mutation: Mutation[T], held: Held | None, written: tuple[Record | None, T] | None
    ) -> tuple[Record | None, T]:
        """The changed record, and the result: the earlier one if only the response of the write was lost."""
        before = held.record if held else None
        if before is not None and written is not None:
            after, answer = written
            if after is not None and rows.health_columns(before) == rows.health_columns(after):
                return before, answer
        return mutation(deepcopy(before), self.now)

    async def _write(self, peering_id: str, held: Held | None, after: Record | None, *, health: bool) -> None:
        """Write a record and the row of its order, in one transaction where both change."""
        main = _operation(peering_id, held, after, health=health)
        beside = _order_operation(peering_id, held.record if held else None, after)
        if beside is None:
            self._note_written(peering_id, after, await self._single(main))
            return
        try:
            answers = await self._table.asked(lambda: self._table.client.submit_transaction([main, beside]))
        except TableTransactionError as error:
            if error.index == 0 and error.status_code in _CONFLICTS:
                raise
            log.info("event=transaction-failed peering=%s status=%s", peering_id, error.status_code)
        else:
            self._note_written(peering_id, after, answers[0])
            return
        # An order without a row would not be resumed; a row of another order is corrected when it is read.
        if after is not None and "order" in after:
            with suppress(ResourceExistsError):
                await self._table.asked(
                    lambda: self._table.client.create_entity(rows.order_row(peering_id, after["order"]))
                )
        await self._single(main)
        await self.settle_order_row(peering_id)

    def _note_written(self, peering_id: str, after: Record | None, answer: Mapping[str, Any] | None) -> None:
        etag = (answer or {}).get("etag")
        if after is None or etag is None:
            return
        self._written[peering_id] = Held(after, etag)
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    async def _single(self, operation: tuple[Any, ...]) -> Mapping[str, Any] | None:
        kind, entity, *rest = operation
        options: dict[str, Any] = rest[0] if rest else {}
        calls: dict[str, Callable[..., Awaitable[Mapping[str, Any] | None]]] = {
            "create": self._table.client.create_entity,
            "update": self._table.client.update_entity,
            "delete": self._table.client.delete_entity,
        }
        return await self._table.asked(lambda: calls[kind](entity, **options))

    async def is_own(self, fence: Fence) -> bool:
        """Whether the open order of a peering is an execution's own; renews its sign of life."""
        key = {"PartitionKey": rows.PEERINGS, "RowKey": rows.order_key(fence["id"])}
        for _ in range(TRIES):
            row = await self._table.row(rows.PEERINGS, key["RowKey"])
            order = read(rows.read_order, row) if row is not None else None
            if order is None or (order["run"], order["execution"]) != (fence["run"], fence["execution"]):
                return False
            left = datetime.fromisoformat(fence["alive_until"]) - datetime.fromisoformat(order["alive_until"])
            if left <= SIGN_OF_LIFE - _RENEW_BEFORE:
                return True
            with suppress(ResourceModifiedError, ResourceNotFoundError):
                renewed = {**key, "alive_until": fence["alive_until"]}
                await self._table.asked(partial(self._table.client.update_entity, renewed, **as_read(row)))
                return True
        raise ProblemError("registry-contended", f"Tried {TRIES} times to renew the sign of life.")

    async def order(self, peering_id: str) -> rows.OrderRow | None:
        """The open order of a peering, if there is one."""
        row = await self._table.row(rows.PEERINGS, rows.order_key(peering_id))
        return read(rows.read_order, row) if row is not None else None

    async def settle_order_row(self, peering_id: str) -> None:
        """Make the row of a peering's order equal to its record: an interrupted write may have left another one.

        One that changes in the meantime is left to the caller that changes it.
        """
        # The record is read after its order's row: a change of both changes the ETag of the row that was read.
        held = await self._table.row(rows.PEERINGS, rows.order_key(peering_id))
        record = await self.record(peering_id)
        wanted = rows.order_row(peering_id, record["order"]) if record is not None and "order" in record else None
        with suppress(ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            if wanted is None and held is not None:
                key = rows.PEERINGS, rows.order_key(peering_id)
                await self._table.asked(partial(self._table.client.delete_entity, *key, **as_read(held)))
            elif wanted is not None and held is None:
                await self._table.asked(partial(self._table.client.create_entity, wanted))
            elif wanted is not None and held is not None and not rows.is_row_of(held, wanted):
                replace = partial(self._table.client.update_entity, wanted, mode=UpdateMode.REPLACE)
                await self._table.asked(partial(replace, **as_read(held)))

    async def orders(self) -> list[rows.OrderRow]:
        """All open orders that this version can carry out."""
        found = [row async for row in self._table.query(rows.only_orders())]
        for row in found:
            if schema.is_newer(row):
                log.error("event=row-newer key=%s", row["RowKey"])
        return [read(rows.read_order, row) for row in found if not schema.is_newer(row)]

    async def peerings(self) -> AsyncIterator[rows.Held]:
        """The rows of all peerings, page after page."""
        async for row in self._table.query(rows.only_peerings()):
            yield row

    async def scan(self, condition: str, *columns: str) -> list[rows.Held]:
        """The rows beside the peerings' own that meet a condition of OData."""
        select = ["PartitionKey", *columns] if columns else None
        return [row async for row in self._table.query(condition, select=select)]

    async def insert(self, row: rows.Row) -> None:
        """Insert a row beside the peerings' own; an existing one stays unchanged."""
        with suppress(ResourceExistsError):
            await self._table.asked(lambda: self._table.client.create_entity(row))

    async def claim(self, row: rows.Row) -> bool:
        """Insert a row beside the peerings' own; False if one with its keys exists."""
        try:
            await self._table.asked(lambda: self._table.client.create_entity(row))
        except ResourceExistsError:
            return False
        return True

    async def put(self, row: rows.Row) -> None:
        """Insert or replace a row beside the peerings' own.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
        """
        await self._table.put(row)

    async def replace(self, held: rows.Held, row: rows.Row) -> None:
        """Replace a row beside the peerings' own; arguments and errors are those of `Table.replace`."""
        await self._table.replace(held, row)

    async def delete_rows(self, found: Sequence[rows.Held]) -> None:
        """Delete rows of one partition, a hundred at most; rows that are already deleted do not matter."""
        keys = [{"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]} for row in found]
        try:
            await self._table.asked(lambda: self._table.client.submit_transaction([("delete", key) for key in keys]))
        except TableTransactionError:
            for key in keys:
                alone = str(key["PartitionKey"]), str(key["RowKey"])
                await self._table.asked(partial(self._table.client.delete_entity, *alone))

    async def delete_as_read(self, row: rows.Held) -> None:
        """Delete a row, unless it has changed since it was read."""
        key = str(row["PartitionKey"]), str(row["RowKey"])
        with suppress(ResourceModifiedError, ResourceNotFoundError):
            await self._table.asked(partial(self._table.client.delete_entity, *key, **as_read(row)))

    async def page(self, after: str, limit: int) -> list[rows.Held]:
        """The columns for lists of the first peerings behind an id, in the order of their ids."""
        return await self.listed(f"RowKey gt {rows.quoted(after)}", limit=limit)

    async def listed(self, condition: str = "", limit: int | None = None) -> list[rows.Held]:
        """The columns for lists of the peerings that match an OData condition, of all of them or of the first."""
        return list(map(rows.listed, await self.columns(condition, *rows.COLUMNS, limit=limit)))

    async def columns(self, condition: str, *columns: str, limit: int | None = None) -> list[rows.Held]:
        """Some columns of the peerings that match an OData condition, of all of them or of the first.

        Rows that a newer version of the app wrote are left out.
        """
        condition = f"{rows.only_peerings()} and ({condition})" if condition else rows.only_peerings()
        found = []
        select = ["RowKey", *rows.SCHEMAS, *columns]
        async for row in self._table.query(condition, select=select, results_per_page=limit or PAGE):
            if not schema.is_newer(row):
                found.append(row)
            if len(found) == limit:
                break
        return found

    async def check_known(self) -> None:
        """Check that all peerings can be read.

        Raises:
            ProblemError: `registry-row-newer`.
        """
        async for row in self._table.query(rows.only_newer(), select=["RowKey", *rows.SCHEMAS], results_per_page=1):
            schema.check(row)

    async def note_unmanaged(self, found: UnmanagedConnections) -> None:
        """Store the connections of a project VPC that no peering of this registry has.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
        """
        await self._table.put(rows.unmanaged_row(found))

    async def forget_unmanaged(self, kept: Collection[str]) -> int:
        """Delete the rows of project VPCs other than those with these keys; returns how many."""
        condition = f"PartitionKey eq '{rows.PROJECT_VPCS}'"
        found = [str(row["RowKey"]) async for row in self._table.query(condition, select=["RowKey"])]
        gone = [key for key in found if key not in kept]
        for key in gone:
            await self._table.asked(partial(self._table.client.delete_entity, rows.PROJECT_VPCS, key))
        return len(gone)

    async def is_migrated(self) -> bool:
        """Whether the registry of version 0.2.0 has been migrated; read until it has been."""
        if not self._is_migrated:
            self._is_migrated = await self._table.row(rows.MIGRATIONS, rows.FROM_ENTITIES) is not None
        return self._is_migrated

    async def note_migrated(self) -> None:
        """Record that the registry of version 0.2.0 has been migrated, or that there was none."""
        marker: rows.Row = {"PartitionKey": rows.MIGRATIONS, "RowKey": rows.FROM_ENTITIES, "at": self.now.isoformat()}
        await self._table.put(marker)

    async def unmanaged(self) -> list[UnmanagedConnections]:
        """The connections of all project VPCs that no peering of this registry has, as of the last check of all."""
        condition = f"PartitionKey eq '{rows.PROJECT_VPCS}'"
        found = [row async for row in self._table.query(condition)]
        return [read(rows.read_unmanaged, row) for row in found if not schema.is_newer(row)]


def _is_change(mutation: Mutation[T], record: Record, now: datetime) -> bool:
    """Whether a change of a record that may be outdated would be written; the ETag then decides whether it may be."""
    try:
        return mutation(deepcopy(record), now)[0] != record
    except Exception:  # the change is tried again on the record as it is read, and may fail there
        return False


def _is_conflict(error: AzureError) -> bool:
    """Whether the row has changed since it was read."""
    if isinstance(error, (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)):
        return True
    return isinstance(error, HttpResponseError) and error.status_code in _CONFLICTS


def _may_differ(error: AzureError) -> bool:
    """Whether reading again may help: the row has changed, or it is unknown whether the write took effect."""
    if _is_conflict(error) or not isinstance(error, HttpResponseError):
        return True
    return error.status_code is None or error.status_code >= 500


def _operation(peering_id: str, held: Held | None, after: Record | None, *, health: bool) -> tuple[Any, ...]:
    if after is None:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": peering_id}
        return "delete", key, unchanged(held.etag) if held is not None else {}
    if held is None:
        return "create", rows.peering_row(after)
    if health:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": peering_id}
        return "update", {**key, **rows.health_columns(after)}, {"mode": UpdateMode.MERGE, **unchanged(held.etag)}
    return "update", rows.peering_row(after), {"mode": UpdateMode.REPLACE, **unchanged(held.etag)}


def _order_operation(peering_id: str, before: Record | None, after: Record | None) -> tuple[Any, ...] | None:
    """The change of the order's own row, if there is any."""
    old = before.get("order") if before is not None else None
    new = after.get("order") if after is not None else None
    if new is None:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": rows.order_key(peering_id)}
        return ("delete", key) if old is not None else None
    row = rows.order_row(peering_id, new)
    if old is None:
        return "create", row
    return ("update", row, {"mode": UpdateMode.REPLACE}) if rows.order_row(peering_id, old) != row else None
