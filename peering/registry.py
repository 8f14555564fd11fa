"""The record of one peering, and what an order, its end and a check make of it. Pure state changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NotRequired, cast

from typing_extensions import TypedDict

from peering.aiven_vpc import VpcNames
from peering.drift import BLOCKERS, DRIFT, Verdict, verdict_of
from peering.facts import Facts, without
from peering.look import ConnectionLook
from peering.orders import ANSWERS, KEPT_JOINED, Answer, Joined, Order, PhaseChange, Supersession, request_of
from peering.outcome import Occurrence
from peering.problems import PROBLEMS
from peering.progress import PeeringState, StepProgress
from peering.runs import FUNCTION_TIMEOUT
from peering.spec import Caller, Fence, Peering
from peering.steps import OBJECTS, OF_THE_RUN, REMOVES, Operation
from peering.version import VERSION


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

    `taken` is when an orchestrator took the order, `joined` who asked for the same meanwhile.
    """

    id: str
    peering: Peering
    outcome: OutcomeKind
    steps: dict[str, StepProgress]
    taken: NotRequired[str]
    joined: NotRequired[list[Joined]]


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
    until when a call that the platform lost may still be at work. `unnoted`: runs that have ended and may not be in the
    table of runs yet. `events`: changes of verdict to be delivered. `labels` and `note` are what people say of it.
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
    unnoted: NotRequired[list[RunRecord]]
    health: NotRequired[Health]
    attempts: NotRequired[dict[str, Attempt]]
    events: NotRequired[list[Change]]
    labels: NotRequired[dict[str, str]]
    note: NotRequired[str]
    paused: NotRequired[Pause]


class Ending(TypedDict):
    """What an execution leaves behind. `drop`: the peering is gone, and so is its record; `then`: what follows.

    `settled`: what calls that were lost before then may have made was looked for.
    """

    fence: Fence
    state: str
    facts: Facts
    steps: dict[str, StepProgress]
    at: str
    drop: bool
    settled: NotRequired[str]
    problem: NotRequired[Occurrence]
    then: NotRequired[Order]


class Checked(TypedDict):
    """What a check found out about one peering, as of a revision of its record."""

    revision: int
    problems: list[Occurrence]


class UnmanagedConnections(VpcNames):
    """The connections of one VPC of Aiven's that no peering of the registry has."""

    connections: list[ConnectionLook]


#: So many characters of events are kept: a fifth of what a row may hold, some hundred events.
MOST_OF_EVENTS: Final = 100_000
#: The last runs that a record keeps.
KEPT_RUNS: Final = 10
#: Operations that leave no run in the record: they change nothing.
_ASIDE: Final = frozenset({"check", "cancel"})
#: How long a repair that did not help is not tried again, and one that could not be completed: doubled with every try.
FIRST_PAUSE: Final = timedelta(hours=1)
FIRST_RETRY: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(days=1)


@dataclass
class Placed:
    """What became of a request: the answer, and the order that is under way now, or was before a refusal.

    `wanted` is the order that was asked for.
    """

    answer: Answer | Literal["accept"]
    order: Order
    wanted: Order


def place(record: Record | None, wanted: Order, revision: int | None = None) -> tuple[Record | None, Placed]:
    """Put an order into a record, or see which order keeps it from there.

    Args:
        record: the peering's record, changed in place, or None when there is none; then only a start makes one.
        wanted: the order.
        revision: the revision of the record that the order is about; another one puts it off.
    """
    if record is None:
        if wanted["operation"] != "establish":
            return None, Placed("409", wanted, wanted)
        record = _new_record(wanted)
    elif any(run["run"] == wanted["run"] for run in record["runs"]):
        return record, Placed("accept", wanted, wanted)
    if revision is not None and record["revision"] != revision:
        return record, Placed("put off", wanted, wanted)
    under_way = record.get("order")
    if under_way is not None:
        if under_way["run"] == wanted["run"]:
            return record, Placed("accept", under_way, wanted)
        answer = ANSWERS[under_way["operation"]][request_of(wanted, under_way)]
        if answer == "join":
            joined = Joined(by=wanted["by"], at=wanted["at"])
            under_way["joined"] = [*under_way.get("joined", []), joined][-KEPT_JOINED:]
        if answer != "supersede":
            return record, Placed(answer, under_way, wanted)
        _supersede(record, under_way, wanted)
        wanted = {**wanted, "supersedes": under_way["run"]}
    _enter(record, wanted)
    return record, Placed("supersede" if under_way else "accept", wanted, wanted)


