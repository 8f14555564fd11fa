"""Migration of a peering from version 0.2.0's Durable entities to a record. Pure.

An order replaces the run in progress: it repeats all steps, and each finds existing objects.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Final, Literal, NotRequired, TypedDict

from peering.aiven_vpc import AivenVpc
from peering.facts import Facts, without
from peering.look import ConnectionLook
from peering.orders import APP, Order, new_order
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.progress import state_named
from peering.record import Attempt, Health, Origin, Record, Run, RunRecord, UnmanagedConnections
from peering.registry import Ending, place, run_record
from peering.runs import FUNCTION_TIMEOUT, deterministic_id, wait_instance_id
from peering.spec import Caller, Credential, Deadlines, Fence, Peering
from peering.step_names import StepName
from peering.steps import OF_THE_RUN, REMOVAL, ROTATION, STEPS, Operation

#: The entity that held the peerings of one project VPC, and the one that lists the keys of those.
ENTITY: Final = "registry"
INDEX: Final = "registry_index"
INDEX_KEY: Final = "all"
#: What the orchestrators of version 0.2.0 did.
OPERATIONS: Final[Mapping[str, Operation]] = {
    "establish": "establish",
    "repair": "repair",
    "rotate": "rotate",
    "remove": "remove",
    "stop_and_remove": "remove",
    "check_health": "check",
}
_TABLES: Final = (*STEPS, *ROTATION, *REMOVAL)
#: Steps that an orchestrator awaited in addition to its table, and the suffixes of their runs' names.
_BESIDE: Final = {"release_rights": "r", "discard_credential": "d"}


class OldRecord(TypedDict):
    """One peering as version 0.2.0 kept it. `attempts` has the time of the last repair, by the finding's code."""

    # Its fields are repeated here: the data of version 0.2.0 stays the same when `Record` changes.
    peering: Peering
    facts: Facts
    revision: int
    requested_by: Caller
    requested: str
    runs: list[Run]
    objects: dict[StepName, Origin]
    state: NotRequired[str]
    connected: NotRequired[str]
    health: NotRequired[Health]
    attempts: NotRequired[dict[ProblemCode, str]]


class OldRegistry(TypedDict):
    """The state of one project VPC's entity."""

    peerings: dict[str, OldRecord]
    unmanaged: list[ConnectionLook]


class Asked(TypedDict):
    """What an instance of version 0.2.0 that has not ended was started for, as far as its input tells."""

    operation: Operation
    deadlines: Deadlines
    peering: NotRequired[Peering]
    run: NotRequired[str]
    by: NotRequired[Caller]
    codes: NotRequired[list[ProblemCode]]
    credential: NotRequired[Credential]


#: The fields of its input, except for the deadlines.
_TOLD: Final[tuple[Literal["peering", "run", "by", "codes", "credential"], ...]] = (
    *("peering", "run", "by"),
    *("codes", "credential"),
)


def asked_of(name: str | None, given: object) -> Asked | None:
    """What an orchestrator of version 0.2.0 was started for; None for any other."""
    if name is None or name not in OPERATIONS or not isinstance(given, dict) or "deadlines" not in given:
        return None
    asked = Asked(operation=OPERATIONS[name], deadlines=given["deadlines"])
    for part in _TOLD:
        if given.get(part):
            asked[part] = given[part]
    return asked


def instances_of(peering_id: str, runs: Sequence[str]) -> list[str]:
    """The ids of what version 0.2.0 may have running for a peering: its instances, and the waits of some runs."""
    names = {step.name for step in _TABLES}
    found = [peering_id, f"{peering_id}:removal", f"{peering_id}:check"]
    for run in runs:
        found += [wait_instance_id(peering_id, run, name) for name in sorted(names)]
        found += [wait_instance_id(peering_id, f"{run}{end}", name) for name, end in _BESIDE.items()]
        found.append(wait_instance_id(f"{peering_id}:removal", run, "begin_removal"))
    return found


def migrated(old: OldRecord, asked: Sequence[Asked], now: datetime, deadlines: Deadlines) -> Record:
    """The record that an old one becomes, with an order for what was under way or asked for.

    Args:
        old: the old record.
        asked: what the peering's instances that have not ended were started for, the first one first.
        now: the time.
        deadlines: those of an order whose instance does not tell.
    """
    runs = _with_ends(old["runs"])
    record = Record(
        peering=old["peering"],
        facts=without(old["facts"], OF_THE_RUN),
        revision=old["revision"],
        requested_by=old["requested_by"],
        requested=old["requested"],
        runs=runs,
        objects=old["objects"],
        changed=max([old["requested"], *(run.get("ended", run["started"]) for run in runs)]),
        attempts={code: Attempt(at=at, count=1) for code, at in old.get("attempts", {}).items()},
    )
    if "state" in old:
        record["state"] = state_named(old["state"])
    if "connected" in old and not (runs and runs[-1]["operation"] == "remove"):
        record["connected"] = old["connected"]
    if "health" in old:
        record["health"] = old["health"]
    if runs and "ended" not in runs[-1]:
        record["order"] = _interrupted(record, runs[-1], asked, now, deadlines)
    for one in asked:
        if one["operation"] == "check" or one.get("run") not in {run["run"] for run in runs}:
            place(record, _order_of(record["peering"]["id"], one, now))
    if "order" in record:
        # Calls of the interrupted instances may still be running.
        record["unsettled"] = (now + FUNCTION_TIMEOUT).isoformat()
    return record


