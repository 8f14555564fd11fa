"""The record of one peering in the registry, and what can be derived from it."""

from datetime import datetime, timedelta
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import VpcNames
from peering.drift import Verdict
from peering.facts import Facts
from peering.look import ConnectionLook
from peering.orders import Joined, Order
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.progress import PeeringState, RunState, StepProgress, state_named
from peering.spec import Caller, Peering
from peering.step_names import StepName
from peering.steps import Operation


class Health(TypedDict):
    """The last verdict on a peering. `since` is when the verdict last changed; problems have a `since` of their own."""

    verdict: Verdict
    since: str
    checked: str
    problems: list["Finding"]


class Finding(TypedDict):
    """One problem of a verdict. `repaired`: when a repair was tried that has not resolved it."""

    problem: Occurrence
    since: str
    repaired: NotRequired[str]


class Attempt(TypedDict):
    """The last repair for a finding that has not been resolved since.

    `count`: how many repairs completed without effect, the last one at `completed`; `broken_off`: how many in a row did
    not complete since.
    """

    at: str
    count: int
    completed: NotRequired[str]
    broken_off: NotRequired[int]


def last_completed(attempt: Attempt | None) -> str | None:
    """When a repair for a finding last completed without effect; None if none did."""
    return attempt.get("completed", attempt["at"]) if attempt is not None and attempt["count"] else None


#: How an object of a peering came to be: made by a start, found by one, or taken over with the peering.
Origins = Literal["created", "found", "adopted"]


class Origin(TypedDict):
    """Where an object of a peering comes from; when, and by which app version."""

    origin: Origins
    at: str
    app_version: str


class Run(TypedDict):
    """One run on a peering: what it did, when, on whose request and how it ended.

    `superseded_by` names the order that replaced this one's.
    """

    operation: Operation
    run: str
    by: Caller
    started: str
    ended: NotRequired[str]
    state: NotRequired[RunState]
    problem: NotRequired[Occurrence]
    superseded_by: NotRequired[str]


#: How an accepted order ended.
OutcomeKind = Literal["done", "problem", "superseded"]


class RunRecord(Run):
    """One run in full, in the table of runs, also after the peering is removed.

    `taken` is when an orchestrator took the order, `joined` who asked for the same meanwhile, the last
    twenty of `joins`.
    """

    id: str
    peering: Peering
    outcome: OutcomeKind
    steps: dict[StepName, StepProgress]
    taken: NotRequired[str]
    joined: NotRequired[list[Joined]]
    joins: NotRequired[int]


class Refusal(TypedDict):
    """A refused change request: its time, caller, route and peering, and the reason."""

    at: str
    by: Caller
    method: str
    path: str
    id: NotRequired[str]
    status: int
    problem: str
    detail: str


class Stopping(TypedDict):
    """A superseded execution that has not confirmed that it has ended."""

    run: str
    execution: str


class Pause(TypedDict):
    """A pause of automatic checks and repairs: by whom, why, since when and until when, if known."""

    by: Caller
    why: str
    at: str
    until: str | None


class Change(TypedDict):
    """A verdict that changed. The first verdict changes from None."""

    id: str
    previous: Verdict | None
    verdict: Verdict
    codes: list[ProblemCode]
    at: str


class Record(TypedDict):
    """One peering as the registry keeps it. `revision` grows whenever a run is asked for or ends.

    `order` is what was asked for and has no outcome yet; `steps` are those of the last run that ended. `unsettled`:
    until when a call that the platform lost may still be at work. `takers`: the executions that have taken orders.
    `unnoted`: runs that have ended and may not be in the table of runs yet. `events`: changes of verdict to be
    delivered; `verdicts`: the last ones. `labels` and `note` are what people say of it.
    """

    peering: Peering
    facts: Facts
    revision: int
    requested_by: Caller
    requested: str
    runs: list[Run]
    objects: dict[StepName, Origin]
    changed: str
    order: NotRequired[Order]
    state: NotRequired[PeeringState]
    connected: NotRequired[str]
    steps: NotRequired[dict[StepName, StepProgress]]
    unsettled: NotRequired[str]
    stopping: NotRequired[Stopping]
    takers: NotRequired[list[str]]
    unnoted: NotRequired[list[RunRecord]]
    health: NotRequired[Health]
    attempts: NotRequired[dict[ProblemCode, Attempt]]
    events: NotRequired[list[Change]]
    verdicts: NotRequired[list[Change]]
    labels: NotRequired[dict[str, str]]
    note: NotRequired[str]
    paused: NotRequired[Pause]


class UnmanagedConnections(VpcNames):
    """The connections of one VPC in Aiven that no peering of the registry has."""

    connections: list[ConnectionLook]


def just_after(moment: str) -> str:
    """The next distinguishable time in a record: a millisecond later, in ISO 8601."""
    return (datetime.fromisoformat(moment) + timedelta(milliseconds=1)).isoformat()


def touch(record: Record, now: datetime) -> None:
    """Raise the revision after a change that belongs to no run: callers with the earlier one have not seen it."""
    record["revision"] += 1
    record["changed"] = max(now.isoformat(), just_after(record["changed"]))


def is_busy(record: Record) -> bool:
    """Whether an operation that changes the peering is requested or in progress."""
    return "order" in record and record["order"]["operation"] != "check"


def is_paused(record: Record, at: str) -> bool:
    """Whether automatic checks and repairs of the peering are paused at a time."""
    return "paused" in record and lasts(record["paused"], at)


def lasts(pause: Pause, at: str) -> bool:
    """Whether a pause is still in effect at a time."""
    until = pause["until"]
    return until is None or datetime.fromisoformat(at) < datetime.fromisoformat(until)


def is_watched(record: Record) -> bool:
    """Whether checks cover the peering: it has been connected, and no removal has begun since."""
    return "connected" in record


#: The state of a peering while an order is open; a check leaves it unchanged.
UNDER_WAY: Final[dict[Operation, PeeringState]] = {
    "establish": "running",
    "repair": "repairing",
    "rotate": "rotating",
    "remove": "removing",
    "cancel": "stopping",
}


def state_of(record: Record) -> PeeringState:
    """The state of a peering, by its record alone: that of its open order, else that after the last run."""
    order = record.get("order")
    if order is not None and order["operation"] in UNDER_WAY:
        return "rolling-back" if order.get("phase") == "rolling-back" else UNDER_WAY[order["operation"]]
    return state_named(record.get("state", "failed"))
