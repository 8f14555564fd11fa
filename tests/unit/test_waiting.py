"""How long the pauses are: a wait is noticed soon, looked at seldom, and ends at its deadline."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrators.waiting import next_look
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.spec import Deadlines

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINES = Deadlines(propagation=900, platform=24 * 3600)
NOT_BUILT = Occurrence(code="connection-not-built", detail="APPROVED")


def looks(wait: float) -> tuple[int, float]:
    """How many looks a wait of so many seconds takes, and how late its end is noticed."""
    now, count = SINCE, 0
    while now < SINCE + timedelta(seconds=wait):
        look = next_look(now, SINCE, NOT_BUILT, DEADLINES)
        assert look is not None
        now, count = look, count + 1
    return count, (now - SINCE).total_seconds() - wait


@given(st.floats(10, 23 * 3600))
def test_a_wait_is_noticed_at_most_a_tenth_late(wait: float) -> None:
    count, lag = looks(wait)
    assert lag <= wait / 10
    assert count < 110


def test_looks_grow_with_the_logarithm_of_the_wait() -> None:
    minute, hour, day = (looks(wait)[0] for wait in (60, 3600, 23 * 3600))
    assert hour - minute < 50
    assert day - hour < 40


def test_the_last_look_is_at_the_deadline() -> None:
    almost = SINCE + timedelta(hours=24, seconds=-3)
    assert next_look(almost, SINCE, NOT_BUILT, DEADLINES) == SINCE + timedelta(hours=24)
    assert next_look(SINCE + timedelta(hours=24), SINCE, NOT_BUILT, DEADLINES) is None


def test_a_remote_that_asks_for_a_pause_gets_it() -> None:
    throttled = Occurrence(code="remote-throttled", detail="", retry_after=28)
    assert next_look(SINCE, SINCE, throttled, DEADLINES) == SINCE + timedelta(seconds=28)


def test_who_was_put_off_until_its_turn_comes_back_then_however_long_it_has_waited() -> None:
    put_off = Occurrence(code="remote-throttled", detail="", retry_after=12)
    refused = Occurrence(code="remote-throttled", detail="", retry_after=12, remote={"service": "Aiven"})
    now = SINCE + timedelta(hours=1)
    assert next_look(now, SINCE, put_off, DEADLINES) == now + timedelta(seconds=12)
    assert next_look(now, SINCE, refused, DEADLINES) == now + timedelta(minutes=6)


def test_a_problem_that_stays_is_not_looked_at_again() -> None:
    assert next_look(SINCE, SINCE, Occurrence(code="vnet-not-found", detail=""), DEADLINES) is None


@pytest.mark.parametrize("code", ["peering-role-not-effective", "secret-not-accepted"])
def test_propagation_has_the_shorter_deadline(code: ProblemCode) -> None:
    late = SINCE + timedelta(seconds=901)
    assert next_look(late, SINCE, Occurrence(code=code, detail=""), DEADLINES) is None
    assert next_look(late, SINCE, NOT_BUILT, DEADLINES) is not None