def _new_record(order: Order) -> Record:
    return Record(
        peering=order["peering"],
        facts={},
        revision=0,
        requested_by=order["by"],
        requested=order["at"],
        runs=[],
        objects={},
        changed=order["at"],
    )


def _supersede(record: Record, order: Order, by: Order) -> None:
    run = _run_of(record, order["run"])
    if run is not None:
        run |= {"ended": by["at"], "state": "superseded", "superseded_by": by["run"]}
    fence = Fence(id=record["peering"]["id"], run=order["run"], execution="", alive_until="")
    ending = Ending(fence=fence, state="superseded", facts={}, steps={}, at=by["at"], drop=False)
    ended = run_record(record, order, ending)
    ended |= {"outcome": "superseded", "superseded_by": by["run"]}
    record.setdefault("unnoted", []).append(ended)
    if order.get("execution"):
        record["stopping"] = Stopping(run=order["run"], execution=order["execution"])


def _enter(record: Record, order: Order) -> None:
    # Two clocks may differ by a little; what comes later is noted as later.
    order["at"] = record["changed"] = max(order["at"], _just_after(record["changed"]))
    record["order"] = order
    if order["operation"] in _ASIDE:
        return
    record["revision"] += 1
    run = Run(operation=order["operation"], run=order["run"], by=order["by"], started=order["at"])
    record["runs"] = [*record["runs"], run][-KEPT_RUNS:]


def _just_after(moment: str) -> str:
    return (datetime.fromisoformat(moment) + timedelta(milliseconds=1)).isoformat()


def _run_of(record: Record, run: str) -> Run | None:
    return next((one for one in record["runs"] if one["run"] == run), None)


def take(record: Record, execution: str, at: str) -> Order:
    """Note that an execution of the orchestrator carries out the order that the record has.

    One whose place was taken and that never said that it has ended may have calls that are still at work.
    """
    order = record["order"]
    if record.pop("stopping", None) is not None:
        until = (datetime.fromisoformat(at) + FUNCTION_TIMEOUT).isoformat()
        record["unsettled"] = max(record.get("unsettled", until), until)
    order["execution"] = execution
    order.setdefault("taken", at)
    order.setdefault("phase", "removing" if order["operation"] == "remove" else "forward")
    if order["operation"] == "remove":
        record["state"] = "removing"
        record.pop("health", None)
    return order


def is_own(record: Record | None, fence: Fence) -> bool:
    """Whether the record's order is that of an execution."""
    order = record.get("order") if record else None
    return order is not None and order["run"] == fence["run"] and order.get("execution") == fence["execution"]


def enter_phase(record: Record, change: PhaseChange) -> bool:
    """Note the way that an order goes from now on; False when it is not the execution's own any more."""
    if not is_own(record, change["fence"]):
        return False
    record["order"]["phase"] = change["phase"]
    if "problem" in change:
        record["order"]["problem"] = change["problem"]
    return True


def peering_of(record: Record, order: Order) -> Peering:
    """What a run works on: the options of a start, else those of the record; the credential's kind is the one in use.

    Of which kind the credential is, only a rotation changes.
    """
    peering = order.get("peering", record["peering"])
    kind = record["peering"]["credential"] if "credential" in record["facts"] else peering["credential"]
    return {**peering, "credential": kind}


def conclude(record: Record, ending: Ending) -> RunRecord | None:
    """Note how an execution's order ended; facts that it did not get to stay as they were.

    Returns the run in full, or None when the order is not the execution's own any more.
    """
    if not is_own(record, ending["fence"]):
        return None
    order = record.pop("order")
    record["changed"] = max(ending["at"], _just_after(order["at"]))
    if order["operation"] not in _ASIDE:
        _end_run(record, order, ending)
    elif order["operation"] == "cancel" and ("connected" not in record or record.get("state") == "removing"):
        record["state"] = ending["state"]
    if "settled" in ending and record.get("unsettled", ending["settled"]) <= ending["settled"]:
        record.pop("unsettled", None)
    if "then" in ending and not ending["drop"]:
        _enter(record, ending["then"])
    ended = run_record(record, order, ending)
    record.setdefault("unnoted", []).append(ended)
    return ended


def touch(record: Record, now: datetime) -> None:
    """Note that something of a record has changed that no run does: who has seen it as it was before has not this."""
    record["revision"] += 1
    record["changed"] = max(now.isoformat(), _just_after(record["changed"]))


def has_recorded(record: Record, run: str) -> bool:
    """Whether a run's own outcome is in the record already."""
    return any(one["run"] == run and one["outcome"] != "superseded" for one in record.get("unnoted", ()))


