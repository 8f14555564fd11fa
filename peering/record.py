"""The record of one peering, as the registry keeps it, and what can be read off it."""

from datetime import datetime, timedelta
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import VpcNames
from peering.drift import Verdict
from peering.facts import Facts
from peering.look import ConnectionLook
from peering.orders import Joined, Order
from peering.outcome import Occurrence
from peering.progress import PeeringState, StepProgress, state_named
from peering.spec import Caller, Peering
from peering.steps import Operation


class Health(TypedDict):
    """The last verdict on a peering. `since` is when the verdict last changed; problems have a `since` of their own."""

    verdict: Verdict
    since: str
    checked: str
    problems: list["Finding"]


class Finding(TypedDict):
    """One problem of a verdict. `repaired`: when a repair was tried that has not been seen to help."""

    problem: Occurrence
    since: str
    repaired: NotRequired[str]


class Attempt(TypedDict):
    """The last repair for a finding that has not been seen to be gone since.

    `count`: how many repairs came to their end and did not help; `broken_off`: how many in a row did not since.
    """

    at: str
    count: int
    broken_off: NotRequired[int]


class Origin(TypedDict):
    """Where an object of a peering comes from: `created`, `found` or `adopted`; when, and by which app version."""

    origin: str
    at: str
    app_version: str


class Run(TypedDict):
    """One run on a peering: what it did, when, on whose request and how it ended.

    `superseded_by` names the order that took the place of this one's.
    """

    operation: Operation
    run: str
    by: Caller
    started: str
    ended: NotRequired[str]
    state: NotRequired[str]
    problem: NotRequired[Occurrence]
    superseded_by: NotRequired[str]


#: How an accepted order ended.
OutcomeKind = Literal["done", "problem", "superseded"]


class RunRecord(Run):
    """One run in full, as the table of runs keeps it, also when the peering is gone.

    `taken` is when an orchestrator took the order, `joined` who asked for the same meanwhile, the last
    twenty of `joins`.
    """

    id: str
    peering: Peering
    outcome: OutcomeKind
    steps: dict[str, StepProgress]
    taken: NotRequired[str]
    joined: NotRequired[list[Joined]]
    joins: NotRequired[int]


class Refusal(TypedDict):
    """A request for a change that was refused: when, whose, which, for which peering, and why."""

    at: str
    by: Caller
    method: str
    path: str
    id: NotRequired[str]
    status: int
    problem: str
    detail: str


class Stopping(TypedDict):
    """An execution whose order's place was taken, and that has not said yet that it has ended."""

    run: str
    execution: str


class Pause(TypedDict):
    """Automatic checks and repairs are left out: who wanted it so, why, since when and until when, if that is known."""

    by: Caller
    why: str
    at: str
    until: str | None


class Change(TypedDict):
    """A verdict that changed. The first verdict changes from None."""

    id: str
    previous: Verdict | None
    verdict: Verdict
    codes: list[str]
    at: str


class Record(TypedDict):
    """One peering as the registry keeps it. `revision` grows whenever a run is asked for or ends.

    `order` is what was asked for and has no outcome yet; `steps` are those of the last run that ended. `unsettled`:
    until when a call that the platform lost may still be at work. `takers`: the executions that have taken orders.
    `unnoted`: runs that have ended and may not be in the table of runs yet. `events`: changes of verdict to be
    delivered. `labels` and `note` are what people say of it.
    """

    peering: Peering
    facts: Facts
    revision: int
    requested_by: Caller
    requested: str
    runs: list[Run]
    objects: dict[str, Origin]
    changed: str
    order: NotRequired[Order]
    state: NotRequired[str]
    connected: NotRequired[str]
    steps: NotRequired[dict[str, StepProgress]]
    unsettled: NotRequired[str]
    stopping: NotRequired[Stopping]
    takers: NotRequired[list[str]]
    unnoted: NotRequired[list[RunRecord]]
    health: NotRequired[Health]
    attempts: NotRequired[dict[str, Attempt]]
    events: NotRequired[list[Change]]
    labels: NotRequired[dict[str, str]]
    note: NotRequired[str]
    paused: NotRequired[Pause]


class UnmanagedConnections(VpcNames):
    """The connections of one VPC of Aiven's that no peering of the registry has."""

    connections: list[ConnectionLook]


def just_after(moment: str) -> str:
    """The next moment that a record tells from another: a millisecond later, in ISO 8601."""
    return (datetime.fromisoformat(moment) + timedelta(milliseconds=1)).isoformat()


def touch(record: Record, now: datetime) -> None:
    """Note that something of a record has changed that no run does: who has seen it as it was before has not this."""
    record["revision"] += 1
    record["changed"] = max(now.isoformat(), just_after(record["changed"]))


def is_busy(record: Record) -> bool:
    """Whether something that changes the peering is asked for or under way."""
    return "order" in record and record["order"]["operation"] != "check"


def is_paused(record: Record, at: str) -> bool:
    """Whether automatic checks and repairs leave the peering alone at a time."""
    return "paused" in record and lasts(record["paused"], at)


def lasts(pause: Pause, at: str) -> bool:
    """Whether a pause has not come to its end at a time."""
    until = pause["until"]
    return until is None or datetime.fromisoformat(at) < datetime.fromisoformat(until)


def is_watched(record: Record) -> bool:
    """Whether checks look after the peering: it has been connected, and nobody has begun to remove it.

    A removal whose place was taken before it had begun has not.
    """
    last = record["runs"][-1] if record["runs"] else None
    unbegun = last is not None and last.get("state") == "superseded" and record.get("state") == "connected"
    return "connected" in record and (last is None or last["operation"] != "remove" or unbegun)


#: What the state of a peering is called while an order is under way; a check leaves it as it is.
UNDER_WAY: Final[dict[Operation, PeeringState]] = {
    "establish": "running",
    "repair": "repairing",
    "rotate": "rotating",
    "remove": "removing",
    "cancel": "stopping",
}


def state_of(record: Record) -> PeeringState:
    """The state of a peering, by its record alone: that of what is asked for, else how the last run left it."""
    order = record.get("order")
    if order is not None and order["operation"] in UNDER_WAY:
        return "rolling-back" if order.get("phase") == "rolling-back" else UNDER_WAY[order["operation"]]
    return state_named(record.get("state", "failed"))
