"""The registry on the local cloud's Table service and on Azurite: the same calls come to the same."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import azure.functions as func
import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableClient
from azure.durable_functions import OrchestrationRuntimeStatus

import activities.orders
import activities.step
import clients.registry.orders
import triggers.peering
from clients import repeats
from clients.durable import DurableClient, OrchestrationStatus
from clients.registry import resuming
from clients.registry.rows import PEERINGS, OrderRow, order_key, order_row
from clients.registry.tables import Held, Mutation, Registry
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts, collected
from peering.orders import Taking, new_order
from peering.outcome import StepRequest
from peering.record import Record, RunRecord
from peering.registry import Ending, Placed, conclude, place, run_record, take
from peering.request import PeeringRequest
from peering.runs import SIGN_OF_LIFE
from peering.spec import Caller, Deadlines, Fence, Peering
from tests.cloud.table_services import Tables, azurite_tables, local_tables

BY = Caller(name="operator@example.com", id="1")
DEADLINES = Deadlines(propagation=900, platform=86400)


@pytest.fixture(scope="module", params=["local", pytest.param("azurite", marks=pytest.mark.node)])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """A Table service for all tests of the module: the local cloud's, then Azurite."""
    start: dict[str, Callable[[Path], object]] = {"local": local_tables, "azurite": azurite_tables}
    with start[request.param](tmp_path_factory.mktemp(request.param)) as found:  # type: ignore[attr-defined]
        yield found


def run(tables: Tables, test: Callable[[Registry], Awaitable[None]]) -> None:
    """Run a test against an empty registry."""
    for name in ("peerings", "runs"):
        tables.service.create_table_if_not_exists(name)
        _empty(tables.service.get_table_client(name))

    async def opened() -> None:
        async with tables.opened() as service:
            await test(Registry(service))

    asyncio.run(opened())


def _empty(table: TableClient) -> None:
    """Delete all rows, as many at once as one transaction may hold: those of one partition, and 100 at most."""
    rows = sorted(table.list_entities(select=["PartitionKey", "RowKey"]), key=itemgetter("PartitionKey"))
    for _, found in groupby(rows, key=itemgetter("PartitionKey")):
        alike = list(found)
        for first in range(0, len(alike), 100):
            table.submit_transaction([("delete", row) for row in alike[first : first + 100]])


def peering(number: int) -> Peering:
    """One of many peerings."""
    vnet = f"/subscriptions/{UUID(int=number)}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet"
    given = {"project": "p", "project_vpc_id": str(UUID(int=1)), "vnet_id": vnet}
    return PeeringRequest.model_validate(given, strict=False).peering()


async def ask(registry: Registry, wanted: Peering, name: str = "r1", operation: str = "establish") -> Placed:
    """Place an order."""

    def placing(record: Record | None, now: datetime) -> tuple[Record | None, Placed]:
        order = new_order(operation, name, BY, now, DEADLINES)  # type: ignore[arg-type]
        return place(record, {**order, "peering": wanted} if operation == "establish" else order)

    return await registry.change(wanted["id"], placing)


def fence(wanted: Peering, name: str = "r1", execution: str = "x") -> Fence:
    """That of an execution."""
    return Fence(id=wanted["id"], run=name, execution=execution, alive_until="")