def forget_noted(record: Record, noted: list[RunRecord]) -> None:
    """Drop the runs that are in the table of runs, but for one that still has to say what it got to."""
    stopping = record["stopping"]["run"] if "stopping" in record else None
    record["unnoted"] = [run for run in record.get("unnoted", ()) if run["run"] == stopping or run not in noted]


def note_stopped(record: Record, given: Supersession) -> None:
    """Keep what a run whose place was taken has made and found out, and the steps that it got to."""
    fence = given["fence"]
    if record.get("stopping") != Stopping(run=fence["run"], execution=fence["execution"]):
        return
    del record["stopping"]
    for run in record.get("unnoted", ()):
        if run["run"] == fence["run"]:
            run["steps"] = given["steps"]
    if given["operation"] == "remove":
        _note_gone(record, given["facts"])
    else:
        record["facts"] |= given["facts"]


def keep_facts(record: Record, fence: Fence, told: Facts, made: Mapping[str, Facts], at: str) -> None:
    """Keep what steps of a run made as soon as it is made, and what it was made of.

    A record that knows nothing of the run is another one's, made anew since.
    """
    order = record.get("order")
    if _run_of(record, fence["run"]) is None and (order is None or order["run"] != fence["run"]):
        return
    record["facts"] = without(told, OF_THE_RUN) | record["facts"]
    for facts in made.values():
        record["facts"] |= facts
    # Before another execution takes for found what this one has made.
    if OBJECTS.keys() & made.keys():
        note_origins(record, at)


def run_record(record: Record, order: Order, ending: Ending) -> RunRecord:
    """A run in full."""
    found = RunRecord(
        id=record["peering"]["id"],
        peering=record["peering"],
        operation=order["operation"],
        run=order["run"],
        by=order["by"],
        started=order["at"],
        ended=ending["at"],
        state=ending["state"],
        outcome="problem" if "problem" in ending else "done",
        steps=ending["steps"],
    )
    if "problem" in ending:
        found["problem"] = ending["problem"]
    if "taken" in order:
        found["taken"] = order["taken"]
    if "joined" in order:
        found["joined"] = order["joined"]
    return found


def _end_run(record: Record, order: Order, ending: Ending) -> None:
    record["revision"] += 1
    record["steps"] = ending["steps"]
    run = _run_of(record, order["run"])
    if run is not None:
        run["ended"], run["state"] = ending["at"], ending["state"]
        if "problem" in ending:
            run["problem"] = ending["problem"]
    _note_attempts(record, order, ending)
    if order["operation"] == "remove":
        _note_removal(record, ending["facts"])
        return
    succeeded = ending["state"] == "connected"
    if "peering" in order and (succeeded or "connected" not in record):
        record["peering"] = peering_of(record, order)
    facts = record["facts"] = record["facts"] | ending["facts"]
    if order["operation"] == "establish" or succeeded:
        record["state"] = ending["state"]
    if succeeded:
        record.setdefault("connected", ending["at"])
    credential = facts.get("credential")
    if credential in ("secret", "federated"):
        record["peering"] = {**record["peering"], "credential": credential}
    note_origins(record, ending["at"])


def _note_attempts(record: Record, order: Order, ending: Ending) -> None:
    """Note a repair that has ended: one that only what may pass kept from its end has not been tried."""
    attempts = record.setdefault("attempts", {})
    for code in order.get("codes", ()):
        before = attempts.get(code, Attempt(at="", count=0))
        if "problem" in ending and _may_pass(ending["problem"]):
            broken_off = before.get("broken_off", 0) + 1
            attempts[code] = Attempt(at=ending["at"], count=before["count"], broken_off=broken_off)
        else:
            attempts[code] = Attempt(at=ending["at"], count=before["count"] + 1)
    for finding in record["health"]["problems"] if "health" in record else ():
        attempt = attempts.get(finding["problem"]["code"])
        if attempt is not None and attempt["count"]:
            finding["repaired"] = attempt["at"]


def _may_pass(problem: Occurrence) -> bool:
    """Whether the same may succeed another time, though nobody does anything about it."""
    return problem["code"] == "interrupted" or PROBLEMS[problem["code"]].deadline is not None


def _note_removal(record: Record, facts: Facts) -> None:
    """A removal that has not come to its end: what it took away is not there any more."""
    record["state"] = "removal-failed"
    _note_gone(record, facts)


