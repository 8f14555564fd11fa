"""A wait with a long pause ahead gives a sign of life first, and so learns that its order has gone."""

import pytest

from orchestrators.waiting import Wait, await_step
from peering.calls import RENEW_ORDER
from peering.outcome import Occurrence, Outcome, StepRequest
from peering.spec import Deadlines, Fence
from tests.unit.driven_by_hand import START, ByHand
from tests.unit.healthy_peering import PEERING

STEP = "pending_peer"
REQUEST = StepRequest(peering=PEERING, facts={}, fence=Fence(id="i", run="r", execution="e", alive_until=""))


@pytest.mark.parametrize(
    ("own", "seconds", "calls"),
    [(True, 3600, [RENEW_ORDER, STEP]), (False, 3600, [RENEW_ORDER]), (False, 10, [STEP])],
)
def test_an_order_that_has_gone_is_noticed_before_a_long_pause(own: bool, seconds: int, calls: list[str]) -> None:
    def activity(name: str, _: object) -> bool | Outcome:
        return own if name == RENEW_ORDER else {"facts": {"to_network_id": "network"}}

    problem = Occurrence(code="remote-throttled", detail="", retry_after=seconds, remote={"service": "Aiven"})
    wait = Wait(
        step=STEP,
        request=REQUEST,
        deadlines=Deadlines(propagation=900, platform=86400),
        since=START.isoformat(),
        tries=3,
        problem=problem,
    )
    context = ByHand(wait, activity)
    result = context.run(await_step)
    assert context.calls == calls
    waited = (context.current_utc_datetime - START).total_seconds()
    if STEP in calls:
        assert (result["outcome"], result["tries"], waited >= seconds) == (activity(STEP, None), 4, True)
    else:
        assert (result["outcome"]["problem"]["code"], result["tries"], waited) == ("run-superseded", 3, 0)
