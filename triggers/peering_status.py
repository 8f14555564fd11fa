"""How a peering stands, put together from what its orchestrations say of themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict, cast

from orchestrators.progress import Progress, StepProgress
from peering.outcome import Facts, Occurrence
from peering.plan import ARTICLE, STEPS, Step, is_needless
from peering.spec import Peering
from triggers.problem_documents import ProblemDocument, problem_document


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


class PeeringStatus(TypedDict, total=False):
    """One peering as the API shows it."""

    id: str
    state: str
    peering: Peering
    started: str
    updated: str
    steps: list[StepStatus]
    facts: Facts
    problem: ProblemDocument


class WaitStatus(TypedDict, total=False):
    """The custom status of `await_step`."""

    problem: Occurrence
    tries: int
    next_look: str


def peering_status(
    identity: str, peering: Peering, progress: Progress | None, waits: Mapping[str, WaitStatus], failure: str | None
) -> PeeringStatus:
    """The status document of a peering.

    Args:
        identity: the peering's id.
        peering: what was asked for.
        progress: the custom status of its orchestration, or None before it has run.
        waits: the custom status of the steps' waits, by step.
        failure: set when the orchestration itself ended with an exception.
    """
    facts = progress["facts"] if progress else {}
    steps = [_step_status(step, progress["steps"] if progress else {}, waits, facts) for step in STEPS]
    status = PeeringStatus(id=identity, state=_state(progress, failure), peering=peering, steps=steps, facts=facts)
    failed = next((step["problem"] for step in steps if step["state"] == "failed"), None)
    if failure is not None:
        failed = problem_document("unexpected-error", failure)
    if failed is not None:
        status["problem"] = failed
    return status


def _state(progress: Progress | None, failure: str | None) -> str:
    if failure is not None:
        return "failed"
    return progress["state"] if progress else "running"


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
        status["problem"] = problem_document(problem["code"], _detail(problem))
    return status


def _detail(problem: Occurrence) -> str:
    remote = problem.get("remote")
    source = ", ".join(str(part) for part in cast("dict[str, object]", remote).values() if part) if remote else ""
    gave_up = f" The step gave up after {problem['gave_up_after']:.0f} s." if "gave_up_after" in problem else ""
    return problem["detail"] + (f" ({source})" if source else "") + gave_up


def _seconds(started: str, finished: str) -> float:
    return round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds(), 3)
