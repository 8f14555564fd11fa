"""The verdicts of many peerings, written together."""

from datetime import datetime
from functools import partial
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from clients.registry.tables import Held, Mutation, Registry
from peering.record import Record
from tests.cloud.table_services import Tables
from tests.registry.registry_on_tables import ask, finish, peering, run


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
        # The rows have changed since: they are read again, once.
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


def test_a_verdict_has_changed_when_it_is_written_and_never_earlier_than_before(tables: Tables) -> None:
    async def test(registry: Registry) -> None:
        one, at = peering(1), registry.now.isoformat()
        await ask(registry, one)
        await finish(registry, one)
        moments = [await moment_of(registry)]
        # A check that began before has found two problems; a later one finds one of them again.
        for codes in (["secret-missing", "role-assignment-missing"], ["secret-missing"], []):
            await registry.change(one["id"], partial(finding, codes, at), health=True)
            moments.append(await moment_of(registry))
        assert moments == sorted(set(moments))

    def finding(codes: list[str], at: str, record: Record | None, _: datetime) -> tuple[Record | None, None]:
        assert record is not None
        problems: list[Any] = [{"problem": {"code": code, "detail": ""}, "since": at} for code in codes]
        record["health"] = {"verdict": "broken", "since": at, "checked": at, "problems": problems}
        return record, None

    async def moment_of(registry: Registry) -> str:
        ((row,), (same,)) = await registry.page("", 1), await registry.listed()
        assert row == same
        return str(row["changed"])

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
