"""How an order and its end change the record of a peering. Pure state changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.facts import FactName, Facts, without
from peering.orders import ANSWERS, KEPT_JOINED, Answer, Joined, Order, PhaseChange, Supersession, request_of
from peering.outcome import Occurrence
from peering.progress import RunState, StepProgress, shortened
from peering.record import Attempt, Origin, Origins, Record, Run, RunRecord, Stopping, just_after, last_completed
from peering.runs import FUNCTION_TIMEOUT
from peering.spec import Fence, Peering
from peering.step_names import StepName
from peering.steps import KEPT, OBJECTS, OF_THE_RUN, REMOVED, REMOVES, Operation
from peering.version import VERSION


class Ending(TypedDict):
    """The end of an execution. `drop`: the peering and its record are deleted; `then`: the next order.

    `settled`: objects that calls lost before then may have created have been searched for. `operation` is for the log
    alone.
    """

    fence: Fence
    state: RunState
    facts: Facts
    steps: dict[StepName, StepProgress]
    at: str
    drop: bool
    operation: NotRequired[Operation]
    settled: NotRequired[str]
    problem: NotRequired[Occurrence]
    then: NotRequired[Order]


#: The last runs that a record keeps.
KEPT_RUNS: Final = 10
#: How many executions a record remembers as takers of orders: each takes only one.
_KEPT_TAKERS: Final = 20
#: How many names of roles a record remembers.
_KEPT_ROLES: Final = 20
#: Operations without a run in the record: they change nothing.
_ASIDE: Final = frozenset({"check", "cancel"})


@dataclass
class Placed:
    """The result of a request: the answer, and the order that is open now, or was before a refusal.

    `wanted` is the requested order.
    """

    answer: Answer | Literal["accept"]
    order: Order
    wanted: Order


def place(record: Record | None, wanted: Order, revision: int | None = None) -> tuple[Record | None, Placed]:
    """Put an order into a record, or find the order that prevents it.

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
            under_way["joins"] = under_way.get("joins", 0) + 1
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
    # Two clocks may differ slightly; a later event is recorded as later.
    order["at"] = record["changed"] = max(order["at"], just_after(record["changed"]))
    record["order"] = order
    if order["operation"] in _ASIDE:
        return
    record["revision"] += 1
    run = Run(operation=order["operation"], run=order["run"], by=order["by"], started=order["at"])
    for earlier in record["runs"]:
        # The table of runs has all of it.
        if "problem" in earlier:
            code, detail = earlier["problem"]["code"], earlier["problem"]["detail"]
            earlier["problem"] = Occurrence(code=code, detail=shortened(detail))
    record["runs"] = [*record["runs"], run][-KEPT_RUNS:]


def _run_of(record: Record, run: str) -> Run | None:
    return next((one for one in record["runs"] if one["run"] == run), None)


def take(record: Record, execution: str, at: str) -> Order:
    """Record that an execution of the orchestrator takes the record's order.

    A superseded execution that never confirmed its end may have calls that are still running.
    """
    order = record["order"]
    if record.pop("stopping", None) is not None:
        until = (datetime.fromisoformat(at) + FUNCTION_TIMEOUT).isoformat()
        record["unsettled"] = max(record.get("unsettled", until), until)
    order["execution"], order["retaken"] = execution, at
    if execution not in (takers := record.get("takers", [])):
        record["takers"] = [*takers, execution][-_KEPT_TAKERS:]
    order.setdefault("taken", at)
    order.setdefault("phase", "removing" if order["operation"] == "remove" else "forward")
    if order["operation"] == "remove":
        record["state"] = "removing"
        record.pop("health", None)
        # Whatever becomes of the removal, only a start connects the peering again.
        record.pop("connected", None)
    elif "peering" in order:
        _note_roles(record, order["peering"])
    return order


def _note_roles(record: Record, peering: Peering) -> None:
    """Remember which roles starts were to create: a removal deletes those of earlier starts, too."""
    named = [peering["user_role_name"], peering["platform_role_name"]]
    before = [name for name in record["facts"].get("role_names", []) if name not in named]
    record["facts"]["role_names"] = [*before, *named][-_KEPT_ROLES:]


