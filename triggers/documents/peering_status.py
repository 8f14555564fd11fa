"""The status of a peering, combined from its orchestrations' status and the registry."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NotRequired

from typing_extensions import TypedDict

from peering.concerns import CONCERNS
from peering.facts import FactName, Facts, without
from peering.orders import Joined
from peering.outcome import Occurrence
from peering.progress import PeeringState, Progress, ShortProblem, StepProgress, shortened, state_named
from peering.record import Change, Health, Origin, OutcomeKind, Pause, Record, Run, RunRecord, state_of
from peering.spec import Caller, Peering
from peering.step_names import StepName
from peering.steps import AFTER, ARTICLE, PLANS, Operation, Step, is_needless
from peering.unfit import connection_exists
from triggers.documents.links import Link, links_of
from triggers.documents.problem_documents import LONGEST_SHOWN, ProblemDocument, occurrence_document


class StepStatus(TypedDict, total=False):
    """One step as the API shows it. Times are ISO 8601, durations seconds.

    `article_step` and `article_title` name the step of the help article. `after` names its direct predecessors; steps
    without a path between them run in parallel.
    """

    name: str
    article_step: int
    article_title: str
    title: str
    after: list[str]
    state: str
    started: str
    finished: str
    seconds: float
    tries: int
    waiting_since: str
    next_look: str
    problem: ProblemDocument


class FoundIn(TypedDict, total=False):
    """What the documents of findings have in addition to the problem."""

    since: str
    repaired: str
    concerns: list[str]


class FindingDocument(ProblemDocument, FoundIn):
    """A problem that a check found: since when, and when a repair was tried that has not resolved it.

    `concerns` names the objects that it is about, as in `objects`; in addition `vnet` and `project_vpc`.
    """


class HealthDocument(TypedDict):
    """The last verdict on a peering."""

    verdict: str
    since: str
    checked: str
    problems: list[FindingDocument]


class PeeringStatus(TypedDict, total=False):
    """One peering as the API shows it. `operation` is the last one; `steps` are that operation's.

    `phase` is set while an order is open: `accepted` until an orchestrator has taken it, then its direction.
    `paused_all` is the pause of all peerings, which also applies to this one.
    `verdicts` are the last changes of the verdict, the oldest first, each with the codes of the problems.
    """

    id: str
    state: PeeringState
    phase: str
    run: str
    operation: Operation
    checking: bool
    peering: Peering
    requested_by: Caller
    requested: str
    connected: str
    started: str
    updated: str
    steps: list[StepStatus]
    facts: Facts
    objects: dict[StepName, Origin]
    links: list[Link]
    health: HealthDocument
    verdicts: list[Change]
    runs: list[Run]
    labels: dict[str, str]
    note: str
    paused: Pause
    paused_all: Pause
    problem: ProblemDocument


class RunDocument(TypedDict):
    """One run as the API shows it. A current run has no end and no steps: the peering's status has them.

    `joins` is how many callers asked for the same meanwhile, `joined` who the last twenty of them were.
    """

    id: str
    operation: Operation
    run: str
    by: Caller
    started: str
    taken: NotRequired[str]
    ended: NotRequired[str]
    state: NotRequired[PeeringState]
    outcome: NotRequired[OutcomeKind]
    problem: NotRequired[Occurrence]
    superseded_by: NotRequired[str]
    joined: NotRequired[list[Joined]]
    joins: NotRequired[int]
    peering: Peering
    steps: NotRequired[dict[StepName, StepProgress]]


class WaitStatus(TypedDict, total=False):
    """The custom status of `await_step`."""

    problem: ShortProblem
    tries: int
    next_look: str


#: Facts that can be long.
NOT_SHOWN: Final[frozenset[FactName]] = frozenset({"neighbours"})
#: States of a run that its order does not contain.
_ENDING: Final[frozenset[PeeringState]] = frozenset({"stopping", "rolling-back"})


def peering_status(record: Record, progress: Progress | None, waits: Mapping[str, WaitStatus]) -> PeeringStatus:
    """The status document of a peering.

    Args:
        record: its record in the registry.
        progress: the status of the execution that has taken its order, if there is one.
        waits: the custom status of the steps' waits, by step.
    """
    order, runs = record.get("order"), record["runs"]
    checking = order is not None and order["operation"] == "check"
    last = runs[-1] if runs else None
    aside = order is None or order["operation"] in ("check", "cancel")
    operation: Operation = order["operation"] if order and not aside else last["operation"] if last else "establish"
    begun = _begun(progress) if progress is not None else {} if not aside else record.get("steps", {})
    facts = without(record["facts"], NOT_SHOWN)
    given = facts if aside else Facts()
    steps = [_step_status(operation, step, begun, waits, given) for step in PLANS[operation]]
    status = PeeringStatus(
        id=record["peering"]["id"],
        state=progress["state"] if progress and progress["state"] in _ENDING else state_of(record),
        operation=operation,
        checking=checking,
        peering=order["peering"] if order and "peering" in order else record["peering"],
        steps=steps,
        facts=facts,
        requested_by=record["requested_by"],
        requested=record["requested"],
        objects=record["objects"],
        links=links_of(record["peering"], record["facts"]),
        runs=[_shortened(run) for run in runs],
        verdicts=record.get("verdicts", []),
        updated=record["changed"],
        labels=record.get("labels", {}),
        note=record.get("note", ""),
    )
    if "paused" in record:
        status["paused"] = record["paused"]
    if order is not None:
        status |= {"phase": order.get("phase", "accepted"), "run": order["run"], "started": order["at"]}
    elif last is not None:
        status |= {"run": last["run"], "started": last["started"]}
    failed = next((step["problem"] for step in steps if step["state"] == "failed"), None)
    if (problem := failed or _problem_of(record, status["state"], aside=aside)) is not None:
        status["problem"] = problem
    if "connected" in record:
        status["connected"] = record["connected"]
    if "health" in record:
        status["health"] = health_document(record["health"])
    return status


def _problem_of(record: Record, state: PeeringState, *, aside: bool) -> ProblemDocument | None:
    """The problem of a peering of which no step has failed: another owner's connection, or what ended its last run."""
    if state == "existing":
        return occurrence_document(connection_exists(record["facts"]))
    last = record["runs"][-1:] if aside else []
    return next((occurrence_document(run["problem"]) for run in last if "problem" in run), None)


