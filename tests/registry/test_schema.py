"""The schema version of rows: what an older version wrote is migrated, what a newer one wrote is left alone."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

import pytest
from azure.data.tables import UpdateMode

from clients.registry import rows, schema
from clients.registry.tables import Registry
from peering.outcome import ProblemError
from peering.record import Record, UnmanagedConnections
from tests.cloud.table_services import Tables
from tests.registry.registry_on_tables import BY, ask, finish, peering, ran, run

BEGUN = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
NEWER = schema.FIRST + 1
UNMANAGED: UnmanagedConnections = {"project": "p", "project_vpc_id": "1", "connections": []}


def noting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
    assert record is not None
    return {**record, "note": "changed"}, None


async def all_rows(registry: Registry, table: str = "peerings") -> list[dict[str, Any]]:
    client = registry._table._service.get_table_client(table)
    return [dict(row) async for row in client.list_entities()]


async def written_by(version: int | None, registry: Registry, table: str = "peerings", key: str = "") -> None:
    """Make rows look as if another version had written them: None for one before there were versions."""
    client = registry._table._service.get_table_client(table)
    for row in await all_rows(registry, table):
        kept = {name: value for name, value in row.items() if not name.endswith(schema.COLUMN)}
        versions = {name: version for name in row if name.endswith(schema.COLUMN) and version is not None}
        if row["RowKey"].startswith(key):
            await client.update_entity({**kept, **versions}, mode=UpdateMode.REPLACE)


async def refused(call: Awaitable[object]) -> None:
    with pytest.raises(ProblemError) as found:
        await call
    assert found.value.occurrence["code"] == "registry-row-newer"


def test_every_row_says_its_version(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        await ask(registry, peering(1))
        await registry.note_unmanaged(UNMANAGED)
        await registry.history.note(ran(peering(1), "r1", BEGUN))
        await registry.history.note_refusal(
            {"at": BEGUN.isoformat(), "by": BY, "method": "", "path": "", "status": 409, "problem": "", "detail": ""}
        )
        for row in [*await all_rows(registry), *await all_rows(registry, "runs")]:
            versions = {value for name, value in row.items() if name.endswith(schema.COLUMN)}
            assert versions == {schema.FIRST}, row

    run(tables, test)


def test_rows_without_a_version_are_read_and_written_in_todays_form(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed(record: Mapping[str, Any]) -> dict[str, Any]:
        return {**record, "note": record["note"] + "!"}

    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        await registry.change(one["id"], noting)
        await written_by(None, registry)
        registry = Registry(registry._table._service)
        monkeypatch.setitem(schema.FORWARDS, ("record", 0), renamed)
        held = await registry.record(one["id"])
        assert held is not None
        assert held["note"] == "changed!"
        # A check writes its own columns alone, and the record stays of its version.
        await registry.change(one["id"], _checked, health=True)
        (row,) = [row for row in await all_rows(registry) if row["RowKey"] == one["id"]]
        assert ("record_schema" in row, row["health_schema"]) == (False, schema.FIRST)
        held = await registry.record(one["id"])
        assert held is not None
        assert held["note"] == "changed!"
        await finish(registry, one)
        monkeypatch.undo()
        held = await registry.record(one["id"])
        assert held is not None
        assert held["note"] == "changed!"

    run(tables, test)


def _checked(record: Record | None, _: datetime) -> tuple[Record | None, None]:
    assert record is not None
    return {**record, "attempts": {}, "events": []}, None


def test_an_order_without_a_time_was_placed_before_it_was_due(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        await ask(registry, peering(1))
        await written_by(None, registry)
        client = registry._table._service.get_table_client("peerings")
        for row in await all_rows(registry):
            kept = {name: value for name, value in row.items() if name != "at"}
            await client.update_entity(kept, mode=UpdateMode.REPLACE)
        (order,) = await registry.orders()
        assert order["at"] == order["not_before"]

    run(tables, test)


@pytest.mark.parametrize("part", ["record_schema", "health_schema"])
def test_the_row_of_a_newer_version_is_neither_read_nor_changed(tables: Tables, part: str) -> None:
    async def test(registry: Registry) -> None:
        one, other = peering(1), peering(2)
        for asked in (one, other):
            await ask(registry, asked)
            await finish(registry, asked)
        client = registry._table._service.get_table_client("peerings")
        await registry.check_known()
        await client.update_entity({"PartitionKey": rows.PEERINGS, "RowKey": one["id"], part: NEWER})
        before = await all_rows(registry)
        for each in (registry, Registry(registry._table._service)):
            await refused(each.record(one["id"]))
            await refused(each.change(one["id"], noting))
            await refused(each.change(one["id"], _checked, health=True))
            await refused(each.check_known())
            assert [row["RowKey"] for row in await each.page("", 9)] == [other["id"]]
            assert [row["RowKey"] for row in await each.columns("busy eq false")] == [other["id"]]
        assert await all_rows(registry) == before

    run(tables, test)


def test_other_rows_of_a_newer_version_are_left_out_and_stay(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        for number in (1, 2):
            await ask(registry, peering(number))
            await registry.note_unmanaged({**UNMANAGED, "project": str(number)})
        for name in ("r1", "r2"):
            await registry.history.note(ran(peering(1), name, BEGUN))
        await written_by(NEWER, registry, key=f"order-{peering(1)['id']}")
        await written_by(NEWER, registry, key=_first_vpc(await all_rows(registry)))
        (newest, *_) = sorted(await all_rows(registry, "runs"), key=lambda row: str(row["RowKey"]))
        await written_by(NEWER, registry, "runs", str(newest["RowKey"]))
        before = await all_rows(registry), await all_rows(registry, "runs")
        assert [order["id"] for order in await registry.orders()] == [peering(2)["id"]]
        await refused(registry.order(peering(1)["id"]))
        assert len(await registry.unmanaged()) == 1
        assert [found["run"] for found in await registry.history.of(peering(1)["id"], 9)] == ["r2"]
        await refused(registry.history.one(peering(1)["id"], "r1"))
        await refused(registry.history.note(ran(peering(1), "r1", BEGUN, "failed")))
        await refused(registry.note_unmanaged({**UNMANAGED, "project": "1", "connections": []}))
        assert (await all_rows(registry), await all_rows(registry, "runs")) == before

    run(tables, test)


def _first_vpc(found: list[dict[str, Any]]) -> str:
    return min(str(row["RowKey"]) for row in found if row["PartitionKey"] == rows.PROJECT_VPCS)
