"""The check of all peerings: divide them, read both clouds in batches, assess in batches. Only counts are returned.

Failures of the platform or the registry are retried; a persistent failure affects the verdicts of its own peerings
only. Throttled reads are deferred until the rest is done.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orchestrators.durable import OrchestrationContext, StartedWith, Workflow
from orchestrators.in_batches import PATIENCE, Again, in_batches
from orchestrators.lost import LostError, reliably
from peering.calls import (
    BEGIN_DELIVERIES,
    CHECK_VNETS,
    END_SWEEP,
    LOOK_AT_ASSIGNMENTS,
    LOOK_AT_PROJECT_VPCS,
    LOOK_AT_SECRETS,
    NOTE_UNSEEN,
    PLAN_SWEEP,
    Activity,
    Interrupted,
)
from peering.sweep import (
    PROJECT_VPCS_IN_A_PIECE,
    VNETS_IN_A_PIECE,
    Piece,
    PieceResult,
    PutOff,
    Sweep,
    SweepCounts,
    SweepPlan,
    cut,
)

#: The number of calls after which the workflow restarts with an empty history: fewer than two hundred events.
CALLS_IN_ONE_HISTORY: Final = 40


class _Stage(NamedTuple):
    """The calls of one activity: its inputs, and how many of them each call has."""

    activity: Activity[Piece, PieceResult]
    numbers: list[int]
    size: int

    @property
    def calls(self) -> int:
        return -(-len(self.numbers) // self.size)


def check_health(context: StartedWith[Sweep]) -> Workflow[SweepCounts | Interrupted | None]:
    """Check every watched peering; record the verdicts that changed; start the resulting repairs and deliveries.

    Input: `Sweep`. Output: `SweepCounts`, and `interrupted` if it could not start.
    """
    given = context.get_input()
    counts = given.get("counts", SweepCounts(checked=0, changed=0, repairs=0))
    plan = given.get("plan")
    try:
        if plan is None:
            at = context.current_utc_datetime.isoformat()
            plan = yield from reliably(context, PLAN_SWEEP, at)
            _fail(counts, PLAN_SWEEP, plan["unreadable"])
    except LostError as error:
        return Interrupted(**counts, interrupted=str(error))
    stages, done, calls = list(_stages(plan, given.get("vnets"))), given.get("done", 0), 0
    put_off = given.get("put_off", PutOff(numbers=[], after=0.0))
    for number, stage in enumerate(stages[done:], done):
        calls += stage.calls
        if calls > CALLS_IN_ONE_HISTORY and number > done:
            context.continue_as_new({**given, "plan": plan, "done": number, "counts": counts, "put_off": put_off})
            return None
        yield from _do(context, given, plan["at"], stage, counts, put_off)
    if put_off["numbers"]:
        yield from _go_on_with(context, given, plan, counts, put_off)
        return None
    try:
        yield from reliably(context, END_SWEEP, plan["at"])
    except LostError:
        _fail(counts, END_SWEEP, 1)
    return counts


def _go_on_with(
    context: StartedWith[Sweep], given: Sweep, plan: SweepPlan, counts: SweepCounts, put_off: PutOff
) -> Workflow[None]:
    """Continue with the deferred VNets after a pause; the last time they are assessed by what can be read."""
    now = context.current_utc_datetime
    yield context.create_timer(now + timedelta(seconds=put_off["after"]))
    left = Sweep(
        repairs=given["repairs"],
        deadlines=given["deadlines"],
        plan=plan,
        counts=counts,
        vnets=sorted(put_off["numbers"]),
        last=now - datetime.fromisoformat(plan["at"]) >= PATIENCE,
    )
    context.continue_as_new(left)


def _stages(plan: SweepPlan, vnets: Sequence[int] | None) -> Iterator[_Stage]:
    """The stages in the order in which they can be done: first the reads that the assessment of VNets needs.

    For deferred VNets, these reads are done already.
    """
    if vnets is not None:
        for numbers in cut(vnets, CALLS_IN_ONE_HISTORY * VNETS_IN_A_PIECE):
            yield _Stage(CHECK_VNETS, numbers, VNETS_IN_A_PIECE)
        return
    if plan["vnets"]:
        yield _Stage(LOOK_AT_SECRETS, [0], 1)
    for activity, count, size in (
        (LOOK_AT_ASSIGNMENTS, plan["subscriptions"], 1),
        (LOOK_AT_PROJECT_VPCS, plan["project_vpcs"], PROJECT_VPCS_IN_A_PIECE),
        (CHECK_VNETS, plan["vnets"], VNETS_IN_A_PIECE),
        (BEGIN_DELIVERIES, plan["undelivered"], 1),
    ):
        for numbers in cut(range(count), CALLS_IN_ONE_HISTORY * size):
            yield _Stage(activity, numbers, size)


def _do(
    context: OrchestrationContext, given: Sweep, at: str, stage: _Stage, counts: SweepCounts, put_off: PutOff
) -> Workflow[None]:
    """Do a stage. A read that fails every time is reported as unread by the assessments that need it."""

    def piece(numbers: Sequence[int], attempt: int) -> Piece:
        return Piece(
            numbers=list(numbers),
            at=at,
            repairs=given["repairs"],
            deadlines=given["deadlines"],
            attempt=attempt,
            last=given.get("last", False),
        )

    def take(_: Sequence[int], result: PieceResult) -> Again[int]:
        # What an earlier version has begun may answer nothing, or 0.
        found = result or PieceResult()
        counts["checked"] += found.get("checked", 0)
        counts["changed"] += found.get("changed", 0)
        counts["repairs"] += found.get("repairs", 0)
        put_off["numbers"] += found.get("put_off", [])
        after = found.get("after", 0.0)
        if found.get("put_off"):
            put_off["after"], after = max(put_off["after"], after), 0.0
        return Again(found.get("again", []), after)

    for activity in (stage.activity, NOTE_UNSEEN):
        failed = yield from in_batches(context, activity, stage.numbers, stage.size, piece, take)
        _fail(counts, activity, len(failed))
        if not failed or stage.activity != CHECK_VNETS:
            return
        # Nothing could be read of these.
        stage = stage._replace(numbers=failed)


def _fail(counts: SweepCounts, activity: str, times: int) -> None:
    """Count the inputs for which an activity failed every time."""
    if times:
        failed = counts.setdefault("failed", {})
        failed[activity] = failed.get(activity, 0) + times