def _note_gone(record: Record, facts: Facts) -> None:
    for removed, objects in REMOVES.items():
        for name in objects if removed in facts else ():
            record["objects"].pop(name, None)


def note_origins(record: Record, at: str) -> None:
    """Which objects were there before and which ones a run made; the first note of an object stands."""
    found = record["facts"].get("found")
    before = set(found) if isinstance(found, list) else set()
    there = "adopted" if record["facts"].get("existing") == "adopted" else "found"
    for step, fact in OBJECTS.items():
        if record["facts"].get(fact) is not None:
            origin = Origin(origin=there if step in before else "created", at=at, app_version=VERSION)
            record["objects"].setdefault(step, origin)


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


def swept(record: Record, at: str) -> Record:
    """A record as the last check of all peerings saw it, which writes nothing where it finds nothing new.

    Args:
        record: what the registry keeps.
        at: when that check began.
    """
    left_out = not is_watched(record) or is_busy(record) or (at != "" and is_paused(record, at))
    if "health" not in record or left_out or record["changed"] > at:
        return record
    return {**record, "health": {**record["health"], "checked": max(record["health"]["checked"], at)}}


@dataclass
class Judged:
    """What came of a check of one peering: the change of its verdict, and the findings that a repair may mend.

    `unsettled`: a run was broken off, and what it may have made unknown is still to be looked for. `undelivered`: there
    are events that the webhook has not taken yet.
    """

    change: Change | None = None
    repair: list[str] = field(default_factory=list)
    unsettled: bool = False
    undelivered: bool = False


def judge(record: Record, checked: Checked, at: str) -> Judged:
    """Take in a check, unless a run was asked for or has ended since the look, or a later check has come before."""
    last = record.get("health")
    if record["revision"] != checked["revision"] or (last is not None and at < last["checked"]):
        return Judged()
    problems = checked["problems"]
    known = {finding["problem"]["code"]: finding for finding in (last["problems"] if last else [])}
    codes = sorted({problem["code"] for problem in problems})
    attempts = record.get("attempts", {})
    if set(codes) <= set(DRIFT):
        # Only a check that saw everything can tell that a finding is gone.
        attempts = record["attempts"] = {code: attempt for code, attempt in attempts.items() if code in codes}
    current: list[Finding] = []
    for problem in problems:
        before = known.get(problem["code"])
        finding = Finding(problem=problem, since=before["since"] if before else at)
        if (attempt := attempts.get(problem["code"])) is not None and attempt["count"]:
            finding["repaired"] = attempt["at"]
        current.append(finding)
    verdict, previous = verdict_of(codes), last["verdict"] if last else None
    since = last["since"] if last is not None and previous == verdict else at
    record["health"] = Health(verdict=verdict, since=since, checked=at, problems=current)
    judged = Judged(
        repair=[code for code in codes if _may_repair(record, code, codes, at)],
        unsettled=record.get("unsettled", at) < at,
    )
    if previous != verdict:
        judged.change = Change(id=record["peering"]["id"], previous=previous, verdict=verdict, codes=codes, at=at)
    return judged


def announce(record: Record, change: Change) -> int:
    """Keep a change of verdict as an event until it is delivered; returns how many of the oldest had to go for it."""
    events = [*record.get("events", []), change]
    sizes = [len(json.dumps(event)) for event in events]
    dropped = 0
    while sum(sizes[dropped:]) > MOST_OF_EVENTS:
        dropped += 1
    record["events"] = events[dropped:]
    return dropped


def _may_repair(record: Record, code: str, codes: list[str], at: str) -> bool:
    """Whether a finding is mended without asking: it is safe, switched on, due, and nothing else makes it hopeless."""
    is_left_alone = not is_watched(record) or is_paused(record, at)
    if is_left_alone or record["peering"]["repair"] != "safe" or code not in DRIFT:
        return False
    attempt = record.get("attempts", {}).get(code)
    if attempt is not None and datetime.fromisoformat(at) < datetime.fromisoformat(attempt["at"]) + _pause_after(
        attempt
    ):
        return False
    return bool(DRIFT[code].repair) and not (DRIFT[code].puts_peering and BLOCKERS.intersection(codes))


def _pause_after(attempt: Attempt) -> timedelta:
    """How long a repair is left alone after an attempt."""
    if broken_off := attempt.get("broken_off", 0):
        return min(FIRST_RETRY * 2.0 ** (broken_off - 1), LONGEST_PAUSE)
    return min(FIRST_PAUSE * 2.0 ** (attempt["count"] - 1), LONGEST_PAUSE)


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
    return cast("PeeringState", record.get("state", "failed"))
