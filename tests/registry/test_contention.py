"""Writes that others are faster than every time, and rows that go between a read and a write."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from clients.registry import tables as tables_module
from clients.registry.rows import PEERINGS, Row, order_key
from clients.registry.table import TRIES
from clients.registry.tables import Held, Mutation, Registry
from peering.outcome import ProblemError
from peering.record import Record
from peering.runs import SIGN_OF_LIFE
from tests.cloud.table_services import Tables
from tests.registry.registry_on_tables import ask, fence, finish, peering, run

_ROW: Row = {"PartitionKey": "beside", "RowKey": "row", "text": "mine"}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(tables_module, "_SPREAD", SimpleNamespace(uniform=lambda *_: 0.0))


def noting(text: str) -> Mutation[str]:
    """Write a peering's note."""

    def change(record: Record | None, _: datetime) -> tuple[Record | None, str]:
        assert record is not None
        return {**record, "note": text}, text

    return change


def checked(verdict: str) -> Mutation[str]:
    """The change that a check makes of a record."""

    def change(record: Record | None, now: datetime) -> tuple[Record | None, str]:
        assert record is not None
        at = now.isoformat()
        record["health"] = {"verdict": verdict, "since": at, "checked": at, "problems": []}  # type: ignore[typeddict-item]
        return record, verdict

    return change


def then(read: Callable[..., Awaitable[Any]], happens: Callable[[int], Awaitable[object]], times: int) -> Any:  # noqa: ANN401 - as what it reads
    """A read, after which something happens so many times."""
    reads = list[int]()

    async def reading(*given: str) -> object:
        found = await read(*given)
        reads.append(1)
        if len(reads) <= times:
            await happens(len(reads))
        return found

    return reading


def test_a_change_that_others_are_always_faster_than_is_told_of_and_nothing_is_lost(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        one, other = peering(1)["id"], Registry(registry._table._service)
        await ask(other, peering(1))

        async def faster(number: int) -> None:
            await other.change(one, noting(f"the other's {number}"))

        monkeypatch.setattr(registry, "held", then(registry.held, faster, TRIES))
        with pytest.raises(ProblemError) as refused:
            await registry.change(one, noting("mine"))
        assert refused.value.occurrence["code"] == "registry-contended"
        held = await other.record(one)
        assert held is not None
        assert held["note"] == f"the other's {TRIES}"
        # Whoever asks again is served.
        assert await registry.change(one, noting("mine")) == "mine"

    run(tables, test)


@pytest.mark.parametrize("times", [1, TRIES])
def test_a_row_beside_the_peerings_is_not_written_over_what_another_writes_meanwhile(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    async def test(registry: Registry) -> None:
        table, row = registry._table.client, registry._table.row
        await registry.put({**_ROW, "text": "older"})

        async def faster(number: int) -> None:
            await table.upsert_entity({**_ROW, "text": f"the other's {number}"})

        monkeypatch.setattr(registry._table, "row", then(row, faster, times))
        if times < TRIES:
            await registry.put(_ROW)
        else:
            with pytest.raises(ProblemError) as refused:
                await registry.put(_ROW)
            assert refused.value.occurrence["code"] == "registry-contended"
        (held,) = await registry.scan("PartitionKey eq 'beside'")
        assert held["text"] == ("mine" if times < TRIES else f"the other's {TRIES}")

    run(tables, test)


def test_a_row_that_goes_before_it_is_read_is_inserted(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(registry: Registry) -> None:
        row = registry._table.row
        await registry.put({**_ROW, "text": "older"})

        async def then_read(*key: str) -> object:
            monkeypatch.setattr(registry._table, "row", row)
            await registry.delete_rows([_ROW])
            return await row(*key)

        monkeypatch.setattr(registry._table, "row", then_read)
        await registry.put(_ROW)
        (held,) = await registry.scan("PartitionKey eq 'beside'")
        assert held["text"] == "mine"

    run(tables, test)


def test_a_sign_of_life_that_cannot_be_renewed_is_told_of_and_takes_nothing_back(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        one, row = peering(1), registry._table.row
        await ask(registry, one)
        (order,) = await registry.orders()
        own = {**fence(one, execution=""), "alive_until": (registry.now + 2 * SIGN_OF_LIFE).isoformat()}

        async def faster(number: int) -> None:
            key = {"PartitionKey": PEERINGS, "RowKey": order_key(one["id"])}
            await registry._table.client.update_entity({**key, "not_before": f"{number:02d}"})

        monkeypatch.setattr(registry._table, "row", then(row, faster, TRIES))
        with pytest.raises(ProblemError) as refused:
            await registry.is_own(own)  # type: ignore[arg-type]
        assert refused.value.occurrence["code"] == "registry-contended"
        (left,) = await registry.orders()
        assert left == {**order, "not_before": f"{TRIES:02d}"}

    run(tables, test)


def test_verdicts_that_no_transaction_can_write_are_written_one_by_one_beside_what_others_write(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(registry: Registry) -> None:
        peerings, other = [peering(number) for number in range(3)], Registry(registry._table._service)
        known = dict[str, Held]()
        for one in peerings:
            await ask(other, one)
            await finish(other, one)
            held = await registry.held(one["id"])
            assert held is not None
            known[one["id"]] = held
        first = peerings[0]["id"]
        await other.change(first, noting("before the first transaction"))

        async def faster(_: int) -> None:
            await other.change(first, noting("before the second transaction"))

        monkeypatch.setattr(registry, "held", then(registry.held, faster, 1))
        answers = await registry.change_health({one: checked("healthy") for one in known}, known)
        assert answers == dict.fromkeys(known, "healthy")
        records = {one: await other.record(one) for one in known}
        verdicts = [record["health"]["verdict"] for record in records.values() if record is not None]
        assert verdicts == ["healthy"] * 3
        kept = records[first]
        assert kept is not None
        assert kept["note"] == "before the second transaction"

    run(tables, test)


def test_rows_of_which_some_are_deleted_already_go_all_the_same(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        rows: list[Row] = [{**_ROW, "RowKey": name} for name in ("a", "b", "c", "d")]
        for row in rows:
            await registry.put(row)
        await registry.delete_rows(rows[1:2])
        await registry.delete_rows(rows[:3])
        assert [row["RowKey"] for row in await registry.scan("PartitionKey eq 'beside'")] == ["d"]

    run(tables, test)
