"""The table of runs: requests for a peering and their results, also after the peering is removed."""

from collections.abc import AsyncIterator
from functools import partial

from clients.registry import rows, schema
from clients.registry.table import Table
from clients.registry.table_calls import read
from peering.record import Refusal, RunRecord


def _says_more(held: RunRecord, run: RunRecord) -> bool:
    """Whether the stored state of a run is later: it ends as superseded, and its steps are added last."""
    if "superseded" not in (held["outcome"], run["outcome"]):
        return False
    return (held["outcome"] == "superseded", len(held["steps"])) > (run["outcome"] == "superseded", len(run["steps"]))


class RunHistory:
    """The runs of all peerings, and the refused requests, for as long as they are kept.

    Args:
        table: the table of runs.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def note(self, run: RunRecord) -> None:
        """Store the current state of a run; a late write of an earlier state does not replace a later one.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
        """
        await self._table.put(rows.run_row(run), unless=lambda held: _says_more(read(rows.read_run, held), run))

    async def of(self, peering_id: str, limit: int) -> list[RunRecord]:
        """The last runs of a peering that this version can read, newest first, also after the peering is removed."""
        found = []
        condition = f"PartitionKey eq '{peering_id}'"
        async for row in self._table.query(condition, results_per_page=limit):
            if not schema.is_newer(row):
                found.append(read(rows.read_run, row))
            if len(found) == limit:
                break
        return found

    async def one(self, peering_id: str, run: str) -> RunRecord | None:
        """One run of a peering, also after the peering is removed."""
        condition = f"PartitionKey eq '{peering_id}'"
        async for row in self._table.query(condition, select=["PartitionKey", "RowKey"]):
            if str(row["RowKey"]).endswith(f"-{run}"):
                held = await self._table.row(peering_id, str(row["RowKey"]))
                return read(rows.read_run, held) if held is not None else None
        return None

    async def note_refusal(self, refusal: Refusal) -> None:
        """Store a refused request.

        Raises:
            ProblemError: `registry-contended`, when others were faster every time.
        """
        await self._table.put(rows.refusal_row(refusal))

    async def refusals(self, limit: int) -> list[Refusal]:
        """The last requests that were refused and that this version can read, the newest first."""
        found = []
        async for row in self._table.query(f"PartitionKey eq '{rows.REFUSALS}'", results_per_page=limit):
            if not schema.is_newer(row):
                found.append(read(rows.read_refusal, row))
            if len(found) == limit:
                break
        return found

    async def everything(self) -> AsyncIterator[rows.Held]:
        """The rows of all runs and of all requests that were refused, page after page."""
        async for row in self._table.query("PartitionKey gt ''"):
            yield row

    async def replace(self, held: rows.Held, row: rows.Row) -> None:
        """Replace the content of a row; arguments and errors are those of `Table.replace`."""
        await self._table.replace(held, row)

    async def forget(self, before: str, limit: int) -> int:
        """Delete at most `limit` runs that ended, and requests that were refused, before a moment; returns how many.

        One without a recorded end is dated by its beginning.
        """
        condition = f"started lt '{before}' and ended lt '{before}'"
        old = self._table.query(condition, select=["PartitionKey", "RowKey"])
        count = 0
        async for row in old:
            key = str(row["PartitionKey"]), str(row["RowKey"])
            await self._table.asked(partial(self._table.client.delete_entity, *key))
            count += 1
            if count == limit:
                break
        return count
