"""Who of several gets a place in a row: callers, executions, those that resume."""

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus

import activities.orders
import activities.step
import clients.registry.orders
from clients import repeats
from clients.durable import DurableClient, OrchestrationStatus
from clients.registry import resuming
from clients.registry.rows import PEERINGS, OrderRow, Row, order_key, order_row
from clients.registry.tables import Registry
from peering.facts import Facts
from peering.orders import Taking, new_order
from peering.outcome import StepRequest
from peering.record import Record
from peering.registry import take
from peering.runs import SIGN_OF_LIFE
from peering.spec import Fence, Peering
from tests.arbitrary_facts import arbitrary_facts
from tests.cloud.table_services import Tables
from tests.registry.registry_on_tables import BY, DEADLINES, ask, fence, finish, peering, run


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


def test_a_step_works_only_for_the_execution_that_has_the_order_and_keeps_what_it_made(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    async def application(_: Peering, __: Facts) -> Facts:
        made.append("application")
        return arbitrary_facts({"application_id": "a"})

    async def test(registry: Registry) -> None:
        monkeypatch.setattr(activities.step, "registry", lambda: registry)
        one = peering(1)
        await ask(registry, one)
        taking = Taking(id=one["id"], execution="x", at=registry.now.isoformat())
        monkeypatch.setattr(activities.orders, "registry", lambda: registry)
        assert await activities.orders.take_order(taking) is not None
        activity, later = activities.step.step(application), (registry.now + SIGN_OF_LIFE).isoformat()

        async def call(execution: str) -> tuple[str | None, str | None]:
            own: Fence = {**fence(one, execution=execution), "alive_until": later}
            outcome = await activity(StepRequest(peering=one, facts={}, fence=own))
            held = await registry.record(one["id"])
            assert held is not None
            return outcome["problem"]["code"] if "problem" in outcome else None, held["facts"].get("application_id")

        assert (await call("y"), made) == (("run-superseded", None), [])
        assert (await call("x"), made) == ((None, "a"), ["application"])

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


@pytest.mark.parametrize("is_left", [True, False], ids=["another order took the place", "the peering is gone"])
def test_an_order_whose_place_is_taken_while_it_is_resumed_is_left_alone(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, is_left: bool
) -> None:
    async def test(registry: Registry) -> None:
        one, client, other = peering(1), RunningInstances(), Registry(registry._table._service)
        for module in (clients.registry.orders, resuming):
            monkeypatch.setattr(module, "registry", lambda: registry)
        await ask(other, one)
        (listed,), read = await registry.orders(), registry.record

        async def then_overtaken(identity: str) -> object:
            found = await read(identity)
            await ask(other, one, "r2", "remove")
            if not is_left:
                await finish(other, one, "removed")
            return found

        monkeypatch.setattr(registry, "record", then_overtaken)
        assert not await resume_one(registry, listed, client)
        assert (client.terminated, client.started) == ([], [])
        held = await other.record(one["id"])
        assert (held is not None) == is_left
        assert held is None or (held["order"]["run"], held["order"]["executions"]) == ("r2", 1)

    run(tables, test)


@pytest.mark.parametrize("is_known", [True, False], ids=["a peering at rest", "no peering"])
def test_a_row_of_an_order_that_no_record_has_goes(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(resuming, "registry", lambda: registry)
        one, client = peering(1), RunningInstances()
        if is_known:
            await ask(registry, one)
            await finish(registry, one)
        await registry.insert(order_row(one["id"], new_order("check", "stray", BY, registry.now, DEADLINES)))
        (stray,) = await registry.orders()
        assert not await resume_one(registry, stray, client)
        assert (await registry.orders(), client.terminated, client.started) == ([], [], [])
        assert ((await registry.record(one["id"])) is not None) == is_known

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


def test_answers_are_forgotten_when_they_are_kept_no_longer_and_no_others(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        monkeypatch.setattr(repeats, "registry", lambda: registry)
        old, new = (registry.now - repeats.KEPT * part for part in (1.1, 0.9))
        for number in range(101):
            key, at = f"old-{number}", old.isoformat()
            row: Row = {"PartitionKey": "repeats", "RowKey": key, "fingerprint": "f", "status": 202, "at": at}
            await registry.insert(row)
        await registry.insert(
            {"PartitionKey": "repeats", "RowKey": "new", "fingerprint": "f", "status": 0, "at": new.isoformat()}
        )
        assert [await repeats.forget(), await repeats.forget()] == [101, 0]
        assert [row["RowKey"] for row in await registry.scan("PartitionKey eq 'repeats'")] == ["new"]

    run(tables, test)
