"""Polling, with durable timers, until a step is done or its deadline has passed.

The poll interval is 10 % of the time waited, so the number of polls grows with the logarithm of the wait. The history
stays small, because it is reset after every few polls.
"""

from datetime import datetime, timedelta
from typing import Final, Generic, NotRequired, TypeAlias, TypedDict, TypeVar

from orchestrators.durable import OrchestrationContext, StartedWith, Task, Workflow, at_once, result_of, took_event
from orchestrators.lost import MOST_LOST, interrupted, lost, note_lost, reliably
from peering.calls import RENEW_ORDER, STOP_WAITS, Activity, Orchestrator
from peering.outcome import (
    LOST,
    THROTTLED,
    LookRequest,
    Looks,
    Occurrence,
    Outcome,
    StepRequest,
    is_undone,
    superseded,
)
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.progress import short_problem
from peering.runs import SIGN_OF_LIFE, STOP, wait_instance_id
from peering.spec import Deadlines, Fence
from peering.webhook import Event

SHORTEST_PAUSE: Final = timedelta(seconds=1)
PAUSE_SHARE: Final = 0.1
OBEYED_SHARE: Final = 0.75
LOOKS_IN_ONE_HISTORY: Final = 8
#: Problems of polls that could not read the object.
_UNSEEN: Final[frozenset[ProblemCode]] = frozenset({LOST, THROTTLED, "remote-unavailable"})
#: The engine cuts a timer's wait to whole seconds (seen on DurableTask.AzureStorage 2.11).
CUT: Final = timedelta(milliseconds=900)
#: A longer pause than usual is announced, so that the order does not count as abandoned.
_SHORT: Final = SIGN_OF_LIFE / 3

#: The input of an activity that may have to be waited for, and its answer.
Request: TypeAlias = StepRequest | LookRequest | Event
Answer: TypeAlias = Outcome | Looks
Attempted = TypeVar("Attempted", StepRequest, Event)
Awaited = TypeVar("Awaited", bound=Answer)


class Wait(TypedDict):
    """The input of `await_step`: the step that could not be done yet, and why.

    `lost` counts the most recent consecutive calls of the step that the platform lost; until `unsettled` one of them
    may still be running. `throttled` are the seconds that it has spent waiting for the budget of a remote service.
    `looks` counts the polls that could read the object.
    """

    step: str
    request: Request
    deadlines: Deadlines
    since: str
    tries: int
    problem: Occurrence
    lost: NotRequired[int]
    unsettled: NotRequired[str]
    throttled: NotRequired[float]
    looks: NotRequired[int]


class WaitResult(TypedDict, Generic[Awaited]):
    """The output of `await_step`; `unsettled` as in `Wait`."""

    outcome: Awaited
    tries: int
    unsettled: str


#: One orchestrator waits for a step, and for all preflight steps of a start.
AWAIT_STEP: Final = Orchestrator[Wait, WaitResult[Outcome]]("await_step")
AWAIT_LOOKS: Final = Orchestrator[Wait, WaitResult[Looks]](AWAIT_STEP)


def may_clear(problem: Occurrence) -> bool:
    """Whether polling again makes sense."""
    return PROBLEMS[problem["code"]].deadline is not None and not problem.get("final", False)


def next_look(now: datetime, since: datetime, problem: Occurrence, deadlines: Deadlines) -> datetime | None:
    """When to poll a step that has been waiting since `since`, or None if its deadline has passed."""
    deadline = PROBLEMS[problem["code"]].deadline
    if deadline is None:
        return None
    asked = timedelta(seconds=problem.get("retry_after", 0))
    if problem["code"] == LOST:
        return now + asked
    last = since + timedelta(seconds=deadlines[deadline])
    if now >= last:
        return None
    # If a remote asks for a longer pause than is left, the poll comes before the deadline: it may need another one.
    asked = min(asked, OBEYED_SHARE * (last - now))
    if problem["code"] == THROTTLED and "remote" not in problem:
        # Put off by the app itself, until its turn.
        return now + max(SHORTEST_PAUSE, asked)
    return min(now + max(SHORTEST_PAUSE, asked, PAUSE_SHARE * (now - since)), last)


def attempt(
    context: OrchestrationContext,
    activity: Activity[Attempted, Outcome],
    given: Attempted,
    run: str,
    deadlines: Deadlines,
) -> Workflow[Outcome]:
    """Run an activity, and repeat it while its problem is transient; returns its outcome.

    Args:
        context: Durable's orchestration context.
        activity: the activity.
        given: its input.
        run: tells this attempt from others of the same instance.
        deadlines: how long to wait for what.
    """
    try:
        outcome = yield from result_of(context.call_activity(activity, given))
    except Exception as error:
        yield from _note_lost(context, given)
        outcome = {"problem": lost(error, 0)}
    if "problem" not in outcome or not may_clear(outcome["problem"]):
        return outcome
    since = context.current_utc_datetime.isoformat()
    wait = Wait(
        step=activity,
        request=_with_seen(given, outcome["problem"]),
        deadlines=deadlines,
        since=since,
        tries=1,
        problem=outcome["problem"],
    )
    instance = wait_instance_id(context.instance_id, run, activity)
    waiting = context.call_sub_orchestrator(AWAIT_STEP, wait, instance)
    yield from _until_ended(context, waiting, instance, given)
    ended = waiting.result
    return {"problem": interrupted(ended)} if isinstance(ended, BaseException) else ended["outcome"]


