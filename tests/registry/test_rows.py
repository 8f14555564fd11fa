"""Records, runs and connections as rows of any size, read in pages, changed and deleted."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import azure.functions as func
import pytest
from rich.console import Console, RenderableType

import clients.registry.orders
import clients.registry.tables
import triggers.peering
from clients.durable import DurableClient
from clients.registry import sweeps
from clients.registry.rows import PEERINGS, order_row
from clients.registry.tables import Held, Mutation, Registry
from command_line.tables import of_run
from peering.aiven_vpc import AivenVpc
from peering.orders import new_order
from peering.record import Record
from peering.sweep import VpcToLookAt
from tests.arbitrary_facts import arbitrary_facts
from tests.cloud.table_services import Tables
from tests.registry.registry_on_tables import BY, DEADLINES, ask, finish, peering, ran, run


def test_a_record_and_its_order_come_and_go_together(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        assert await registry.record(one["id"]) is None
        assert (await ask(registry, one)).answer == "accept"
        assert [order["id"] for order in await registry.orders()] == [one["id"]]
        await finish(registry, one, application_id="a")
        held = await registry.record(one["id"])
        assert held is not None
        assert (held["state"], held["facts"]["application_id"]) == ("connected", "a")
        assert await registry.orders() == []
        await ask(registry, one, "r2", "remove")
        await finish(registry, one, "removed")
        assert await registry.record(one["id"]) is None
        assert await registry.orders() == []

    run(tables, test)


def test_changes_at_once_are_all_kept(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)

        async def keep(number: int) -> None:
            def keeping(record: Record | None, _: datetime) -> tuple[Record | None, None]:
                assert record is not None
                record["facts"] |= arbitrary_facts({f"fact_{number}": number})
                return record, None

            await registry.change(one["id"], keeping)

        await asyncio.gather(*map(keep, range(8)))
        held = await registry.record(one["id"])
        assert held is not None
        assert held["facts"] == {f"fact_{number}": number for number in range(8)}

    run(tables, test)


def test_a_record_of_any_size_is_split_and_shrinks_again(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        for length in (100_000, 10):
            await registry.change(one["id"], lambda record, _, n=length: (_with(record, "ä" * n), None))  # type: ignore[misc]
            held = await registry.record(one["id"])
            assert held is not None
            assert held["facts"]["tenant_id"] == "ä" * length

    run(tables, test)


def _with(record: Record | None, text: str) -> Record:
    assert record is not None
    record["facts"] = {"tenant_id": text[: len(text) // 2] + text[len(text) // 2 :]}
    return record


def test_pages_are_in_the_order_of_ids_and_columns_can_be_filtered(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        some = sorted((peering(number) for number in range(1, 8)), key=lambda one: one["id"])
        await asyncio.gather(*(ask(registry, one) for one in some))
        await finish(registry, some[3])
        pages, after = [], ""
        while page := await registry.page(after, 3):
            pages.append([str(row["RowKey"]) for row in page])
            after = pages[-1][-1]
        assert [one for page in pages for one in page] == [one["id"] for one in some]
        assert [len(page) for page in pages] == [3, 3, 1]
        (row,) = await registry.columns("state eq 'connected'", "vnet_id", "busy")
        assert (row["RowKey"], row["vnet_id"], row["busy"]) == (some[3]["id"], some[3]["vnet_id"], False)
        assert len(await registry.columns("busy eq true")) == 6
        chosen = await registry.scan("PartitionKey eq 'peerings'", "RowKey")
        assert {name for one in chosen for name in one} == {"PartitionKey", "RowKey"}
        assert {name for one in await registry.scan("PartitionKey eq 'peerings'") for name in one} > {"RowKey", "state"}

    run(tables, test)


def test_a_filter_reads_all_pages(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        await ask(registry, peering(1))
        table = registry._table.client
        some = [{"PartitionKey": PEERINGS, "RowKey": str(UUID(int=number)), "busy": True} for number in range(1000)]
        for first in range(0, len(some), 100):
            await table.submit_transaction([("create", row) for row in some[first : first + 100]])
        assert len(await registry.columns("busy eq true")) == 1001

    run(tables, test)


def test_what_was_changed_since_is_not_deleted(tables: Tables) -> None:
    def dropping(record: Record | None, _: datetime) -> tuple[Record | None, bool]:
        assert record is not None
        is_kept = "note" in record
        return (record if is_kept else None), is_kept

    def noting(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        assert record is not None
        return {**record, "note": "Keep it."}, None

    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        await finish(registry, one)
        # What the registry wrote last, it does not read before it changes it.
        await Registry(registry._table._service).change(one["id"], noting)
        assert await registry.change(one["id"], dropping)
        assert await registry.record(one["id"]) is not None

    run(tables, test)


def test_a_transaction_that_cannot_be_is_written_row_by_row(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        await finish(registry, one)
        # A row of an order that is none keeps the transaction from being written.
        stray = new_order("check", "stray", BY, registry.now, DEADLINES)
        await registry.insert(order_row(one["id"], stray))
        assert (await ask(registry, one, "r2", "check")).answer == "accept"
        held = await registry.record(one["id"])
        assert held is not None
        assert held["order"]["run"] == "r2"
        assert [order["run"] for order in await registry.orders()] == ["r2"]

    run(tables, test)


def test_runs_are_kept_newest_first_until_they_are_forgotten(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one, begun = peering(1), datetime.fromisoformat("2026-01-01T00:00:00+00:00")
        for day in range(3):
            await registry.history.note(ran(one, f"r{day}", begun + timedelta(days=day)))
        await registry.history.note(ran(one, "r1", begun + timedelta(days=1), "failed"))
        assert [(found["run"], found["state"]) for found in await registry.history.of(one["id"], 9)] == [
            ("r2", "connected"),
            ("r1", "failed"),
            ("r0", "connected"),
        ]
        await registry.history.note(ran(one, "long", begun, ended=begun + timedelta(days=5)))
        before = (begun + timedelta(hours=30)).isoformat()
        assert [await registry.history.forget(before, 1) for _ in range(3)] == [1, 1, 0]
        assert [found["run"] for found in await registry.history.of(one["id"], 9)] == ["r2", "long"]

    run(tables, test)


def test_unmanaged_connections_are_those_of_the_last_look(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        for names in (["a", "b"], ["c"]):
            connections = [{"account": "s", "resource_group": "g", "vnet": name, "state": "ACTIVE"} for name in names]
            await registry.note_unmanaged({"project": "p", "project_vpc_id": "1", "connections": connections})  # type: ignore[typeddict-item]
        (found,) = await registry.unmanaged()
        assert [connection["vnet"] for connection in found["connections"]] == ["c"]
        await registry.note_unmanaged({"project": "Q", "project_vpc_id": "2", "connections": []})
        assert await registry.forget_unmanaged([AivenVpc("project", "q", "2").key]) == 1
        assert [vpc["project"] for vpc in await registry.unmanaged()] == ["Q"]

    run(tables, test)


class Counting(Registry):
    """Counts the reads of records."""

    reads = 0

    async def held(self, peering_id: str) -> Held | None:
        self.reads += 1
        return await super().held(peering_id)


def noting(name: str) -> Mutation[list[str]]:
    """Note a fact, and tell the names of all."""

    def change(record: Record | None, _: datetime) -> tuple[Record | None, list[str]]:
        assert record is not None
        record["facts"] |= arbitrary_facts({name: name})
        return record, sorted(record["facts"])

    return change


def test_what_was_written_last_is_changed_without_a_read_and_what_others_wrote_is_seen(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        identity = peering(1)["id"]
        await ask(registry, peering(1))
        registry.__class__, other = Counting, Registry(registry._table._service)
        assert isinstance(registry, Counting)
        assert await registry.change(identity, noting("a")) == ["a"]
        assert registry.reads == 0
        assert await other.change(identity, noting("b")) == ["a", "b"]
        assert await registry.change(identity, noting("c")) == ["a", "b", "c"]
        assert registry.reads == 1
        assert await other.change(identity, noting("d")) == ["a", "b", "c", "d"]
        # What is to stay as it is may be another one by now.
        assert await registry.change(identity, noting("c")) == ["a", "b", "c", "d"]

    run(tables, test)


def test_of_many_records_those_that_were_written_last_are_changed_without_a_read(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(clients.registry.tables, "_REMEMBERED", 2)
        for number in (1, 2, 3):
            await ask(registry, peering(number))
        registry.__class__ = Counting
        assert isinstance(registry, Counting)
        reads = list[int]()
        for number in (3, 2, 1):
            assert await registry.change(peering(number)["id"], noting("a")) == ["a"]
            reads.append(registry.reads)
        assert reads == [0, 0, 1]

    run(tables, test)


def test_a_run_that_goes_from_the_record_to_its_table_while_runs_are_listed_is_listed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two is read first, the run has moved before the other is."""

    async def test(registry: Registry) -> None:
        for module in (clients.registry.orders, triggers.peering):
            monkeypatch.setattr(module, "registry", lambda: registry)
        one = peering(1)["id"]
        await ask(registry, peering(1))
        await finish(registry, peering(1))
        reads = [0]

        async def then_moved(answer: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever was read
            found = await answer
            reads[0] += 1
            if reads[0] == 1:
                await clients.registry.orders.keep_ended_runs(one)
            return found

        records, runs = registry.record, registry.history.of
        monkeypatch.setattr(registry, "record", lambda *given: then_moved(records(*given)))
        monkeypatch.setattr(registry.history, "of", lambda *given: then_moved(runs(*given)))
        asked = func.HttpRequest("GET", f"https://app/api/peerings/{one}/runs", route_params={"id": one}, body=b"")
        answer = await triggers.peering.show_runs(asked, cast("DurableClient", None))
        assert [run["run"] for run in json.loads(answer.get_body())["runs"]] == ["r1"]
        held = await records(one)
        assert held is not None
        assert held["unnoted"] == []

    run(tables, test)


def test_a_run_in_progress_is_listed_with_its_peering(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(triggers.peering, "registry", lambda: registry)
        wanted = peering(1)
        await ask(registry, wanted)
        route, url = {"id": wanted["id"], "run": "r1"}, f"https://app/api/peerings/{wanted['id']}/runs"
        asked, client = func.HttpRequest("GET", url, route_params=route, body=b""), cast("DurableClient", None)
        (listed,) = json.loads((await triggers.peering.show_runs(asked, client)).get_body())["runs"]
        shown = json.loads((await triggers.peering.show_run(asked, client)).get_body())
        assert listed == shown
        assert (shown["run"], shown["operation"], shown["peering"]) == ("r1", "establish", wanted)
        assert "VNet" in printed(of_run(shown))
        assert "state" not in shown

    run(tables, test)


def printed(table: RenderableType) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_what_a_check_of_all_leaves_of_thousands_of_peerings_in_few_vpcs_can_be_read(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "rg-customer-production-westeurope/providers/Microsoft.Network/virtualNetworks/vnet-customer-production"
    vnets = [f"/subscriptions/{UUID(int=number)}/resourceGroups/{group}-{number:05d}" for number in range(100)]
    vpcs = [
        VpcToLookAt(project="p", project_vpc_id=str(UUID(int=number)), wanted={"0": vnets}, ours=dict.fromkeys(vnets))
        for number in range(25)
    ]

    async def test(registry: Registry) -> None:
        monkeypatch.setattr(sweeps, "registry", lambda: registry)
        await sweeps.put_project_vpcs("now", 0, vpcs)
        found = await sweeps.project_vpcs("now", range(25))
        assert [found[number] for number in range(25)] == vpcs

    run(tables, test)
