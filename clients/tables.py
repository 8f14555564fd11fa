"""The registry of peerings in Azure Table Storage: read by key, changed with ETags, never overwritten unread.

Every change is a read, a pure function on what was read, and a write with the ETag of the read. After a conflict, or an
answer that was lost, it begins again; what the lost answer had written is seen then. The time is the service's own, as
its answers' `Date` has it: one clock for all workers.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableTransactionError, UpdateMode

from clients import rows
from clients.table_calls import patiently, read, table_service
from peering.outcome import ProblemError
from peering.registry import Record, RunRecord, UnmanagedConnections
from peering.runs import SIGN_OF_LIFE
from peering.spec import Fence

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.data.tables.aio import TableClient, TableServiceClient

__all__ = ["Held", "Mutation", "Registry", "table_service"]

log: Final = logging.getLogger("aiven_azure_peering.registry")

T = TypeVar("T")
#: What is to become of a record, given the time: the record as it is to be, None when it is to go, and an answer.
Mutation = Callable[[Record | None, datetime], tuple[Record | None, T]]

_PEERINGS: Final = "peerings"
_RUNS: Final = "runs"
#: How often a change is begun anew before it is given up.
_TRIES: Final = 12
#: How often of these because the service could not tell what became of a write.
_LOST_WRITES: Final = 2
#: A sign of life that lasts for less than this is renewed.
_RENEW_BEFORE: Final = SIGN_OF_LIFE * 2 / 3
_PAGE: Final = 1000
#: Spreads the tries of those who change one row at once.
_SPREAD: Final = random.SystemRandom()
_NO_TABLE: Final = "TableNotFound"
_NEVER: Final = timedelta.min
_CONFLICTS: Final = frozenset({404, 409, 412})


@dataclass(frozen=True)
class Held:
    """A row as it was read."""

    record: Record
    etag: str


class Registry:
    """The tables `peerings` and `runs`.

    Args:
        service: the client of the storage account's Table service.
    """

    def __init__(self, service: "TableServiceClient") -> None:
        self._service = service
        self._peerings, self._runs = service.get_table_client(_PEERINGS), service.get_table_client(_RUNS)
        self._ahead: timedelta | None = None
        self._is_migrated = False

    @property
    def now(self) -> datetime:
        """The service's time, as of its last answer's."""
        return datetime.now(UTC) + (self._ahead or timedelta())

    def _note_time(self, answer: "PipelineResponse[Any, Any]") -> None:
        if (date := answer.http_response.headers.get("Date")) is not None:
            # The header has whole seconds, so the largest difference seen is the nearest to the truth.
            self._ahead = max(self._ahead or _NEVER, parsedate_to_datetime(date) - datetime.now(UTC))

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        """A call's answer; the tables are created when the first call finds that they are not there."""
        try:
            return await patiently(call)
        except ResourceNotFoundError as error:
            # Not every call of the SDK reads the code out of the answer.
            if getattr(error, "error_code", None) != _NO_TABLE and _NO_TABLE not in str(error):
                raise
        for table in (_PEERINGS, _RUNS):
            await patiently(partial(self._service.create_table_if_not_exists, table))
        return await patiently(call)

    async def _row(self, table: "TableClient", partition: str, key: str, *columns: str) -> rows.Held | None:
        async def get() -> rows.Held:
            found = await table.get_entity(
                partition, key, select=list(columns) or None, raw_response_hook=self._note_time
            )
            return cast("rows.Held", found)

        try:
            return await self._asked(get)
        except ResourceNotFoundError:
            return None

    async def held(self, peering_id: str) -> Held | None:
        """A peering's record with its ETag: a point read."""
        row = await self._row(self._peerings, rows.PEERINGS, peering_id)
        return Held(read(rows.read_peering, row), _etag(row)) if row is not None else None

    async def record(self, peering_id: str) -> Record | None:
        """A peering's record, or None when it is not in the registry."""
        held = await self.held(peering_id)
        return held.record if held else None

    async def change(self, peering_id: str, mutation: Mutation[T], *, health: bool = False) -> T:
        """Change a peering's record.

        Args:
            peering_id: the peering.
            mutation: the change, a function that may be called again.
            health: write the columns of checks alone.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
            azure.core.exceptions.AzureError: the Table service refuses, or does not answer.
        """
        written: tuple[Record | None, T] | None = None
        failure: AzureError | None = None
        lost = 0
        for attempt in range(_TRIES):
            held = await self.held(peering_id)
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
                failure = error
                await asyncio.sleep(_SPREAD.uniform(0, 0.02 * 2 ** min(attempt, 6)))
            else:
                return answer
        raise ProblemError("registry-contended", f"Tried {_TRIES} times; the last answer was {failure}.")

    async def _write(self, peering_id: str, held: Held | None, after: Record | None, *, health: bool) -> None:
        """Write a record and the row of its order, in one transaction where both change."""
        main = _operation(peering_id, held, after, health=health)
        beside = _order_operation(peering_id, held.record if held else None, after)
        if beside is None:
            await self._single(main)
            return
        try:
            await self._asked(lambda: self._peerings.submit_transaction([main, beside]))
        except TableTransactionError as error:
            if error.index == 0 and error.status_code in _CONFLICTS:
                raise
            log.info("event=transaction-failed peering=%s status=%s", peering_id, error.status_code)
        else:
            return
        # An order's row without the order is harmless, an order without its row would not be resumed.
        opens = after is not None and "order" in after
        for operation in (beside, main) if opens else (main, beside):
            await self._single(operation, may_differ=operation is beside)

    async def _single(self, operation: tuple[Any, ...], *, may_differ: bool = False) -> None:
        kind, entity, *rest = operation
        options: dict[str, Any] = rest[0] if rest else {}
        calls: dict[str, Callable[..., Awaitable[object]]] = {
            "create": self._peerings.create_entity,
            "update": self._peerings.update_entity,
            "delete": self._peerings.delete_entity,
        }
        call = calls[kind]
        try:
            await self._asked(lambda: call(entity, **options))
        except (ResourceExistsError, ResourceNotFoundError):
            if not may_differ:
                raise
            if kind != "delete":
                await self._asked(lambda: self._peerings.upsert_entity(entity, mode=UpdateMode.REPLACE))

    async def is_own(self, fence: Fence) -> bool:
        """Whether the open order of a peering is an execution's own; renews its sign of life."""
        row = await self._row(self._peerings, rows.PEERINGS, rows.order_key(fence["id"]))
        if row is None:
            return False
        order = read(rows.read_order, row)
        if (order["run"], order["execution"]) != (fence["run"], fence["execution"]):
            return False
        left = datetime.fromisoformat(fence["alive_until"]) - datetime.fromisoformat(order["alive_until"])
        if left > SIGN_OF_LIFE - _RENEW_BEFORE:
            alive = {"PartitionKey": rows.PEERINGS, "RowKey": rows.order_key(fence["id"])}
            try:
                renewed = {**alive, "alive_until": fence["alive_until"]}
                await self._asked(lambda: self._peerings.update_entity(renewed))
            except ResourceNotFoundError:
                return False
        return True

    async def is_taken(self, peering_id: str) -> bool:
        """Whether an execution works on the order of a peering, or none is open."""
        row = await self._row(self._peerings, rows.PEERINGS, rows.order_key(peering_id))
        return row is None or bool(read(rows.read_order, row)["execution"])

    async def settle_order_row(self, peering_id: str) -> None:
        """Make the row of a peering's order what its record says: a write that was broken off may have left another."""
        record = await self.record(peering_id)
        if record is not None and "order" in record:
            row = rows.order_row(peering_id, record["order"])
            await self._asked(lambda: self._peerings.upsert_entity(row, mode=UpdateMode.REPLACE))
        else:
            await self._asked(lambda: self._peerings.delete_entity(rows.PEERINGS, rows.order_key(peering_id)))

    async def orders(self) -> list[rows.OrderRow]:
        """All open orders."""
        return [read(rows.read_order, row) async for row in self._query(self._peerings, rows.only_orders())]

    async def records(self, peering_ids: Sequence[str]) -> list[Record]:
        """The records of some peerings; those that are not in the registry are left out."""
        found = await asyncio.gather(*map(self.record, peering_ids))
        return [record for record in found if record is not None]

    async def page(self, after: str, limit: int) -> list[rows.Held]:
        """The columns for lists of the first peerings behind an id, in the order of their ids."""
        return await self.columns(f"RowKey gt {rows.quoted(after)}", *rows.COLUMNS, limit=limit)

    async def columns(self, condition: str, *columns: str, limit: int | None = None) -> list[rows.Held]:
        """Some columns of the peerings that meet a condition of OData, of all of them or of the first."""
        condition = f"{rows.only_peerings()} and ({condition})" if condition else rows.only_peerings()
        found = []
        select = ["RowKey", *columns]
        async for row in self._query(self._peerings, condition, select=select, results_per_page=limit or _PAGE):
            found.append(row)
            if len(found) == limit:
                break
        return found

    async def _query(
        self,
        table: "TableClient",
        condition: str,
        *,
        select: Sequence[str] | None = None,
        results_per_page: int = _PAGE,
    ) -> AsyncIterator[rows.Held]:
        found = table.query_entities(
            condition,
            select=list(select) if select else None,
            results_per_page=results_per_page,
            raw_response_hook=self._note_time,
        )
        # Any of them may begin a page, which is a call.
        while (row := await self._asked(lambda: anext(found, None))) is not None:
            yield cast("rows.Held", row)

    async def note_run(self, run: RunRecord, *, replace: bool = True) -> None:
        """Keep a run; one that is there already gets what is known of it now, or is left with `replace=False`."""
        row = rows.run_row(run)
        try:
            await self._asked(lambda: self._runs.create_entity(row))
        except ResourceExistsError:
            if replace:
                await self._asked(lambda: self._runs.update_entity(row, mode=UpdateMode.REPLACE))

    async def runs(self, peering_id: str, limit: int) -> list[RunRecord]:
        """The last runs of a peering, the newest first, also when the peering is gone."""
        found = []
        condition = f"PartitionKey eq '{peering_id}'"
        async for row in self._query(self._runs, condition, results_per_page=limit):
            found.append(read(rows.read_run, row))
            if len(found) == limit:
                break
        return found

    async def forget_runs(self, before: str, limit: int) -> int:
        """Delete at most `limit` runs that began before a moment; returns how many."""
        old = self._query(self._runs, f"started lt '{before}'", select=["PartitionKey", "RowKey"])
        count = 0
        async for row in old:
            key = str(row["PartitionKey"]), str(row["RowKey"])
            await self._asked(partial(self._runs.delete_entity, *key))
            count += 1
            if count == limit:
                break
        return count

    async def note_unmanaged(self, found: UnmanagedConnections, *, replace: bool = True) -> None:
        """Keep which connections of a project VPC no peering here has; what is there stays with `replace=False`."""
        row = rows.unmanaged_row(found)
        try:
            await self._asked(lambda: self._peerings.create_entity(row))
        except ResourceExistsError:
            if replace:
                await self._asked(lambda: self._peerings.update_entity(row, mode=UpdateMode.REPLACE))

    async def is_migrated(self) -> bool:
        """Whether the registry of version 0.2.0 has been brought over; asked until it has."""
        if not self._is_migrated:
            self._is_migrated = await self._row(self._peerings, rows.MIGRATIONS, rows.FROM_ENTITIES) is not None
        return self._is_migrated

    async def note_migrated(self) -> None:
        """Note that the registry of version 0.2.0 has been brought over, or that there was none."""
        marker = {"PartitionKey": rows.MIGRATIONS, "RowKey": rows.FROM_ENTITIES, "at": self.now.isoformat()}
        await self._asked(lambda: self._peerings.upsert_entity(marker, mode=UpdateMode.REPLACE))

    async def unmanaged(self) -> list[UnmanagedConnections]:
        """The connections of all project VPCs that no peering here has, as the last check of all found them."""
        condition = f"PartitionKey eq '{rows.PROJECT_VPCS}'"
        return [read(rows.read_unmanaged, row) async for row in self._query(self._peerings, condition)]