async def finish(registry: Registry, wanted: Peering, state: str = "connected", **facts: object) -> None:
    """Take the open order and end it; a removal drops the record."""
    at = registry.now.isoformat()

    def ending(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        assert record is not None
        name = record["order"]["run"]
        take(record, "x", at)
        drop = state == "removed"
        end = Ending(fence=fence(wanted, name), state=state, facts=collected(facts), steps={}, at=at, drop=drop)
        assert conclude(record, end) is not None
        return None if drop else record, None

    await registry.change(wanted["id"], ending)


def test_a_record_and_its_order_come_and_go_together(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        assert await registry.record(one["id"]) is None
        assert (await ask(registry, one)).answer == "accept"
        assert [order["id"] for order in await registry.orders()] == [one["id"]]
        await finish(registry, one, application_id="a")
        held = await registry.record(one["id"])
        assert held is not None
        assert (held["state"], held["facts"]) == ("connected", {"application_id": "a"})
        assert await registry.orders() == []
        await ask(registry, one, "r2", "remove")
        await finish(registry, one, "removed")
        assert await registry.record(one["id"]) is None
        assert await registry.orders() == []

    run(tables, test)


def test_of_callers_at_once_one_is_accepted_and_the_others_join(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        placed = await asyncio.gather(*(ask(registry, one, f"r{number}") for number in range(8)))
        assert sorted(found.answer for found in placed) == ["accept"] + ["join"] * 7
        assert len({found.order["run"] for found in placed}) == 1
        held = await registry.record(one["id"])
        assert held is not None
        assert len(held["order"]["joined"]) == 7

    run(tables, test)


def test_changes_at_once_are_all_kept(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)

        async def keep(number: int) -> None:
            def keeping(record: Record | None, _: datetime) -> tuple[Record | None, None]:
                assert record is not None
                record["facts"] |= collected({f"fact_{number}": number})
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


def test_the_fence_tells_an_execution_and_renews_its_sign_of_life(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        later = (registry.now + 2 * SIGN_OF_LIFE).isoformat()

        def taking(record: Record | None, now: datetime) -> tuple[Record | None, None]:
            assert record is not None
            take(record, "x", now.isoformat())
            return record, None

        await registry.change(one["id"], taking)
        assert not await registry.is_own({**fence(one, execution="y"), "alive_until": later})
        assert not await registry.is_own({**fence(one, "r2"), "alive_until": later})
        assert await registry.is_own({**fence(one), "alive_until": later})
        (order,) = await registry.orders()
        assert order["alive_until"] == later
        assert not await registry.is_own({**fence(peering(2)), "alive_until": later})

    run(tables, test)


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


def test_a_step_works_only_for_the_execution_that_has_the_order_and_keeps_what_it_made(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    async def application(_: Peering, __: Facts) -> Facts:
        made.append("application")
        return collected({"application_id": "a"})

    async def test(registry: Registry) -> None:
        monkeypatch.setattr(activities.step, "registry", lambda: registry)
        one = peering(1)
        await ask(registry, one)
        taking = Taking(id=one["id"], execution="x", at=registry.now.isoformat())
        monkeypatch.setattr(activities.orders, "registry", lambda: registry)
        assert await activities.orders.take_order(taking) is not None
        activity, later = activities.step.step(application), (registry.now + SIGN_OF_LIFE).isoformat()

        async def call(execution: str) -> tuple[str | None, Facts]:
            own: Fence = {**fence(one, execution=execution), "alive_until": later}
            outcome = await activity(StepRequest(peering=one, facts={}, fence=own))
            held = await registry.record(one["id"])
            assert held is not None
            return outcome["problem"]["code"] if "problem" in outcome else None, held["facts"]

        assert (await call("y"), made) == (("run-superseded", {}), [])
        assert (await call("x"), made) == ((None, {"application_id": "a"}), ["application"])

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


def ran(
    wanted: Peering, name: str, started: datetime, state: str = "connected", ended: datetime | None = None
) -> RunRecord:
    """A run that has ended."""
    at = (ended or started).isoformat()
    order = new_order("establish", name, BY, started, DEADLINES)
    record, _ = place(None, {**order, "peering": wanted})
    assert record is not None
    ending = Ending(fence=fence(wanted, name), state=state, facts={}, steps={}, at=at, drop=False)
    return run_record(record, order, ending)


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


def test_what_was_written_last_is_changed_without_a_read_and_what_others_wrote_is_seen(tables: Tables) -> None:
    class Counting(Registry):
        """Counts the reads of records."""

        reads = 0

        async def held(self, peering_id: str) -> Held | None:
            self.reads += 1
            return await super().held(peering_id)

    def noting(name: str) -> Mutation[list[str]]:
        def change(record: Record | None, _: datetime) -> tuple[Record | None, list[str]]:
            assert record is not None
            record["facts"] |= collected({name: name})
            return record, sorted(record["facts"])

        return change

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


def test_a_run_whose_place_is_taken_just_before_its_order_is_taken_has_an_outcome(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overtaken(Registry):
        """A removal takes the place of an order just before its next change."""

        asked = False

        async def change(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - as the registry's own
            if not self.asked:
                self.asked = True
                await ask(self, peering(1), "r2", "remove")
            return await super().change(*given, **options)

    async def test(registry: Registry) -> None:
        for module in (clients.registry.orders, activities.orders):
            monkeypatch.setattr(module, "registry", lambda: registry)
        await ask(registry, peering(1))
        registry.__class__ = Overtaken
        taking = Taking(id=peering(1)["id"], execution="x", at=registry.now.isoformat())
        taken = await activities.orders.take_order(taking)
        assert taken is not None
        assert taken["order"]["run"] == "r2"
        (superseded,) = await registry.history.of(peering(1)["id"], 10)
        assert (superseded["run"], superseded["superseded_by"]) == ("r1", "r2")

    run(tables, test)


class RunningInstances:
    """Durable's client: its instances run until they are terminated."""

    def __init__(self) -> None:
        self.terminated: list[str] = []
        self.started: list[str] = []

    async def get_status(self, instance_id: str) -> OrchestrationStatus[object]:
        states = OrchestrationRuntimeStatus
        status = states.Terminated if instance_id in self.terminated else states.Running
        return cast("OrchestrationStatus[object]", SimpleNamespace(instance_id=instance_id, runtime_status=status))

    async def terminate(self, instance_id: str, reason: str) -> None:
        assert reason
        self.terminated.append(instance_id)

    async def start_new(self, _: str, instance_id: str, __: object) -> str:
        assert instance_id in self.terminated
        self.started.append(instance_id)
        return instance_id


async def resume_one(registry: Registry, listed: OrderRow, client: RunningInstances) -> bool:
    """Resume an order as it was listed a while ago."""
    asked = cast("DurableClient", client)
    return await resuming._resume(asked, listed, await asked.get_status(listed["id"]))


def test_an_instance_that_gave_no_sign_of_life_is_ended_before_another_one_is_started(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        for module in (clients.registry.orders, resuming):
            monkeypatch.setattr(module, "registry", lambda: registry)
        one, client = peering(1)["id"], RunningInstances()
        await ask(registry, peering(1))
        (listed,) = await registry.orders()
        assert await resume_one(registry, listed, client)
        assert (client.terminated, client.started) == ([one], [one])
        record = await registry.record(one)
        assert record is not None
        assert record["order"]["executions"] == 2

    run(tables, test)


def test_an_order_that_was_taken_after_it_was_listed_is_left_to_its_execution(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        for module in (activities.orders, clients.registry.orders, resuming):
            monkeypatch.setattr(module, "registry", lambda: registry)
        one, client = peering(1)["id"], RunningInstances()
        await ask(registry, peering(1))
        (listed,) = await registry.orders()
        await activities.orders.take_order(Taking(id=one, execution="x", at=registry.now.isoformat()))
        before = await registry.record(one)
        assert not await resume_one(registry, listed, client)
        assert (client.terminated, await registry.record(one)) == ([], before)

    run(tables, test)


def test_a_row_whose_order_is_another_one_is_made_that_one_s(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(resuming, "registry", lambda: registry)
        one = peering(1)["id"]
        await ask(registry, peering(1))
        await registry.delete_rows([{"PartitionKey": PEERINGS, "RowKey": order_key(one)}])
        await registry.insert(order_row(one, new_order("check", "stray", BY, registry.now, DEADLINES)))
        (stray,) = await registry.orders()
        assert not await resume_one(registry, stray, RunningInstances())
        assert [order["run"] for order in await registry.orders()] == ["r1"]

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


def checked(verdict: str, at: str, seen: list[int]) -> Mutation[str]:
    """The change that a check makes of a record; notes the revisions that it was asked about."""

    def change(record: Record | None, _: datetime) -> tuple[Record | None, str]:
        assert record is not None
        seen.append(record["revision"])
        record["health"] = {"verdict": verdict, "since": at, "checked": at, "problems": []}  # type: ignore[typeddict-item]
        return record, verdict

    return change


def test_what_checks_have_found_is_written_together_by_the_etags_that_are_known(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        peerings = [peering(number) for number in range(3)]
        for one in peerings:
            await ask(registry, one)
            await finish(registry, one)
        known = {one["id"]: held for one in peerings if (held := await registry.held(one["id"])) is not None}
        assert await change_counted(registry, known, "healthy") == ({"healthy"}, 0, {"healthy"})
        # The rows have changed since: they are read anew, once.
        assert await change_counted(registry, known, "broken") == ({"broken"}, 3, {"broken"})

    async def change_counted(
        registry: Registry, known: dict[str, Held], verdict: str
    ) -> tuple[set[str], int, set[str]]:
        """The answers, how many records were read, and the verdicts that they have now."""
        reads, held = 0, registry.held

        async def counted(identity: str) -> Held | None:
            nonlocal reads
            reads += 1
            return await held(identity)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "held", counted)
            changes = {one: checked(verdict, registry.now.isoformat(), []) for one in known}
            answers = await registry.change_health(changes, known)
        records = [await registry.record(one) for one in known]
        assert answers.keys() == known.keys()
        verdicts = {record["health"]["verdict"] for record in records if record is not None}
        return set(answers.values()), reads, {str(verdict) for verdict in verdicts}

    run(tables, test)


def test_what_was_written_though_the_answer_was_lost_is_not_found_twice(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one = peering(1)
        await ask(registry, one)
        await finish(registry, one)
        held = await registry.held(one["id"])
        assert held is not None
        seen, at = list[int](), registry.now.isoformat()
        change, submit = checked("healthy", at, seen), registry._table.client.submit_transaction

        async def losing(*given: Any, **options: Any) -> object:  # noqa: ANN401 - as the SDK has them
            await submit(*given, **options)
            raise HttpResponseError("The answer is lost.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry._table.client, "submit_transaction", losing)
            assert await registry.change_health({one["id"]: change}, {one["id"]: held}) == {one["id"]: "healthy"}
        assert len(seen) == 1

    run(tables, test)


def test_a_sign_of_life_is_not_given_to_the_order_that_took_the_place(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        one, read, other = peering(1), registry._table.row, Registry(registry._table._service)
        await ask(registry, one)
        (before,) = await registry.orders()

        async def then_superseded(*key: str) -> object:
            held = await read(*key)
            monkeypatch.setattr(registry._table, "row", read)
            await ask(other, one, "r2", "remove")
            return held

        monkeypatch.setattr(registry._table, "row", then_superseded)
        later = (registry.now + 2 * SIGN_OF_LIFE).isoformat()
        assert not await registry.is_own({**fence(one, execution=before["execution"]), "alive_until": later})
        (order,) = await registry.orders()
        assert (order["run"], order["alive_until"] < later) == ("r2", True)

    run(tables, test)


def test_of_two_that_claim_a_key_whose_answer_is_kept_no_longer_one_has_it(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(repeats, "registry", lambda: registry)
        scan, old = registry.scan, (registry.now - 2 * repeats.KEPT).isoformat()
        await registry.put({"PartitionKey": "repeats", "RowKey": "k", "at": old, "fingerprint": "old", "status": 202})

        async def then_claimed(condition: str, *columns: str) -> object:
            held = await scan(condition, *columns)
            monkeypatch.setattr(registry, "scan", scan)
            assert await repeats.claim("k", "the other's") is None
            return held

        monkeypatch.setattr(registry, "scan", then_claimed)
        found = await repeats.claim("k", "mine")
        assert found is not None
        assert found.fingerprint == "the other's"

    run(tables, test)