def started(asked: Asked, now: datetime) -> Record | None:
    """The record of a start that the old registry did not have yet; None if the instance was not a start."""
    if "peering" not in asked:
        return None
    return place(None, _order_of(asked["peering"]["id"], asked, now))[0]


def _with_ends(runs: Sequence[Run]) -> list[Run]:
    """The runs; one without a recorded end that another run follows was interrupted."""
    found = []
    for run, following in zip_longest(runs, runs[1:]):
        if following is None or "ended" in run:
            found.append(Run(**run))
        else:
            problem = Occurrence(code="interrupted", detail="Its end was not recorded.")
            found.append(Run(**{**run, "ended": following["started"], "state": "failed", "problem": problem}))
    return found


def _interrupted(record: Record, run: Run, asked: Sequence[Asked], now: datetime, deadlines: Deadlines) -> Order:
    """The order in the place of a run that has not ended."""
    own = next((one for one in asked if one.get("run") == run["run"]), None)
    codes = own.get("codes", []) if own else []
    begun = [code for code, attempt in record.get("attempts", {}).items() if attempt["at"] == run["started"]]
    order = _due(run["operation"], run["run"], run["by"], now, own["deadlines"] if own else deadlines)
    order["at"] = run["started"]
    if run["operation"] == "establish":
        order["peering"] = record["peering"]
    elif run["operation"] in ("repair", "rotate") and (codes or begun):
        order["codes"] = codes or begun
    elif run["operation"] == "repair":
        # Its findings are unknown: a check finds out, and starts a repair of what is still wrong.
        order = _check_after(record, run, order, now)
    if own is not None and "credential" in own and run["operation"] == "rotate":
        order["credential"] = own["credential"]
    return order


def _check_after(record: Record, run: Run, order: Order, now: datetime) -> Order:
    name = deterministic_id("migrated", record["peering"]["id"], run["run"])[:8]
    run |= {"ended": now.isoformat(), "state": "superseded", "superseded_by": name}
    return {**_due("check", name, APP, now, order["deadlines"]), "repairs": True}


def _order_of(peering_id: str, asked: Asked, now: datetime) -> Order:
    """The order for what an instance was started for before the registry heard of it."""
    name = asked.get("run", deterministic_id("migrated", peering_id, asked["operation"])[:8])
    order = _due(asked["operation"], name, asked.get("by", APP), now, asked["deadlines"])
    if asked["operation"] == "establish" and "peering" in asked:
        order["peering"] = asked["peering"]
    if asked["operation"] == "check":
        order["repairs"] = True
    if "codes" in asked:
        order["codes"] = asked["codes"]
    if "credential" in asked:
        order["credential"] = asked["credential"]
    return order


def _due(operation: Operation, run: str, by: Caller, now: datetime, deadlines: Deadlines) -> Order:
    """An order without an instance, which the resume timer starts."""
    due = now.isoformat()
    return {
        **new_order(operation, run, by, now, deadlines),
        "executions": 0,
        "alive_until": due,
        "not_before": due,
    }


def migrated_runs(record: Record, deadlines: Deadlines) -> list[RunRecord]:
    """The runs of a migrated record that have ended, in full."""
    peering_id, found = record["peering"]["id"], []
    for run in record["runs"]:
        if "ended" not in run:
            continue
        moment = datetime.fromisoformat(run["started"])
        order = new_order(run["operation"], run["run"], run["by"], moment, deadlines)
        ending = Ending(
            fence=Fence(id=peering_id, run=run["run"], execution="", alive_until=""),
            state=run.get("state", "failed"),
            facts={},
            steps={},
            at=run["ended"],
            drop=False,
        )
        if "problem" in run:
            ending["problem"] = run["problem"]
        full = run_record(record, order, ending)
        if "superseded_by" in run:
            full |= {"outcome": "superseded", "superseded_by": run["superseded_by"]}
        found.append(full)
    return found


def unmanaged_of(key: str, old: OldRegistry) -> UnmanagedConnections:
    """The connections of a project VPC that no peering had; the entity's key is in lower case."""
    peering = next((record["peering"] for record in old["peerings"].values()), None)
    project, _, project_vpc_id = key.rpartition("|")
    named = AivenVpc.of(peering) if peering else AivenVpc("project", project, project_vpc_id)
    return UnmanagedConnections(**named.names, connections=old["unmanaged"])