def removed_status(run: RunRecord) -> PeeringStatus:
    """The status document of a removed peering: how its last run ended."""
    steps = [_step_status(run["operation"], step, run["steps"], {}, {}) for step in PLANS[run["operation"]]]
    status = PeeringStatus(
        id=run["id"],
        state=state_named(run.get("state", "removed")),
        operation=run["operation"],
        checking=False,
        run=run["run"],
        peering=run["peering"],
        steps=steps,
        facts={},
        started=run["started"],
        updated=run.get("ended", run["started"]),
        runs=[_short_run(run)],
    )
    if "problem" in run:
        status["problem"] = occurrence_document(run["problem"])
    return status


def run_document(run: RunRecord) -> RunDocument:
    """A run that has ended, as the API shows it."""
    return RunDocument(**run)


def _shortened(run: Run) -> Run:
    if "problem" not in run:
        return run
    found, detail = run.copy(), shortened(run["problem"]["detail"], LONGEST_SHOWN)
    found["problem"] = {**run["problem"], "detail": detail}
    return found


def _short_run(run: RunRecord) -> Run:
    found = Run(operation=run["operation"], run=run["run"], by=run["by"], started=run["started"])
    if "state" in run:
        found["state"] = run["state"]
    if "ended" in run:
        found["ended"] = run["ended"]
    return found


def _begun(progress: Progress) -> dict[StepName, StepProgress]:
    """The steps in a custom status, with times instead of seconds."""
    started = datetime.fromisoformat(progress["started"])
    found = dict[StepName, StepProgress]()
    for name, short in progress["steps"].items():
        begun = (started + timedelta(seconds=short["begun"])).isoformat()
        step = StepProgress(state=short["state"], started=begun, tries=short["tries"])
        if "ended" in short:
            step["finished"] = (started + timedelta(seconds=short["ended"])).isoformat()
        if "problem" in short:
            step["problem"] = Occurrence(code=short["problem"]["code"], detail=short["problem"]["detail"])
        found[name] = step
    return found


def health_document(health: Health) -> HealthDocument:
    """A verdict with its problems written out."""
    problems = []
    for finding in health["problems"]:
        document, found = occurrence_document(finding["problem"]), FoundIn(since=finding["since"])
        if "repaired" in finding:
            found["repaired"] = finding["repaired"]
        if document["code"] in CONCERNS:
            found["concerns"] = [*CONCERNS[document["code"]]]
        problems.append(FindingDocument(**document, **found))
    return HealthDocument(
        verdict=health["verdict"], since=health["since"], checked=health["checked"], problems=problems
    )


def _step_status(
    operation: Operation,
    step: Step,
    begun: Mapping[StepName, StepProgress],
    waits: Mapping[str, WaitStatus],
    facts: Facts,
) -> StepStatus:
    status = StepStatus(
        name=step.name,
        article_step=step.article_step,
        article_title=ARTICLE[step.article_step],
        title=step.title,
        after=[*AFTER[operation][step.name]],
        state="pending",
    )
    progress = begun.get(step.name)
    if progress is None:
        if is_needless(step, facts):
            status["state"] = "not needed"
        return status
    status |= {"state": progress["state"], "started": progress["started"], "tries": progress["tries"]}
    if "finished" in progress:
        status["finished"] = progress["finished"]
        status["seconds"] = _seconds(progress["started"], progress["finished"])
    problem = progress.get("problem")
    if progress["state"] == "waiting":
        wait = waits.get(step.name, WaitStatus())
        status["waiting_since"] = progress["started"]
        status["tries"] = wait.get("tries", progress["tries"])
        if "next_look" in wait:
            status["next_look"] = wait["next_look"]
        if "problem" in wait:
            problem = Occurrence(code=wait["problem"]["code"], detail=wait["problem"]["detail"])
    if problem is not None:
        status["problem"] = occurrence_document(problem)
    return status


def _seconds(started: str, finished: str) -> float:
    return round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds(), 3)