def comes_late(record: Record, execution: str, at: str) -> bool:
    """Whether an execution's request for the order is obsolete: another execution has taken the order since.

    Args:
        record: the peering's record, with an open order.
        execution: who asks for it.
        at: when it asks.
    """
    order = record["order"]
    if order.get("execution") == execution:
        return False
    if execution in record.get("takers", ()):
        return True
    return "retaken" in order and datetime.fromisoformat(at) <= datetime.fromisoformat(order["retaken"])


def is_own(record: Record | None, fence: Fence) -> bool:
    """Whether the record's order is that of an execution."""
    order = record.get("order") if record else None
    return order is not None and order["run"] == fence["run"] and order.get("execution") == fence["execution"]


def enter_phase(record: Record, change: PhaseChange) -> bool:
    """Record the direction of an order; False if it is no longer the execution's own.

    The execution has another name from then on: late calls with the old name change nothing.
    """
    renamed = Fence(**{**change["fence"], "execution": change["execution"]})
    if is_own(record, renamed):
        return True
    if not is_own(record, change["fence"]):
        return False
    order = record["order"]
    order["phase"], order["execution"] = change["phase"], change["execution"]
    # The order's own row is rewritten, too, and keeps its latest sign of life.
    order["alive_until"] = max(order["alive_until"], change["fence"]["alive_until"], key=datetime.fromisoformat)
    if "problem" in change:
        record["order"]["problem"] = change["problem"]
    return True


#: The options that no start can change, each with the fact that shows that its object exists.
_STAYS: Final[Mapping[str, FactName]] = {
    "credential": "credential",
    "peering_name": "vnet_peering_id",
    "user_peer_network_cidrs": "requested_connection_state",
}


def peering_of(record: Record, order: Order) -> Peering:
    """What a run works on: the options of a start, else those of the record.

    Options that no start can change keep their values once the object exists; a plan reports them as refused.
    """
    wanted, there = order.get("peering", record["peering"]), record["peering"]
    made = {option for option, fact in _STAYS.items() if record["facts"].get(fact) is not None}
    known = record["facts"]
    is_adopted = known.get("existing") == "adopted" and known.get("application_id") is not None
    # What `OF_ITS_OWNER` names.
    owners = there if is_adopted else wanted
    return {
        **wanted,
        "application_name": owners["application_name"],
        "role": owners["role"],
        "user_role_name": owners["user_role_name"],
        "platform_role_name": owners["platform_role_name"],
        "credential": (there if "credential" in made else wanted)["credential"],
        "peering_name": (there if "peering_name" in made else wanted)["peering_name"],
        "user_peer_network_cidrs": (there if "user_peer_network_cidrs" in made else wanted)["user_peer_network_cidrs"],
    }


def conclude(record: Record, ending: Ending) -> RunRecord | None:
    """Record how an execution's order ended; facts that it did not reach stay unchanged.

    Returns the run in full, or None if the order is no longer the execution's own.
    """
    if not is_own(record, ending["fence"]):
        return None
    order = record.pop("order")
    record["changed"] = max(ending["at"], just_after(order["at"]))
    if order["operation"] not in _ASIDE:
        _end_run(record, order, ending)
    elif order["operation"] == "cancel" and "connected" not in record:
        record["state"] = ending["state"]
    if "settled" in ending and record.get("unsettled", ending["settled"]) <= ending["settled"]:
        record.pop("unsettled", None)
    if "then" in ending and not ending["drop"]:
        _enter(record, ending["then"])
    ended = run_record(record, order, ending)
    record.setdefault("unnoted", []).append(ended)
    return ended


def has_recorded(record: Record, run: str) -> bool:
    """Whether a run's own outcome is in the record already."""
    return any(one["run"] == run and one["outcome"] != "superseded" for one in record.get("unnoted", ()))


def forget_noted(record: Record, noted: list[RunRecord]) -> None:
    """Drop the runs that are in the table of runs, except for a superseded one whose steps are not known yet."""
    stopping = record["stopping"]["run"] if "stopping" in record else None
    record["unnoted"] = [run for run in record.get("unnoted", ()) if run["run"] == stopping or run not in noted]


def note_stopped(record: Record, given: Supersession) -> None:
    """Record what a superseded run has created and learned, and the steps that it reached."""
    fence = given["fence"]
    names = (fence["execution"], given.get("renamed"))
    stopping = record.get("stopping")
    if stopping is None or stopping["run"] != fence["run"] or stopping["execution"] not in names:
        return
    del record["stopping"]
    for run in record.get("unnoted", ()):
        if run["run"] == fence["run"]:
            run["steps"] = given["steps"]
    if given["operation"] != "remove":
        record["facts"] |= without(given["facts"], REMOVED)
    _note_gone(record, given["facts"])


