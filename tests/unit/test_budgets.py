"""What is left of the remotes' limits, who waits for how long, and what an answer changes."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from clients.budgets import LIMITS, Bucket, Budget, Limit, begin_request, budget, end_request, spending
from clients.budgets_of_requests import buckets_of, note_answer
from tests.unit.conftest import Time

TEN: Limit = Limit(10, 2)


@pytest.fixture
def ten(time_of_budgets: Time) -> Budget:
    """A budget of ten tokens, two of which come back in a second."""
    assert time_of_budgets.now
    return Budget(TEN)


def test_who_comes_when_all_is_claimed_waits_in_order(ten: Budget) -> None:
    assert [ten.claim(4) for _ in range(4)] == [0, 0, 1, 3]


def test_what_comes_back_with_time_is_there_for_the_next(ten: Budget, time_of_budgets: Time) -> None:
    ten.claim(10)
    time_of_budgets.pass_by(2)
    assert ten.claim(4) == 0
    time_of_budgets.pass_by(3600)
    assert (ten.claim(10), ten.claim(1)) == (0, 0.5)


def test_what_is_given_back_shortens_the_queue(ten: Budget) -> None:
    ten.claim(10)
    ten.give_back(6)
    assert ten.claim(6) == 0


def test_what_a_remote_says_is_left_counts_less_what_is_claimed(ten: Budget) -> None:
    ten.claim(4)
    ten.note(5)
    assert (ten.claim(1), ten.claim(1)) == (0, 0.5)


def test_a_remote_that_leaves_more_than_it_is_known_to_is_believed(ten: Budget, time_of_budgets: Time) -> None:
    ten.note(1000)
    time_of_budgets.pass_by(1)
    assert ten.claim(1000) == 0


def test_a_refusal_holds_for_all_who_come_after_it(ten: Budget) -> None:
    ten.refused(3)
    assert [ten.claim(2), ten.claim(2)] == [4, 5]


def test_no_refusal_holds_for_longer_than_the_budget_takes_to_fill(ten: Budget) -> None:
    ten.refused(3600)
    assert ten.claim(0) == 5


def test_who_can_wait_leaves_a_part_to_those_who_cannot(ten: Budget, time_of_budgets: Time) -> None:
    assert (ten.claim_spare(8), ten.claim_spare(1)) == (0, 1.0)
    time_of_budgets.pass_by(1)
    assert ten.claim_spare(2) == 0


def test_a_limit_that_only_a_refusal_shows_holds_from_the_first_one_on(time_of_budgets: Time) -> None:
    assert time_of_budgets.now
    unknown = Budget(TEN._replace(learned=True))
    assert unknown.claim(500) == unknown.claim_spare(1) == 0
    unknown.refused(1)
    assert unknown.claim(2) > 200


def in_a_worker(work: Callable[[], Awaitable[None]]) -> None:
    """Run something on an event loop of its own, with budgets of its own."""

    async def run() -> None:
        await work()

    asyncio.run(run())


@pytest.mark.usefixtures("time_of_budgets")
def test_requests_use_what_their_work_has_claimed_and_then_more() -> None:
    bucket = Bucket("arm reads", "s")

    async def work() -> None:
        held = budget(*bucket)
        held.claim(248)
        held.claim(2)
        with spending({bucket: 2}) as spent:
            for _ in range(3):
                begin_request([bucket])
                end_request([bucket])
        assert spent.used == {bucket: 3}
        # The third was unclaimed.
        assert held.claim(0) == 1 / LIMITS["arm reads"].per_second

    in_a_worker(work)


@pytest.mark.usefixtures("time_of_budgets")
def test_what_work_does_not_use_is_given_back() -> None:
    bucket = Bucket("graph writes")

    async def work() -> None:
        held = budget(*bucket)
        held.claim(3000)
        with spending({bucket: 3000}):
            begin_request([bucket])
            end_request([bucket])
        assert (held.claim(2999), held.claim(1)) == (0, 1 / LIMITS["graph writes"].per_second)

    in_a_worker(work)


@pytest.mark.usefixtures("time_of_budgets")
@pytest.mark.parametrize(
    ("told", "writes", "units"),
    [
        ({"x-ms-throttle-information": "ResourceUnitLimitExceeded", "Retry-After": "4"}, 0, 4),
        ({"x-ms-throttle-information": "WriteLimitExceeded", "Retry-After": "4"}, 4, 0),
        ({"Retry-After": "4"}, 4, 0),
    ],
)
def test_a_refusal_of_graph_is_about_units_or_about_writes(told: dict[str, str], writes: float, units: float) -> None:
    async def work() -> None:
        note_answer(buckets_of("Microsoft Graph", "POST"), httpx.Response(429, headers=told))
        assert (budget("graph writes").claim(0), budget("graph units").claim(0)) == (writes, units)

    in_a_worker(work)


@pytest.mark.usefixtures("time_of_budgets")
def test_a_request_to_graph_costs_what_the_answer_says() -> None:
    async def work() -> None:
        buckets = buckets_of("Microsoft Graph", "GET")
        begin_request(buckets)
        end_request(buckets)
        note_answer(buckets, httpx.Response(200, headers={"x-ms-resource-unit": "5"}))
        assert (budget("graph units").claim(3495), budget("graph units").claim(350)) == (0, 1)

    in_a_worker(work)


@pytest.mark.usefixtures("time_of_budgets")
def test_aiven_says_in_words_for_how_long_it_refuses() -> None:
    text = {"message": "Rate limit 120 exceeded - try again in 28s"}

    async def work() -> None:
        assert budget("aiven requests").claim(500) == 0
        budget("aiven requests").give_back(500)
        note_answer(buckets_of("Aiven", "GET"), httpx.Response(429, json=text))
        assert budget("aiven requests").claim(2) == 29

    in_a_worker(work)
