"""One run of a table of steps: every step whose needs are met runs immediately, a step that cannot complete yet waits.

A run carries out the order in the peering's record. It continues only while that order is its own: every step that
changes something checks this first, so a superseded run schedules nothing more and awaits its calls in progress.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from orchestrators.durable import OrchestrationContext, Task, Workflow, at_once, result_of, took_event
from orchestrators.lost import MOST_LOST, interrupted, lost, note_lost, reliably
from orchestrators.waiting import AWAIT_LOOKS, AWAIT_STEP, CUT, Request, Wait, WaitResult, may_clear
from peering.calls import (
    CONCLUDE_ORDER,
    ENTER_ORDER_PHASE,
    LOOK_AHEAD,
    NOTE_SUPERSEDED,
    RENEW_ORDER,
    STOP_WAITS,
    StepActivity,
)
from peering.facts import Facts, only, without
from peering.orders import APP, Order, Phase, PhaseChange, Supersession, Taken, new_order, repair_of
from peering.outcome import LookRequest, Looks, Occurrence, Outcome, StepRequest, is_undone
from peering.problems.codes import ProblemCode
from peering.progress import RunState, StepProgress, progress
from peering.registry import Ending
from peering.runs import SIGN_OF_LIFE, STOP, deterministic_id, wait_instance_id
from peering.spec import Deadlines, Fence
from peering.step_names import StepName
from peering.steps import CLEARED_BEFORE, KEPT, LOOKS, OF_THE_RUN, Operation, Step, is_needless, ready

#: How often the waits of a superseded run are notified until they have ended.
_TELL_EVERY: Final = timedelta(seconds=10)
#: What a run yields to Durable Functions until it has ended.
Running: TypeAlias = Workflow[None]
_SUPERSEDED: Final[frozenset[RunState]] = frozenset({"stopping", "superseded"})
#: The states of a run whose steps may still wait.
_WANTED: Final[frozenset[RunState]] = frozenset({"running", "stopping"})


class CurrentRun:
    """The state of one run, rebuilt at every replay.

    Args:
        context: Durable's orchestration context.
        taken: the order and what is known of the peering.
        execution: names this execution of the orchestrator.
    """

    def __init__(self, context: OrchestrationContext, taken: Taken, execution: str) -> None:
        self.context, self.order, self.peering, self.known = context, taken["order"], taken["peering"], taken["known"]
        self.execution, self.unsettled = execution, taken["unsettled"] or ""
        self._renamed = ""
        self.settled: str | None = None
        self.has_requested_connection = taken.get("has_requested_connection", False)
        self.started = context.current_utc_datetime.isoformat()
        self.facts = Facts()
        self.steps: dict[StepName, StepProgress] = {}
        self.state: RunState = "running"
        self._by_name: dict[StepName, Step] = {}
        #: The current tasks, each with the function that processes its result.
        self._under_way: dict[Task[object], Callable[[], Running | None]] = {}
        self._waits: dict[str, str] = {}
        self._looked: list[StepName] = []
        self._losses: dict[str, int] = {}

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.order["run"]

    @property
    def deadlines(self) -> Deadlines:
        """How long to wait for what."""
        return self.order["deadlines"]

    @property
    def fence(self) -> Fence:
        """What the run's activities check before they change anything."""
        alive_until = (self.context.current_utc_datetime + SIGN_OF_LIFE).isoformat()
        fence = Fence(id=self.peering["id"], run=self.run, execution=self.execution, alive_until=alive_until)
        if "trace" in self.order:
            fence["trace"] = self.order["trace"]
        return fence

    @property
    def is_complete(self) -> bool:
        """Whether all that the table yields is known."""
        return all(is_needless(step, self.facts) for step in self._by_name.values())

    @property
    def problem(self) -> Occurrence | None:
        """The problem that ended the run."""
        failed = (step["problem"] for step in self.steps.values() if step["state"] == "failed")
        return next(failed, self.order.get("problem"))

    @property
    def is_superseded(self) -> bool:
        """Whether another order has superseded the run's."""
        return self.state in _SUPERSEDED

    def drive(self, table: Sequence[Step], facts: Facts, *, looks_ahead: bool = False) -> Running:
        """Run a table from these facts on, until it is complete, a step has failed, or the run is superseded.

        Args:
            table: the steps.
            facts: what is known already.
            looks_ahead: one activity runs all preflight steps of a start, before anything else.
        """
        self._by_name = {step.name: step for step in table}
        self.facts = facts.copy()
        self._stop = self.context.wait_for_external_event(STOP)
        if looks_ahead:
            self._look_ahead([step for step in LOOKS if not is_needless(step, facts)])
        yield from self._begin_ready_steps()
        while self._under_way:
            self.report()
            yield from self._await_next()
            yield from self._begin_ready_steps()
        if self.state == "stopping":
            self.state = "superseded"

    def _await_next(self) -> Running:
        """Wait for the next task to end; a run that does not continue notifies its waits until they have ended."""
        awaited = [*self._under_way, *([self._stop] if self.state != "stopping" else [])]
        reminder = None
        if self.state != "running" and self._waits:
            yield from reliably(self.context, STOP_WAITS, sorted(self._waits.values()))
            reminder = self.context.create_timer(self.context.current_utc_datetime + _TELL_EVERY)
            awaited.append(reminder)
        ended = yield from result_of(self.context.task_any(awaited))
        if ended is self._stop:
            yield from self._see_whose_order_it_is()
        elif ended is not reminder:
            yield from self._under_way.pop(ended)() or ()
        if reminder is not None and ended is not reminder:
            reminder.cancel()

    def _see_whose_order_it_is(self) -> Running:
        """An event is only a hint: the record decides. An event for an earlier execution has no effect."""
        took_event(self.context, STOP)
        if not (yield from reliably(self.context, RENEW_ORDER, self.fence)):
            self.state = "stopping"
        else:
            self._stop = self.context.wait_for_external_event(STOP)
            self._hold_nothing_back()

    def _hold_nothing_back(self) -> None:
        self._under_way[at_once(self.context)] = lambda: None

    def enter_phase(self, phase: Phase) -> Running:
        """Record the order's phase before the first deletion: a resumed order continues in it.

        Earlier calls that run late change nothing from then on.
        """
        change = PhaseChange(fence=self.fence, phase=phase, execution=new_execution(self.context))
        if (problem := self.problem) is not None:
            change["problem"] = problem
        yield from self._go_on(change)

    def fence_off(self) -> Running:
        """Continue in the same phase, but prevent earlier calls from changing anything."""
        phase = self.order.get("phase", "forward")
        yield from self._go_on(PhaseChange(fence=self.fence, phase=phase, execution=new_execution(self.context)))

    def _go_on(self, change: PhaseChange) -> Running:
        if not (yield from reliably(self.context, ENTER_ORDER_PHASE, change)):
            self.state, self._renamed = "superseded", change["execution"]
            return
        self.order["phase"], self.execution = change["phase"], change["execution"]
        self.report()

    def conclude(self, *, drop: bool = False, then: Order | None = None) -> Running:
        """Record the outcome of the order, or the run's progress if another order has superseded it.

        Args:
            drop: the peering is removed, and its record with it.
            then: an order that follows from this one's outcome.
        """
        self.report()
        at = self.context.current_utc_datetime.isoformat()
        facts = without(self.facts, OF_THE_RUN)
        if not self.is_superseded:
            ending = Ending(fence=self.fence, state=self.state, facts=facts, steps=self.steps, at=at, drop=drop)
            ending["operation"] = self.order["operation"]
            if (problem := self.problem) is not None:
                ending["problem"] = problem
            if then is not None:
                ending["then"] = then
            if self.settled is not None:
                ending["settled"] = self.settled
            if (yield from reliably(self.context, CONCLUDE_ORDER, ending)):
                return
            self.state = "superseded"
        stopped = Supersession(fence=self.fence, operation=self.order["operation"], facts=facts, steps=self.steps)
        if self._renamed:
            stopped["renamed"] = self._renamed
        yield from reliably(self.context, NOTE_SUPERSEDED, stopped)

    def pause_until(self, moment: datetime) -> Running:
        """Wait without any calls in progress, unless another order supersedes the run's."""
        timer = self.context.create_timer(moment + CUT)
        self._stop = self.context.wait_for_external_event(STOP)
        while self.state != "stopping":
            ended = yield from result_of(self.context.task_any([timer, self._stop, *self._under_way]))
            if ended is timer:
                return
            if ended is self._stop:
                yield from self._see_whose_order_it_is()
            else:
                del self._under_way[ended]
        timer.cancel()
        self.state = "superseded"

    def report(self) -> None:
        """Publish the status of the run."""
        self.context.set_custom_status(
            progress(self.order["operation"], self.state, self.run, self.execution, self.started, self.steps)
        )

    def request(self, facts: Facts) -> StepRequest:
        """The input of an activity that works for the run."""
        return StepRequest(peering=self.peering, facts=facts, fence=self.fence)

    def _request(self, step: StepName) -> StepRequest:
        """The input of a step's activity: only the facts that it needs, or that an earlier run collected."""
        table = self._by_name[step]
        recalled = only(self.known, (*table.yields, *table.recalls))
        gathered = only(self.facts, (*table.recalls, *table.needs))
        request = self.request(recalled | gathered)
        # A step that only reads needs no fence, unless its results are stored.
        if table.looks and step not in KEPT and "fence" in request:
            fence = request.pop("fence")
            if "trace" in fence:
                request["trace"] = fence["trace"]
        return request

    def _look_ahead(self, looks: Sequence[Step]) -> None:
        """Run these preflight steps in one activity: separate calls would each add a message and a row of history."""
        now = self.context.current_utc_datetime.isoformat()
        for step in looks:
            self.steps[step.name] = StepProgress(state="running", started=now, tries=0)
        self._looked = [step.name for step in looks]
        task = self.context.call_activity(LOOK_AHEAD, self._look_request())
        self._under_way[task] = partial(self._take_looks, task)

    def _look_request(self) -> LookRequest:
        told = {name for step in LOOKS for name in (*step.awaits, *step.yields, *step.recalls)}
        known, facts = only(self.known, told), only(self.facts, told)
        return LookRequest(peering=self.peering, known=known, facts=facts, fence=self.fence)

    def _take_looks(self, task: Task[Looks]) -> None:
        self._settle_looks(task.result)

    def _take_wait_for_looks(self, task: Task[WaitResult[Looks]]) -> None:
        del self._waits[LOOK_AHEAD]
        ended = task.result
        self._settle_looks(ended if isinstance(ended, BaseException) else ended["outcome"])

    def _settle_looks(self, outcomes: Looks | BaseException) -> None:
        """Process the outcomes of the preflight steps; those that could not run are started as soon as possible."""
        if isinstance(outcomes, BaseException):
            # Each step of a call that the platform lost is called again by itself.
            outcomes = {}
        if is_undone(outcomes):
            self._take_problem_of_looks(outcomes["problem"])
            return
        for name in self._looked:
            if name not in outcomes:
                del self.steps[name]
        # Steps that wait get all facts that the others have found.
        for name in sorted(outcomes, key=lambda name: "problem" in outcomes[name]):
            self.steps[name]["tries"] += 1
            self._settle(name, outcomes[name])

    def _take_problem_of_looks(self, problem: Occurrence) -> None:
        """Wait for all preflight steps together, or end the run; the first of them shows why."""
        first, *others = self._looked
        if self._may_wait(problem):
            self.steps[first]["problem"], self.steps[first]["state"] = problem, "waiting"
            wait, instance = self._wait_for(LOOK_AHEAD, self._look_request(), problem, 1)
            task = self.context.call_sub_orchestrator(AWAIT_LOOKS, wait, instance)
            self._note_wait(task, partial(self._take_wait_for_looks, task))
            return
        for name in others:
            del self.steps[name]
        self._settle_problem(first, problem)

    def _begin_ready_steps(self) -> Running:
        """Schedule every step whose needs are met, unless the run is ending."""
        for step in list(ready(list(self._by_name.values()), self.facts, self.steps)):
            if self.state == "running" and not CLEARED_BEFORE.get(step.name, frozenset()).isdisjoint(self.steps):
                # Otherwise, another delivery of those steps could still delete what this step creates.
                if self._under_way:
                    continue
                yield from self.fence_off()
            if self.state != "running":
                return
            now = self.context.current_utc_datetime
            self.steps[step.name] = StepProgress(state="running", started=now.isoformat(), tries=0)
            task = self.context.call_activity(StepActivity(step.name), self._request(step.name))
            self._under_way[task] = partial(self._take_outcome, step.name, task)

    def _settle(self, step: StepName, outcome: Outcome) -> None:
        """Take a step's outcome into the run."""
        progress = self.steps[step]
        if "problem" in outcome:
            self._settle_problem(step, outcome["problem"])
            return
        progress["state"] = "done"
        progress["finished"] = self.context.current_utc_datetime.isoformat()
        progress.pop("problem", None)
        self.facts |= outcome["facts"]
        if self.facts.get("existing") == "foreign":
            self.state = "existing"

    def _settle_problem(self, step: StepName, problem: Occurrence) -> None:
        """Wait for a transient problem; end the run with a permanent one."""
        clears = may_clear(problem) and "gave_up_after" not in problem
        if self.state not in _WANTED and (clears or problem["code"] == "run-superseded"):
            # The run is ending, and its waits have been told to end: a step that would wait counts as not begun.
            del self.steps[step]
            return
        progress, now = self.steps[step], self.context.current_utc_datetime
        progress["problem"] = problem
        if clears and self.state == "running":
            progress["state"] = "waiting"
            request = self._request(step)
            # A waiting run gives signs of life, even one that only reads.
            request["fence"] = self.fence
            wait, instance = self._wait_for(step, request, problem, progress["tries"])
            task = self.context.call_sub_orchestrator(AWAIT_STEP, wait, instance)
            self._note_wait(task, partial(self._take_wait, step, task))
            return
        progress["state"], progress["finished"] = "failed", now.isoformat()
        if problem["code"] == "run-superseded":
            self.state = "stopping"
        elif self.state == "running":
            self.state = "failed"

    def _may_wait(self, problem: Occurrence) -> bool:
        return may_clear(problem) and "gave_up_after" not in problem and self.state == "running"

    def _wait_for(self, step: str, request: Request, problem: Occurrence, tries: int) -> tuple[Wait, str]:
        """The input and the instance id of a step's wait, a workflow of its own: so the run's history does not grow."""
        losses = self._losses.get(step, 0)
        wait = Wait(
            step=step,
            request=request,
            deadlines=self.deadlines,
            since=self.context.current_utc_datetime.isoformat(),
            tries=tries,
            problem=problem,
        )
        begun = f"{step}-{losses}" if losses else step
        instance = self._waits[step] = wait_instance_id(self.context.instance_id, self.execution, begun)
        return wait, instance

    def _note_wait(self, task: Task[object], take: Callable[[], Running | None]) -> None:
        self._under_way[task] = take
        self._hold_nothing_back()

    def _take_outcome(self, step: StepName, task: Task[Outcome]) -> Running:
        result = task.result
        if isinstance(result, BaseException):
            yield from self._lose(step, result)
            return
        self.steps[step]["tries"] += 1
        self._settle(step, result)

    def _take_wait(self, step: StepName, task: Task[WaitResult[Outcome]]) -> Running:
        del self._waits[step]
        result = task.result
        if isinstance(result, BaseException):
            yield from self._lose(step, result)
            return
        self.unsettled = max(self.unsettled, result["unsettled"])
        self.steps[step]["tries"] = result["tries"]
        self._settle(step, result["outcome"])

    def _lose(self, step: StepName, error: BaseException) -> Running:
        """A call or a wait that the platform lost: the step is restarted after a pause; too many losses end the run."""
        losses = self._losses[step] = self._losses.get(step, 0) + 1
        self.unsettled = max(self.unsettled, (yield from note_lost(self.context, self.peering["id"])))
        self._settle_problem(step, lost(error, losses - 1) if losses <= MOST_LOST else interrupted(error))


def new_execution(context: OrchestrationContext) -> str:
    """A name for an execution of the orchestrator, or for a part of one."""
    return context.new_uuid().replace("-", "")[:12]


def check_order(run: CurrentRun) -> Order:
    """The order for a check that verifies the result of a run, and repairs findings that a rotation preceded."""
    goes_on = run.order["operation"] == "rotate" and "codes" in run.order
    return {**_order_after(run, "check"), "repairs": goes_on}


def repair_order(run: CurrentRun, codes: Sequence[ProblemCode]) -> Order:
    """The order for a repair of what a check has found."""
    operation, repaired = repair_of(codes)
    return {**_order_after(run, operation), "codes": repaired}


def _order_after(run: CurrentRun, operation: Operation) -> Order:
    at = run.context.current_utc_datetime
    name = deterministic_id("after", run.peering["id"], run.run, operation)[:8]
    order = new_order(operation, name, APP, at, run.deadlines)
    if "trace" in run.order:
        order["trace"] = run.order["trace"]
    return order
