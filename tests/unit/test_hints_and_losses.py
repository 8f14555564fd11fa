"""A workflow whose order goes while it waits, or whose calls the platform loses, by hand and call by call."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from orchestrators.deliver import deliver
from orchestrators.durable import OrchestrationContext
from orchestrators.lost import MOST_LOST
from orchestrators.run import CurrentRun
from orchestrators.waiting import AWAIT_STEP, Wait, attempt, await_step
from peering.calls import (
    DELIVER_EVENT,
    NEXT_EVENT,
    NOTE_DELIVERED,
    NOTE_LOST,
    RENEW_ORDER,
    STOP_WAITS,
    Activity,
)
from peering.orders import Taken, new_order
from peering.outcome import Occurrence, StepRequest
from peering.record import Change
from peering.spec import Deadlines, Fence
from peering.webhook import Delivery, event_of
from tests.registry.registry_on_tables import BY
from tests.unit.driven_by_hand import START, ByHand, Done
from tests.unit.healthy_peering import PEERING

STEP = "pending_peer"
DEADLINES = Deadlines(propagation=900, platform=86400)
FENCE = Fence(id="i", run="r", execution="e", alive_until="")
WITH_A_FENCE = StepRequest(peering=PEERING, facts={}, fence=FENCE)
WITHOUT = StepRequest(peering=PEERING, facts={})
FOUND = {"facts": {"to_network_id": "network"}}
PENDING = Occurrence(code="vnet-not-provisioned", detail="Updating")


def events_first(times: int) -> Callable[[Sequence[Done]], Done]:
    """The hint that an order may have gone comes before everything else, so many times."""
    left = [times]

    def first(tasks: Sequence[Done]) -> Done:
        left[0] -= 1
        return next((task for task in tasks if (task.what == "event") is (left[0] >= 0)), tasks[0])

    return first


def attempted(context: ByHand, given: StepRequest) -> dict[str, Any]:
    """The outcome of an attempt."""
    outcome: dict[str, Any] = context.run(lambda it: attempt(it, Activity(STEP), given, "r", DEADLINES))
    return outcome


@pytest.mark.parametrize(
    ("given", "own", "told"),
    [
        (WITH_A_FENCE, True, [RENEW_ORDER]),
        (WITH_A_FENCE, False, [RENEW_ORDER, STOP_WAITS]),
        (WITHOUT, True, [STOP_WAITS]),
    ],
)
def test_who_is_told_that_its_order_may_have_gone_asks_and_ends_its_wait_only_then(
    given: StepRequest, own: bool, told: list[str]
) -> None:
    answers = {STEP: {"problem": PENDING}, AWAIT_STEP: {"outcome": FOUND, "tries": 2}, RENEW_ORDER: own}
    context = ByHand(given, lambda name, _: answers.get(name), events_first(1))
    assert attempted(context, given) == FOUND
    assert context.calls == [STEP, AWAIT_STEP, *told]


@pytest.mark.parametrize(("given", "noted"), [(WITH_A_FENCE, [NOTE_LOST]), (WITHOUT, [])])
def test_a_first_call_that_is_lost_is_noted_where_it_may_have_changed_something(
    given: StepRequest, noted: list[str]
) -> None:
    def activity(name: str, _: object) -> object:
        if name == STEP:
            raise ConnectionError("gone")
        return {"outcome": FOUND, "tries": 2} if name == AWAIT_STEP else None

    context = ByHand(given, activity)
    assert attempted(context, given) == FOUND
    assert context.calls == [STEP, *noted, AWAIT_STEP]


@pytest.mark.parametrize(("given", "noted"), [(WITH_A_FENCE, True), (WITHOUT, False)])
def test_a_look_that_is_lost_in_a_wait_is_noted_where_it_may_have_changed_something(
    given: StepRequest, noted: bool
) -> None:
    tries: list[str] = []

    def activity(name: str, _: object) -> object:
        if name != STEP:
            return True
        tries.append(name)
        if len(tries) == 1:
            raise ConnectionError("gone")
        return FOUND

    wait = Wait(step=STEP, request=given, deadlines=DEADLINES, since=START.isoformat(), tries=1, problem=PENDING)
    context = ByHand(wait, activity)
    result = context.run(await_step)
    assert (result["outcome"], result["tries"], len(tries)) == (FOUND, 3, 2)
    assert (NOTE_LOST in context.calls, bool(result["unsettled"])) == (noted, noted)


@pytest.mark.parametrize(
    ("hints", "owns", "state"),
    [(0, [], "running"), (1, [True], "running"), (2, [True, False], "superseded")],
)
def test_a_pause_ends_early_only_where_the_order_has_gone(hints: int, owns: list[bool], state: str) -> None:
    asked = list(owns)
    context = ByHand(None, lambda name, _: asked.pop(0) if name == RENEW_ORDER else None, events_first(hints))
    order = new_order("remove", "r", BY, START, DEADLINES)
    taken = Taken(order=order, peering=PEERING, known={}, revision=1, unsettled=None)

    def paused(given: OrchestrationContext) -> Any:  # noqa: ANN401 - a workflow's
        run = CurrentRun(given, taken, "e")
        yield from run.pause_until(START + timedelta(minutes=10))
        return run.state

    assert (context.run(paused), asked) == (state, [])
    assert context.calls == [RENEW_ORDER] * hints


def test_a_delivery_that_cannot_be_noted_is_interrupted_and_the_event_stays() -> None:
    event = event_of(Change(id="i", previous=None, verdict="healthy", codes=[], at=START.isoformat()))

    def activity(name: str, _: object) -> object:
        if name == NOTE_DELIVERED:
            raise ConnectionError("gone")
        return event if name == NEXT_EVENT else {"facts": {}}

    context = ByHand(Delivery(id="i", deadlines=DEADLINES, after=""), activity)
    assert context.run(deliver)["problem"]["code"] == "interrupted"
    assert context.calls == [NEXT_EVENT, DELIVER_EVENT, *[NOTE_DELIVERED] * (MOST_LOST + 1)]
