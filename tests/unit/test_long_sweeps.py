"""A check of all with more calls than one history takes: it starts over, and does everything once."""

from collections import Counter
from typing import Any

import pytest

from orchestrators.check_health import CALLS_IN_ONE_HISTORY, check_health
from orchestrators.lost import MOST_LOST
from peering.calls import (
    BEGIN_DELIVERIES,
    CHECK_VNETS,
    END_SWEEP,
    LOOK_AT_ASSIGNMENTS,
    LOOK_AT_PROJECT_VPCS,
    LOOK_AT_SECRETS,
    PLAN_SWEEP,
)
from peering.spec import Deadlines
from peering.sweep import Sweep, SweepPlan
from tests.unit.driven_by_hand import START, ByHand

SWEEP = Sweep(repairs=True, deadlines=Deadlines(propagation=900, platform=86400))
PLAN = SweepPlan(at=START.isoformat(), project_vpcs=120, subscriptions=50, vnets=3010, undelivered=3, unreadable=2)


def test_each_thing_is_done_once_over_all_histories_and_the_counts_add_up() -> None:
    done: dict[str, Counter[int]] = {}

    def activity(name: str, given: Any) -> Any:  # noqa: ANN401 - any activity's
        if name == PLAN_SWEEP:
            return PLAN
        if name == END_SWEEP:
            return None
        done.setdefault(name, Counter()).update(given["numbers"])
        return {"checked": len(given["numbers"]), "repairs": 1} if name == CHECK_VNETS else {}

    given, histories = SWEEP, []
    while True:
        context = ByHand(given, activity)
        output = context.run(check_health)
        histories.append(context.calls)
        if not context.goes_on_with:
            break
        assert output is None
        given = context.goes_on_with[0]
    assert output == {"checked": 3010, "changed": 0, "repairs": -(-3010 // 50), "failed": {PLAN_SWEEP: 2}}
    assert done == {
        LOOK_AT_SECRETS: Counter(range(1)),
        LOOK_AT_ASSIGNMENTS: Counter(range(50)),
        LOOK_AT_PROJECT_VPCS: Counter(range(120)),
        CHECK_VNETS: Counter(range(3010)),
        BEGIN_DELIVERIES: Counter(range(3)),
    }
    assert [one for calls in histories for one in calls if one in (PLAN_SWEEP, END_SWEEP)] == [PLAN_SWEEP, END_SWEEP]
    assert len(histories) > 1
    assert max(map(len, histories)) <= CALLS_IN_ONE_HISTORY + 2


@pytest.mark.parametrize("losses", [MOST_LOST, MOST_LOST + 1])
def test_a_plan_that_the_platform_loses_too_often_says_why_nothing_was_checked(losses: int) -> None:
    def activity(name: str, _: object) -> SweepPlan | None:
        if name == PLAN_SWEEP and context.calls.count(PLAN_SWEEP) <= losses:
            raise ConnectionError("the worker is gone")
        return (
            {**PLAN, "vnets": 0, "subscriptions": 0, "project_vpcs": 0, "undelivered": 0}
            if name == PLAN_SWEEP
            else None
        )

    context = ByHand(SWEEP, activity)
    output = context.run(check_health)
    nothing = {"checked": 0, "changed": 0, "repairs": 0}
    if losses > MOST_LOST:
        assert output == {**nothing, "interrupted": f"{PLAN_SWEEP}: the worker is gone"}
        assert END_SWEEP not in context.calls
    else:
        assert output == {**nothing, "failed": {PLAN_SWEEP: 2}}
