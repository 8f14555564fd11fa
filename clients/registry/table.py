"""Access to one of the registry's tables: rows are read by key or in pages, and written conditionally."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from clients.registry import rows, schema
from clients.registry.table_calls import patiently
from peering.outcome import ProblemError

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.data.tables.aio import TableServiceClient

T = TypeVar("T")

#: How often a change is tried before it is given up.
TRIES: Final = 12
#: The maximum number of rows in one response of the service.
PAGE: Final = 1000
_NO_TABLE: Final = "TableNotFound"
#: If the `Date` of a response differs from the others by more than this, a clock has been corrected.
_SLOWEST_ANSWER: Final = timedelta(minutes=1)


class ServiceClock:
    """The time of the service, by the `Date` of its responses: one clock for all workers."""

    def __init__(self) -> None:
        self._ahead: timedelta | None = None

    @property
    def now(self) -> datetime:
        """The service's time, by its last responses."""
        return datetime.now(UTC) + (self._ahead or timedelta())

    def hear(self, answer: "PipelineResponse[Any, Any]") -> None:
        """Record the time of a response."""
        if (date := answer.http_response.headers.get("Date")) is not None:
            ahead = parsedate_to_datetime(date) - datetime.now(UTC)
            # The header has whole seconds, so the largest difference is the most accurate, until a clock is corrected.
            if self._ahead is None or ahead > self._ahead or ahead < self._ahead - _SLOWEST_ANSWER:
                self._ahead = ahead


class Table:
    """One table, which is created when it is first needed.

    Args:
        service: the client of the storage account's Table service.
        name: the table's name.
        clock: gets the time of every response.
    """

    def __init__(self, service: "TableServiceClient", name: str, clock: ServiceClock) -> None:
        self._service, self._name, self._clock = service, name, clock
        self.client = service.get_table_client(name)

    async def asked(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call; the table is created if the first call finds that it does not exist."""
        try:
            return await patiently(call)
        except ResourceNotFoundError as error:
            # Some calls of the SDK do not read the code of the response.
            if getattr(error, "error_code", None) != _NO_TABLE and _NO_TABLE not in str(error):
                raise
        await patiently(partial(self._service.create_table_if_not_exists, self._name))
        return await patiently(call)

    async def row(self, partition: str, key: str, *columns: str) -> rows.Held | None:
        """The row with these keys, all of it or some columns; None when there is none."""

        async def get() -> rows.Held:
            return await self.client.get_entity(
                partition, key, select=list(columns) or None, raw_response_hook=self._clock.hear
            )

        try:
            return await self.asked(get)
        except ResourceNotFoundError:
            return None

    async def query(
        self,
        condition: str,
        *,
        select: Sequence[str] | None = None,
        results_per_page: int = PAGE,
    ) -> AsyncIterator[rows.Held]:
        """The rows that meet a condition of OData, page after page.

        Args:
            condition: OData's `$filter`.
            select: the columns; all by default.
            results_per_page: how many the service gives at a time.
        """
        found = self.client.query_entities(
            condition,
            select=list(select) if select else None,
            results_per_page=results_per_page,
            raw_response_hook=self._clock.hear,
        )
        pages = found.by_page()
        while (page := await self.asked(lambda: anext(pages, None))) is not None:
            async for row in page:
                yield row

    async def put(self, row: rows.Row, unless: Callable[[rows.Held], bool] = lambda _: False) -> None:
        """Write a row: by Insert, or with the ETag of the existing row.

        Args:
            row: the row.
            unless: whether an existing row stays.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time; `registry-row-newer`, when a newer
                version of the app wrote the existing row.
        """
        for _ in range(TRIES):
            with suppress(ResourceExistsError):
                await self.asked(lambda: self.client.create_entity(row))
                return
            held = await self.row(str(row["PartitionKey"]), str(row["RowKey"]))
            if held is None:
                continue
            schema.check(held)
            if dict(held) == row or unless(held):
                return
            with suppress(ResourceModifiedError, ResourceNotFoundError):
                await self.asked(partial(self.client.update_entity, row, mode=UpdateMode.REPLACE, **as_read(held)))
                return
        raise ProblemError("registry-contended", f"Tried {TRIES} times to write {row['RowKey']}.")

    async def replace(self, held: rows.Held, row: rows.Row) -> None:
        """Replace the content of a row.

        Args:
            held: the row as it was read.
            row: its new content; the keys stay.

        Raises:
            azure.core.exceptions.ResourceModifiedError: it has changed since.
            azure.core.exceptions.ResourceNotFoundError: it has been deleted since.
        """
        entity = {**row, "PartitionKey": held["PartitionKey"], "RowKey": held["RowKey"]}
        replace = partial(self.client.update_entity, entity, mode=UpdateMode.REPLACE)
        await self.asked(partial(replace, **as_read(held)))


def etag_of(row: rows.Held) -> str:
    """The ETag of a row as it was read."""
    metadata: Mapping[str, str] = getattr(row, "metadata", {})
    return metadata["etag"]


def unchanged(etag: str) -> dict[str, Any]:
    """The SDK's arguments for a write that is refused if the row's ETag has changed."""
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def as_read(row: rows.Held | None) -> dict[str, Any]:
    """The same, for a row as it was read."""
    return unchanged(etag_of(row)) if row is not None else {}