def keep_facts(record: Record, fence: Fence, told: Facts, made: Mapping[StepName, Facts], at: str) -> None:
    """Record what steps of a run created, as soon as it is created, and its inputs.

    A record without the run is a newer one, created since. A late call does not change what a later run has found.
    """
    order = record.get("order")
    if _run_of(record, fence["run"]) is None and (order is None or order["run"] != fence["run"]):
        return
    record["facts"] = without(told, {*OF_THE_RUN, *REMOVED}) | record["facts"]
    before = record["facts"].copy()
    latest = {run["run"] for run in record["runs"][-1:]} | ({order["run"]} if order is not None else set())
    for step, facts in made.items():
        kept = facts if step in KEPT else {}
        record["facts"] = record["facts"] | kept if fence["run"] in latest else kept | record["facts"]
    for facts in made.values():
        # Otherwise, another execution would record it as found instead of created.
        note_origins(record, facts, at, before)
        if fence["run"] in latest:
            _note_gone(record, facts)


def has_made(record: Record, step: StepName, since: str) -> bool:
    """Whether a step created its object after a time; it did not exist before."""
    origin = record["objects"].get(step)
    return origin is not None and origin["origin"] == "created" and origin["at"] >= since


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
        found["joins"] = order["joins"]
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
    before = record["facts"]
    facts = record["facts"] = before | without(ending["facts"], REMOVED)
    if order["operation"] == "establish" or succeeded:
        record["state"] = ending["state"]
    if succeeded:
        record.setdefault("connected", ending["at"])
    credential = facts.get("credential")
    if credential in ("secret", "federated"):
        record["peering"] = {**record["peering"], "credential": credential}
    note_origins(record, ending["facts"], ending["at"], before)
    _note_gone(record, ending["facts"])


def _note_attempts(record: Record, order: Order, ending: Ending) -> None:
    """Record a repair that has ended: one that a problem broke off does not count as completed."""
    attempts = record.setdefault("attempts", {})
    for code in order.get("codes", ()):
        before = attempts.get(code, Attempt(at="", count=0))
        if "problem" in ending:
            broken_off = before.get("broken_off", 0) + 1
            attempts[code] = Attempt(at=ending["at"], count=before["count"], broken_off=broken_off)
            if (completed := last_completed(before)) is not None:
                attempts[code]["completed"] = completed
        else:
            attempts[code] = Attempt(at=ending["at"], count=before["count"] + 1, completed=ending["at"])
    for finding in record["health"]["problems"] if "health" in record else ():
        if (completed := last_completed(attempts.get(finding["problem"]["code"]))) is not None:
            finding["repaired"] = completed


def _note_removal(record: Record, facts: Facts) -> None:
    """A removal that has not completed: what it removed no longer exists."""
    record["state"] = "removal-failed"
    _note_gone(record, facts)


def _note_gone(record: Record, facts: Facts) -> None:
    """Drop the objects that a removal, or a rollback, has removed."""
    for removed, objects in REMOVES.items():
        for name in objects if removed in facts else ():
            record["objects"].pop(name, None)
    if "connection_removed" in facts or "vnet_peering_removed" in facts:
        # The peering no longer works, so the rollback of a later start cannot break it.
        record["facts"].pop("connection_state", None)


def note_origins(record: Record, facts: Facts, at: str, before: Facts) -> None:
    """Which objects existed before and which ones a run created; the entry of an object is kept while its id is.

    Args:
        record: the peering's record, whose own facts may name objects that are deleted since.
        facts: what the run itself knows.
        at: when.
        before: what the record knew before it took these facts in.
    """
    found = {*record["facts"].get("found", [])}
    there: Origins = "adopted" if record["facts"].get("existing") == "adopted" else "found"
    for step, fact in OBJECTS.items():
        identity = facts.get(fact)
        is_another = step != "peering_connection" and before.get(fact) not in (None, identity)
        if identity is None or (step in record["objects"] and not is_another):
            continue
        # What a step has made in the place of what was found is not found, whatever the last inventory says.
        was_there = step in found and ("found" in facts or not is_another)
        record["objects"][step] = Origin(origin=there if was_there else "created", at=at, app_version=VERSION)
