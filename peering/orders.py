"""Orders: requested operations of a peering that are not completed, and the rules for concurrent requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.drift import DRIFT
from peering.facts import Facts
from peering.naming import folded
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.progress import StepProgress
from peering.runs import START_WITHIN
from peering.spec import Caller, Credential, Deadlines, Fence, Peering
from peering.step_names import StepName
from peering.steps import Operation

#: The direction of an order: towards a connection, back from a failed start, or towards a removal.
Phase = Literal["forward", "rolling-back", "removing"]
#: The requests for a peering; a start is distinguished from one with other options.
Request = Literal["start", "start with other options", "check", "repair", "rotate", "remove", "cancel"]
#: The result of a request while an order is open: it joins, is refused with 409, supersedes the order, or waits for the
#: next check.
Answer = Literal["join", "409", "supersede", "put off"]


class Joined(TypedDict):
    """A caller who joined an order that was already open."""

    by: Caller
    at: str


class OrderOptions(TypedDict, total=False):
    """The parameters of an order in addition to the operation.

    `peering` are the options of a start, `codes` the findings that a repair or an automatic rotation is for.
    `credential` is the kind that a rotation creates, `repairs` whether a check may start a repair.
    """

    peering: Peering
    codes: list[ProblemCode]
    credential: Credential
    repairs: bool


class Order(OrderOptions):
    """A requested operation. It is in the peering's row from the 202 until its outcome is recorded.

    `run` names it. `execution` is the execution of the orchestrator that has taken it, at `retaken`; the first one took
    it at `taken`. `executions` counts how often an instance was started for it. It is overdue after `alive_until`,
    unless its own row has a later sign of life. Without an instance it is overdue at once, but not before `not_before`.
    `supersedes` names the order that it replaced. `joins` callers have joined it, of whom `joined` are the last.
    `trace`, a W3C `traceparent`, is the parent of its execution's spans.
    """

    operation: Operation
    run: str
    by: Caller
    at: str
    deadlines: Deadlines
    executions: int
    alive_until: str
    not_before: str
    execution: NotRequired[str]
    taken: NotRequired[str]
    retaken: NotRequired[str]
    phase: NotRequired[Phase]
    problem: NotRequired[Occurrence]
    supersedes: NotRequired[str]
    joined: NotRequired[list[Joined]]
    joins: NotRequired[int]
    trace: NotRequired[str]


class Taking(TypedDict):
    """The input of `take_order`: whose order, which execution takes it, and when."""

    id: str
    execution: str
    at: str
    trace: NotRequired[str]


class Taken(TypedDict):
    """The answer of `take_order`: the order and what is known; `unsettled`, see `Record`.

    `has_requested_connection`: an earlier execution of the order did so, so a connection that is found is not older.
    """

    order: Order
    peering: Peering
    known: Facts
    revision: int
    unsettled: str | None
    has_requested_connection: NotRequired[bool]


class PhaseChange(TypedDict):
    """The input of `enter_order_phase`: `execution` is what the execution is called from then on; `problem` is why."""

    fence: Fence
    phase: Phase
    execution: str
    problem: NotRequired[Occurrence]


class Supersession(TypedDict):
    """The input of `note_superseded`: the steps that a superseded run got to, and what it found out.

    `renamed` is the intended name of its execution, if the result of the renaming is unknown.
    """

    fence: Fence
    renamed: NotRequired[str]
    operation: Operation
    facts: Facts
    steps: dict[StepName, StepProgress]


class Lost(TypedDict):
    """The input of `note_lost`: whose call the platform lost, and when."""

    id: str
    at: str


#: The caller of automatic operations.
APP: Final = Caller(name="aiven-azure-peering", id=None)
#: The callers who joined an order that are kept with it.
KEPT_JOINED: Final = 20
#: How often an order is executed before it ends as `interrupted`.
MOST_EXECUTIONS: Final = 5

_AT_WORK: Final[Mapping[Request, Answer]] = {
    "start": "409",
    "start with other options": "409",
    "check": "409",
    "repair": "put off",
    "rotate": "409",
    "remove": "supersede",
    "cancel": "supersede",
}
#: The result of a request, by the open operation. Only a removal or a cancel supersedes an order.
ANSWERS: Final[Mapping[Operation, Mapping[Request, Answer]]] = {
    "establish": {**_AT_WORK, "start": "join"},
    "check": {**_AT_WORK, "check": "join"},
    "repair": _AT_WORK,
    "rotate": _AT_WORK,
    "remove": {**_AT_WORK, "remove": "join"},
    "cancel": {**_AT_WORK, "cancel": "join"},
}


def differing(one: Peering, other: Peering) -> list[str]:
    """The options in which two requests for the same pair differ.

    Azure compares names without case, so another spelling of the VNet is not another option.
    """
    return [name for name, value in one.items() if folded(str(value)) != folded(str(other.get(name)))]


def request_of(wanted: Order, under_way: Order) -> Request:
    """The request that an order is, compared with the open one."""
    if wanted["operation"] != "establish":
        return wanted["operation"]
    asked, running = wanted.get("peering"), under_way.get("peering")
    return "start with other options" if asked and running and differing(asked, running) else "start"


def refusal(wanted: Order, under_way: Order) -> Occurrence:
    """The problem with which a request is refused while another order is open."""
    asked, operation = request_of(wanted, under_way), under_way["operation"]
    if operation == "remove":
        return Occurrence(code="being-removed", detail=f"The removal {under_way['run']} is in progress.")
    if asked == "start with other options" and operation == "establish":
        names = differing(under_way["peering"], wanted["peering"])
        return Occurrence(code="running-with-other-options", detail=f"Different: {', '.join(names)}.")
    return Occurrence(code="operation-under-way", detail=f"In progress: {operation}, run {under_way['run']}.")


def new_order(operation: Operation, run: str, by: Caller, at: datetime, deadlines: Deadlines) -> Order:
    """An order that has not been taken yet."""
    return Order(
        operation=operation,
        run=run,
        by=by,
        at=at.isoformat(),
        deadlines=deadlines,
        executions=1,
        alive_until=(at + START_WITHIN).isoformat(),
        not_before=(at + START_WITHIN).isoformat(),
    )


def repair_of(codes: Sequence[ProblemCode]) -> tuple[Operation, list[ProblemCode]]:
    """What repairs findings, and which of them: an unusable credential comes first, because a repair signs in."""
    rotating = [code for code in codes if DRIFT[code].rotates]
    others = [code for code in codes if code not in rotating]
    may_wait = set(rotating) <= {"secret-expires-soon"}
    return ("repair", others) if others and may_wait else ("rotate", rotating)