def _etag(row: rows.Held) -> str:
    metadata = cast("Mapping[str, str]", getattr(row, "metadata", {}))
    return metadata["etag"]


def _is_conflict(error: AzureError) -> bool:
    """Whether the row has changed since it was read."""
    if isinstance(error, (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)):
        return True
    return isinstance(error, HttpResponseError) and error.status_code in _CONFLICTS


def _may_differ(error: AzureError) -> bool:
    """Whether reading again may help: the row has changed, or nobody knows whether the write took effect."""
    if _is_conflict(error) or not isinstance(error, HttpResponseError):
        return True
    return error.status_code is None or error.status_code >= 500


def _operation(peering_id: str, held: Held | None, after: Record | None, *, health: bool) -> tuple[Any, ...]:
    if after is None:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": peering_id}
        return "delete", key, _unchanged(held)
    if held is None:
        return "create", rows.peering_row(after)
    if health:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": peering_id}
        return "update", {**key, **rows.health_columns(after)}, {"mode": UpdateMode.MERGE, **_unchanged(held)}
    return "update", rows.peering_row(after), {"mode": UpdateMode.REPLACE, **_unchanged(held)}


def _unchanged(held: Held | None) -> dict[str, Any]:
    return {"etag": held.etag, "match_condition": MatchConditions.IfNotModified} if held else {}


def _order_operation(peering_id: str, before: Record | None, after: Record | None) -> tuple[Any, ...] | None:
    """What becomes of the order's own row, if anything does."""
    old = before.get("order") if before is not None else None
    new = after.get("order") if after is not None else None
    if new is None:
        key = {"PartitionKey": rows.PEERINGS, "RowKey": rows.order_key(peering_id)}
        return ("delete", key) if old is not None else None
    row = rows.order_row(peering_id, new)
    if old is None:
        return "create", row
    return ("update", row, {"mode": UpdateMode.REPLACE}) if rows.order_row(peering_id, old) != row else None
