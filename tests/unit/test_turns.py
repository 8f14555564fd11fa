"""Work that has to wait for its turn: it is put off with what it is going to ask for, and comes back for that."""

import asyncio
from typing import cast

import pytest

from activities.turns import in_turn
from clients.budgets import LIMITS, Bucket, begin_request, budget, end_request
from peering.outcome import THROTTLED, Occurrence, Outcome, ProblemError, StepRequest, is_undone
from peering.spec import Fence, Peering
from tests.unit.conftest import Time

SUBSCRIPTION = "8c2c7f0e-5a8b-4a7f-9d0c-0b7c8c0f6d11"
WRITES = Bucket("arm writes", SUBSCRIPTION)
MOST = int(LIMITS["arm writes"].tokens)


def request(number: int) -> StepRequest:
    vnet = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v{number}"
    return StepRequest(peering=cast("Peering", {"id": str(number), "vnet_id": vnet}), facts={})


async def two_writes() -> Outcome:
    for _ in range(2):
        begin_request([WRITES])
        end_request([WRITES])
    return {"facts": {}}


async def refused() -> Outcome:
    return {"problem": Occurrence(code=THROTTLED, detail="", retry_after=1.0)}


async def come(number: int) -> float:
    """When one that writes twice is to come back; 0 when it has done so."""
    result = await in_turn("role", request(number), two_writes)
    return result["problem"]["retry_after"] if is_undone(result) else 0


async def _all_at_once(count: int, time: Time) -> list[float]:
    told = [await come(number) for number in range(count)]
    for number in sorted(range(count), key=told.__getitem__):
        if told[number]:
            time.pass_by(max(0.0, told[number] - (time.now - START).total_seconds()))
            assert await come(number) == 0
    return told


START = Time().now


def test_as_many_as_there_are_tokens_for_go_on_and_the_others_come_in_the_order_of_their_turns(
    time_of_budgets: Time,
) -> None:
    told = asyncio.run(_all_at_once(200, time_of_budgets))
    assert told[: MOST // 2] == [0] * (MOST // 2)
    assert told[MOST // 2 :] == sorted(told[MOST // 2 :])
    # 400 writes: 200 at once, and ten a second.
    assert (time_of_budgets.now - START).total_seconds() == (400 - MOST) / LIMITS["arm writes"].per_second


async def _after_a_refusal() -> float:
    await come(0)
    budget(*WRITES).refused(20)
    result = await in_turn("role", request(1), refused)
    assert is_undone(result)
    return result["problem"]["retry_after"]


@pytest.mark.usefixtures("time_of_budgets")
def test_what_a_remote_refuses_comes_back_when_it_is_its_turn() -> None:
    # It was to come back after a second by the answer, but the others are to wait for twenty.
    assert asyncio.run(_after_a_refusal()) == 21


async def _forgotten(time: Time) -> float:
    await come(0)
    budget(*WRITES).note(0)
    for number in range(1, 101):
        assert await come(number) > 0
    time.pass_by(3600)
    budget(*WRITES).claim(0)
    assert await come(101) == 0
    budget(*WRITES).note(0)
    # Were they still claimed, one more would wait for all of them.
    assert await come(102) > 0
    return budget(*WRITES).claim(0)


def test_claims_that_nobody_comes_for_are_given_back(time_of_budgets: Time) -> None:
    assert asyncio.run(_forgotten(time_of_budgets)) < 1


async def _put_off_with_a_fence(time: Time, monkeypatch: pytest.MonkeyPatch, *, own: bool) -> tuple[list[Fence], str]:
    given = list[Fence]()

    async def is_own(fence: Fence) -> bool:
        given.append(fence)
        return own

    monkeypatch.setattr(time, "is_own", is_own, raising=False)
    await come(0)
    budget(*WRITES).note(0)
    fence = Fence(id="1", run="r", execution="e", alive_until="")
    result = await in_turn("role", {**request(1), "fence": fence}, two_writes)
    assert is_undone(result)
    return given, result["problem"]["code"]


@pytest.mark.parametrize(("own", "code"), [(True, THROTTLED), (False, "run-superseded")])
def test_what_is_put_off_gives_a_sign_of_life_or_learns_that_its_order_has_gone(
    time_of_budgets: Time, monkeypatch: pytest.MonkeyPatch, own: bool, code: str
) -> None:
    given, met = asyncio.run(_put_off_with_a_fence(time_of_budgets, monkeypatch, own=own))
    assert ([fence["run"] for fence in given], met) == (["r"], code)


def test_what_is_put_off_while_the_registry_is_out_says_why_and_is_not_done(
    time_of_budgets: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_own(_: Fence) -> bool:
        raise ProblemError("registry-contended", "Tried 8 times.")

    async def put_off() -> str:
        await come(0)
        budget(*WRITES).note(0)
        fence = Fence(id="1", run="r", execution="e", alive_until="")
        result = await in_turn("role", {**request(1), "fence": fence}, two_writes)
        assert is_undone(result)
        return result["problem"]["code"]

    monkeypatch.setattr(time_of_budgets, "is_own", is_own, raising=False)
    assert asyncio.run(put_off()) == "registry-contended"
