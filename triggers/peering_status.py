"""How a peering stands, put together from what its orchestrations say of themselves and what the registry keeps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypedDict, cast

from orchestrators.progress import Progress, StepProgress
from peering.outcome import Facts, Occurrence
from peering.plan import ARTICLE, PLANS, Operation, Step, is_needless
from peering.registry import Health, Origin, Record, Run
from peering.spec import Caller, Peering
from triggers.problem_documents import ProblemDocument, problem_document

#: What the state of a peering is called while an operation is at work on it.
UNDER_WAY: Final[dict[str, str]] = {
    "establish": "running",
    "repair": "repairing",
    "rotate": "rotating",
    "remove": "removing",
}


class StepStatus(TypedDict, total=False):
    """One step as the API shows it. Times are ISO 8601, durations seconds."""

    name: str
    article_step: int
    article_title: str
    title: str
    state: str
    started: str
    finished: str
    seconds: float
    tries: int
    waiting_since: str
    next_look: str
    problem: ProblemDocument


class FindingDocument(ProblemDocument, total=False):
    """A problem that a check found: since when, and when a repair was tried that has not been seen to help."""

    since: str
    repaired: str


class HealthDocument(TypedDict):
    """The last verdict on a peering."""

    verdict: str
    since: str
    checked: str
    problems: list[FindingDocument]


class PeeringStatus(TypedDict, total=False):
    """One peering as the API shows it. `operation` is the last one; `steps` are that operation's."""

    id: str
    state: str
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
    objects: dict[str, Origin]
    health: HealthDocument
    runs: list[Run]
    problem: ProblemDocument


class WaitStatus(TypedDict, total=False):
    """The custom status of `await_step`."""

    problem: Occurrence
    tries: int
    next_look: str


def peering_status(
    peering: Peering,
    progress: Progress | None,
    record: Record | None,
    waits: Mapping[str, WaitStatus],
    failure: str | None,
    *,
    under_way: bool,
) -> PeeringStatus:
    """The status document of a peering.

    Args:
        peering: what was asked for.
        progress: the custom status of its last orchestration, or None before it has run.
        record: what the registry keeps of it, if it is in there.
        waits: the custom status of the steps' waits, by step.
        failure: set when the orchestration itself ended with an exception.
        under_way: whether it still runs; only then is its end final.
    """
    operation: Operation = progress["operation"] if progress else "establish"
    facts = progress["facts"] if progress else Facts()
    steps = [_step_status(s, progress["steps"] if progress else {}, waits, facts) for s in PLANS[operation]]
    status = PeeringStatus(
        id=peering["id"],
        state=_state(progress, record, failure, under_way=under_way),
        operation=operation,
        peering=record["peering"] if record else peering,
        steps=steps,
        facts=facts,
    )
    failed = next((step["problem"] for step in steps if step["state"] == "failed"), None)
    if failure is not None:
        failed = problem_document("unexpected-error", failure)
    if failed is not None:
        status["problem"] = failed
    if record is not None:
        _add_record(status, record)
    return status


def _add_record(status: PeeringStatus, record: Record) -> None:
    status["requested_by"], status["requested"] = record["requested_by"], record["requested"]
    status["objects"], status["runs"] = record["objects"], record["runs"]
    if "connected" in record:
        status["connected"] = record["connected"]
    if "health" in record:
        status["health"] = health_document(record["health"])


def health_document(health: Health) -> HealthDocument:
    """A verdict with its problems written out."""
    problems = []
    for finding in health["problems"]:
        document = problem_document(finding["problem"]["code"], detail_of(finding["problem"]))
        found = cast("FindingDocument", {**document, "since": finding["since"]})
        if "repaired" in finding:
            found["repaired"] = finding["repaired"]
        problems.append(found)
    return HealthDocument(
        verdict=health["verdict"], since=health["since"], checked=health["checked"], problems=problems
    )


def _state(progress: Progress | None, record: Record | None, failure: str | None, *, under_way: bool) -> str:
    """The state of the peering: that of a run that makes or removes it, else the one that the registry keeps."""
    if failure is not None:
        aside = progress is not None and progress["operation"] in ("repair", "rotate")
        return record.get("state", "failed") if aside and record is not None else "failed"
    if progress is None:
        return "running" if under_way or record is None else record.get("state", "failed")
    if under_way:
        ending = progress["state"] in ("stopping", "rolling-back")
        return progress["state"] if ending else UNDER_WAY[progress["operation"]]
    if progress["operation"] in ("repair", "rotate") and record is not None and "state" in record:
        return record["state"]
    if progress["operation"] == "remove" and record is not None and progress["state"] != "removed":
        return "removal-failed"
    return progress["state"]


def _step_status(
    step: Step, begun: Mapping[str, StepProgress], waits: Mapping[str, WaitStatus], facts: Facts
) -> StepStatus:
    status = StepStatus(
        name=step.name,
        article_step=step.article_step,
        article_title=ARTICLE[step.article_step],
        title=step.title,
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
        problem = wait.get("problem", problem)
    if problem is not None:
        status["problem"] = occurrence_document(problem)
    return status


def occurrence_document(problem: Occurrence) -> ProblemDocument:
    """A problem as it happened, written out, with its causes and what else was met."""
    document = problem_document(problem["code"], detail_of(problem))
    if "causes" in problem:
        document["causes"] = [occurrence_document(cause) for cause in problem["causes"]]
    if "also" in problem:
        document["also"] = [occurrence_document(other) for other in problem["also"]]
    return document


def detail_of(problem: Occurrence) -> str:
    """What happened, with the remote's own code and request id."""
    remote = problem.get("remote")
    source = ", ".join(str(part) for part in cast("dict[str, object]", remote).values() if part) if remote else ""
    gave_up = f" The step gave up after {problem['gave_up_after']:.0f} s." if "gave_up_after" in problem else ""
    return problem["detail"] + (f" ({source})" if source else "") + gave_up


def _seconds(started: str, finished: str) -> float:
    return round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds(), 3)