def _until_ended(
    context: OrchestrationContext, waiting: Task[WaitResult[Outcome]], instance: str, given: Request
) -> Workflow[None]:
    """Await the end of a wait; a hint that another order supersedes its run is passed on, unless it is obsolete."""
    awaited: list[Task[object]] = [waiting, stop := context.wait_for_external_event(STOP)]
    while (ended := (yield from result_of(context.task_any(awaited)))) is not waiting:
        awaited.remove(ended)
        if ended is not stop:
            continue
        took_event(context, STOP)
        if "fence" in given and (yield from reliably(context, RENEW_ORDER, given["fence"])):
            awaited += [stop := context.wait_for_external_event(STOP), at_once(context)]
        else:
            yield from reliably(context, STOP_WAITS, [instance])


def await_step(context: StartedWith[Wait]) -> Workflow[WaitResult[Answer] | None]:
    """Run a step's activity repeatedly until it yields facts, meets a permanent problem, or its deadline passes.

    Input: `Wait`. Output: `WaitResult`; the custom status says what is waited for and the time of the next poll.
    """
    wait = context.get_input()
    activity = Activity[Request, Answer](wait["step"])
    begun, tries, problem = datetime.fromisoformat(wait["since"]), wait["tries"], wait["problem"]
    losses, unsettled, throttled = wait.get("lost", 0), wait.get("unsettled", ""), wait.get("throttled", 0.0)
    looks = wait.get("looks", _looked(problem))
    stop = context.wait_for_external_event(STOP)
    for _ in range(LOOKS_IN_ONE_HISTORY):
        now, is_throttled = context.current_utc_datetime, problem["code"] == THROTTLED
        # The wait for a turn does not count for the step's own wait.
        since = begun if is_throttled else begun + timedelta(seconds=throttled)
        look = next_look(now, since, problem, wait["deadlines"])
        if look is None:
            problem["gave_up_after"] = min((now - since).total_seconds(), _limit(problem, wait["deadlines"]))
            return WaitResult(outcome={"problem": problem}, tries=tries, unsettled=unsettled)
        context.set_custom_status({"problem": short_problem(problem), "tries": tries, "next_look": look.isoformat()})
        request = _request(wait["request"], looks, look, begun, throttled)
        is_long = look - now > max(_SHORT, PAUSE_SHARE * (now - since))
        if not (yield from _pause(context, look, stop, request["fence"] if is_long and "fence" in request else None)):
            return _stopped(tries, unsettled)
        throttled += (context.current_utc_datetime - now).total_seconds() if is_throttled else 0.0
        try:
            outcome = yield from result_of(context.call_activity(activity, request))
            losses = 0
        except Exception as error:
            losses += 1
            unsettled = (yield from _note_lost(context, request)) or unsettled
            outcome = {"problem": lost(error, losses) if losses <= MOST_LOST else interrupted(error)}
        tries += 1
        if not is_undone(outcome) or not may_clear(outcome["problem"]):
            return WaitResult(outcome=outcome, tries=tries, unsettled=unsettled)
        problem = outcome["problem"]
        wait["request"] = _with_seen(wait["request"], problem)
        looks += _looked(problem)
    wait["tries"], wait["problem"], wait["lost"], wait["unsettled"] = tries, problem, losses, unsettled
    wait["throttled"], wait["looks"] = throttled, looks
    context.continue_as_new(wait)
    return None


def _pause(context: OrchestrationContext, until: datetime, stop: Task[object], fence: Fence | None) -> Workflow[bool]:
    """Wait; returns whether the run is still wanted. With a fence, the order is told first that its run is alive."""
    if fence is not None and not (yield from reliably(context, RENEW_ORDER, fence)):
        return False
    timer = context.create_timer(until + CUT)
    if (yield context.task_any([timer, stop])) is stop:
        timer.cancel()
        return False
    return True


def _note_lost(context: OrchestrationContext, given: Request) -> Workflow[str]:
    """Record a lost call that may have changed something: one with a fence; returns until when it may be running."""
    if "fence" not in given:
        return ""
    return (yield from note_lost(context, given["fence"]["id"]))


def _limit(problem: Occurrence, deadlines: Deadlines) -> float:
    """How long a wait for a problem may take, in seconds."""
    deadline = PROBLEMS[problem["code"]].deadline
    return deadlines[deadline] if deadline is not None else 0


def _stopped(tries: int, unsettled: str) -> WaitResult[Answer]:
    return WaitResult(outcome={"problem": superseded()}, tries=tries, unsettled=unsettled)


def _looked(problem: Occurrence) -> int:
    """Whether a poll that ended with a problem could read the object: 1, or 0."""
    return int(problem["code"] not in _UNSEEN)


def _with_seen(request: Request, problem: Occurrence) -> Request:
    """The input of a step with the data of its last try, which is removed from the problem."""
    seen = problem.pop("seen", None)
    if seen and "facts" in request:
        request = request.copy()
        request["facts"] = {**request["facts"], **seen}
    return request


def _request(request: Request, looks: int, look: datetime, begun: datetime, throttled: float) -> Request:
    """The input of a step at a poll: how often and how long it has waited, and a sign of life for the next pause.

    Some steps need two consistent reads, and after a long wait a step accepts slightly older data.
    """
    if "facts" not in request:
        return request
    found = request.copy()
    found["facts"] = {
        **request["facts"],
        "tries": looks,
        "waited": max(0.0, (look - begun).total_seconds() - throttled),
        "looked_at": look.isoformat(),
        "waits_since": begun.isoformat(),
    }
    if "fence" in request:
        alive_until = look + PAUSE_SHARE * (look - begun) + SIGN_OF_LIFE
        found["fence"] = {**request["fence"], "alive_until": alive_until.isoformat()}
    return found
