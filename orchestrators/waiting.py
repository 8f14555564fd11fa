"""Looking again, with durable timers, until a step is done or its deadline has passed.

The pause grows with the time waited: the end of a wait is noticed at most a tenth of its length late, and the number of
looks grows with its logarithm. History stays small, because the workflow starts over after every few looks.
"""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Final, NotRequired, TypedDict, cast

from azure.durable_functions import EntityId

from orchestrators.durable import OrchestrationContext, Task, Workflow
from peering.outcome import Occurrence, Outcome
from peering.problems import PROBLEMS
from peering.registry import ENTITY, RunOf
from peering.runs import STOP, wait_instance_id
from peering.spec import Deadlines

SHORTEST_PAUSE: Final = timedelta(seconds=1)
PAUSE_SHARE: Final = 0.1
LOOKS_IN_ONE_HISTORY: Final = 8


class Wait(TypedDict):
    """The input of `await_step`: the step that could not be done yet, and why; `run` is the run that it is part of."""

    run: NotRequired[RunOf]
    step: str
    request: object
    deadlines: Deadlines
    since: str
    tries: int
    problem: Occurrence


class WaitResult(TypedDict):
    """The output of `await_step`."""

    outcome: Outcome
    tries: int


def may_clear(problem: Occurrence) -> bool:
    """Whether looking again makes sense at all."""
    return PROBLEMS[problem["code"]].deadline is not None and not problem.get("final", False)


def next_look(now: datetime, since: datetime, problem: Occurrence, deadlines: Deadlines) -> datetime | None:
    """When to look again at a step that has been waiting since `since`, or None when its deadline has passed."""
    deadline = PROBLEMS[problem["code"]].deadline
    if deadline is None:
        return None
    last = since + timedelta(seconds=deadlines[deadline])
    if now >= last:
        return None
    asked = timedelta(seconds=problem.get("retry_after", 0))
    return min(now + max(SHORTEST_PAUSE, asked, PAUSE_SHARE * (now - since)), last)


def attempt(
    context: OrchestrationContext, activity: str, given: object, run: str, deadlines: Deadlines
) -> Generator[Task, object, Outcome]:
    """Run an activity, and again for as long as its problem may clear; returns its outcome.

    Args:
        context: Durable's orchestration context.
        activity: the activity's name.
        given: its input.
        run: tells this attempt from others of the same instance.
        deadlines: how long to wait for what.
    """
    outcome = cast("Outcome", (yield context.call_activity(activity, given)))
    if "problem" not in outcome or not may_clear(outcome["problem"]):
        return outcome
    since = context.current_utc_datetime.isoformat()
    wait = Wait(step=activity, request=given, deadlines=deadlines, since=since, tries=1, problem=outcome["problem"])
    instance = wait_instance_id(context.instance_id, run, activity)
    return cast("WaitResult", (yield context.call_sub_orchestrator("await_step", wait, instance)))["outcome"]


def await_step(context: OrchestrationContext) -> Workflow:
    """Run a step's activity again and again until it yields facts, meets a problem that stays, or runs out of time.

    Input: `Wait`. Output: `WaitResult`; the custom status says what is waited for and when the next look is.
    """
    wait = cast("Wait", context.get_input())
    since, tries, problem = datetime.fromisoformat(wait["since"]), wait["tries"], wait["problem"]
    stop = context.wait_for_external_event(STOP)
    for _ in range(LOOKS_IN_ONE_HISTORY):
        now = context.current_utc_datetime
        look = next_look(now, since, problem, wait["deadlines"])
        if look is None:
            problem["gave_up_after"] = (now - since).total_seconds()
            return WaitResult(outcome={"problem": problem}, tries=tries)
        context.set_custom_status({"problem": problem, "tries": tries, "next_look": look.isoformat()})
        timer = context.create_timer(look)
        if (yield context.task_any([timer, stop])) is stop:
            timer.cancel()
            return _stopped(tries)
        if "run" in wait and not (yield _is_current(context, wait["run"])):
            return _stopped(tries)
        outcome = cast("Outcome", (yield context.call_activity(wait["step"], _with_tries(wait["request"], tries))))
        tries += 1
        if "problem" not in outcome or not may_clear(outcome["problem"]):
            return WaitResult(outcome=outcome, tries=tries)
        problem = outcome["problem"]
    context.continue_as_new({**wait, "tries": tries, "problem": problem})
    return None


def _stopped(tries: int) -> WaitResult:
    problem = Occurrence(code="run-stopped", detail="The run was stopped.")
    return WaitResult(outcome={"problem": problem}, tries=tries)


def _is_current(context: OrchestrationContext, run: RunOf) -> Task:
    """Whether the run goes on: the engine ends a run that somebody terminated, but not its waits."""
    return context.call_entity(EntityId(ENTITY, run["key"]), "is_current", run)


def _with_tries(request: object, tries: int) -> object:
    """The input of a step with the number of its earlier tries: some need to see a thing twice to believe it."""
    if isinstance(request, dict) and "facts" in request:
        return {**request, "facts": {**request["facts"], "tries": tries}}
    return request
