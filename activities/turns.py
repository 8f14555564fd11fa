"""An activity starts when the budget for its requests is available: it claims the budget, and is called again.

Without a budget, it would be throttled halfway and repeat all requests. The expected requests are those of earlier
activities of the same kind.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from activities.remote_errors import problem_of
from clients.budgets import Bucket, Kind, budget, give_back, spending
from clients.connections import connections
from clients.registry import registry
from clients.telemetry import count
from peering.naming import VNetId
from peering.outcome import THROTTLED, Looks, Occurrence, Outcome, StepRequest, Undone, is_undone, superseded
from peering.spec import Peering

Result = TypeVar("Result", bound=Outcome | Looks)

#: Budgets of these are a subscription's.
_OF_A_SUBSCRIPTION: Final = ("arm", "network")
#: Slightly more than recent activities of the kind used is claimed: the rest is returned.
_FADES: Final = 0.9
#: A claim that is unused for this long after its time is returned.
_HELD: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class _Claim:
    """Tokens by bucket, and when they are available."""

    tokens: Mapping[Bucket, float]
    due: datetime


class Turns:
    """The usual requests of each kind of activity, and the claims of deferred ones."""

    def __init__(self) -> None:
        self._usual = dict[str, dict[Kind, float]]()
        self._held = dict[tuple[str, str], _Claim]()

    def held(self, work: str, peering: Peering) -> _Claim | None:
        """The claim of a deferred activity.

        Args:
            work: an activity's name.
            peering: what it is done for.
        """
        return self._held.pop((work, peering["id"]), None)

    def claim(self, work: str, peering: Peering) -> _Claim:
        """Claim the usual budget of such an activity."""
        whose = VNetId.parse(peering["vnet_id"]).subscription_id.lower()
        usual = self._usual.get(work, {})
        tokens = {Bucket(kind, whose if kind.startswith(_OF_A_SUBSCRIPTION) else ""): usual[kind] for kind in usual}
        seconds = max((budget(*bucket).claim(wanted) for bucket, wanted in tokens.items()), default=0.0)
        return _Claim(tokens, registry().now + timedelta(seconds=seconds))

    def hold(self, work: str, peering: Peering, claim: _Claim) -> None:
        """Keep a claim until its work comes back; abandoned claims are returned."""
        now = registry().now
        for key in [key for key, one in self._held.items() if one.due + _HELD < now]:
            give_back(self._held.pop(key).tokens)
        self._held[work, peering["id"]] = claim

    def note(self, work: str, used: Mapping[Bucket, float]) -> None:
        """Record the requests of an activity."""
        usual, latest = self._usual.setdefault(work, {}), dict[Kind, float]()
        for bucket, tokens in used.items():
            latest[bucket.kind] = max(latest.get(bucket.kind, 0.0), tokens)
        for kind in {*usual, *latest}:
            now = latest.get(kind, 0.0)
            usual[kind] = max(now, _FADES * usual.get(kind, 0.0) + (1 - _FADES) * now)


async def in_turn(work: str, request: StepRequest, do: Callable[[], Awaitable[Result]]) -> Result | Undone:
    """Run an activity, unless its budget is not available yet.

    Args:
        work: the activity's name.
        request: its input. With a fence, a deferred activity renews the sign of life, or detects a superseded order.
        do: does it.

    Returns:
        Its result, or a `problem` that says when to come back.
    """
    turns, peering = connections().known.get(("turns",), Turns), request["peering"]
    claim = turns.held(work, peering)
    if claim is None:
        claim = turns.claim(work, peering)
        if (seconds := _until(claim.due)) > 0:
            turns.hold(work, peering, claim)
            return {"problem": await _put_off(work, seconds, request)}
    with spending(claim.tokens) as spent:
        result = await do()
    turns.note(work, spent.used)
    if is_undone(result) and (problem := result["problem"])["code"] == THROTTLED:
        again = turns.claim(work, peering)
        turns.hold(work, peering, again)
        problem["retry_after"] = max(problem.get("retry_after", 0.0), _until(again.due))
    return result


def _until(due: datetime) -> int:
    """Seconds from now, as a whole number, which timers require."""
    return math.ceil(max(0.0, (due - registry().now).total_seconds()))


async def _put_off(work: str, seconds: int, request: StepRequest) -> Occurrence:
    """Why an activity is deferred, and when to come back."""
    try:
        if "fence" in request and not await registry().is_own(request["fence"]):
            return superseded()
    except Exception as error:
        return problem_of(error, "in_turn")
    count("peering.put_offs", activity=work)
    detail = f"The request budgets of the remote services are exhausted; this is tried again in {seconds} seconds."
    return Occurrence(code=THROTTLED, detail=detail, retry_after=seconds)
