"""The whole help article as one workflow: every step whose needs are met runs at once."""

from datetime import datetime, timedelta
from typing import TypedDict, cast

from azure.durable_functions import EntityId

from orchestrators.durable import OrchestrationContext, Task, Workflow
from orchestrators.progress import PeeringState, Progress, StepProgress, shown
from orchestrators.waiting import STOP, Wait, WaitResult, may_clear, wait_instance_id
from peering.outcome import Facts, Occurrence, Outcome, StepRequest
from peering.plan import BY_NAME, STEPS, is_needless, ready
from peering.registry import ENTITY, entity_key
from peering.spec import Deadlines, Peering


class EstablishInput(TypedDict):
    """What a run is started with; `run` tells one run of the same peering from the next."""

    peering: Peering
    deadlines: Deadlines
    run: str


class _Run:
    """The state of one run, rebuilt at every replay."""

    def __init__(self, context: OrchestrationContext, given: EstablishInput, known: Facts) -> None:
        self.context, self.given = context, given
        self.known, self.facts = known, Facts()
        self.steps: dict[str, StepProgress] = {}
        self.under_way: dict[Task, str] = {}
        self.state: PeeringState = "running"

    def request(self, step: str) -> StepRequest:
        """The input of a step's activity: only the facts that it needs, or that an earlier run found out."""
        needed = {name: self.facts[name] for name in BY_NAME[step].needs}
        kept = {name: self.known[name] for name in BY_NAME[step].yields if name in self.known}
        return StepRequest(peering=self.given["peering"], facts=kept | needed)

    def begin_ready_steps(self) -> None:
        """Schedule every step whose needs are met, unless the run is ending."""
        if self.state != "running":
            return
        for step in ready(self.facts, self.steps):
            now = self.context.current_utc_datetime
            self.steps[step.name] = StepProgress(state="running", started=now.isoformat(), tries=0)
            self.under_way[self.context.call_activity(step.name, self.request(step.name))] = step.name

    def settle(self, step: str, outcome: Outcome) -> None:
        """Take a step's outcome into the run."""
        progress = self.steps[step]
        if "problem" in outcome:
            self.settle_problem(step, outcome["problem"])
            return
        progress["state"] = "done"
        progress["finished"] = self.context.current_utc_datetime.isoformat()
        progress.pop("problem", None)
        self.facts |= outcome["facts"]
        if self.facts.get("existing") == "foreign":
            self.state = "existing"

    def settle_problem(self, step: str, problem: Occurrence) -> None:
        """Wait for a problem that may clear; end the run with one that stays."""
        progress, now = self.steps[step], self.context.current_utc_datetime
        progress["problem"] = problem
        if may_clear(problem) and "gave_up_after" not in problem:
            progress["state"] = "waiting"
            self.under_way[self.begin_wait(step, now)] = step
            # The extension awaits what is scheduled together before it schedules anything later; this timer, due at
            # once, keeps a long wait from holding back the other branches.
            self.under_way[self.context.create_timer(now + timedelta())] = ""
        else:
            progress["state"], progress["finished"] = "failed", now.isoformat()
            self.state = "failed" if self.state == "running" else self.state

    def begin_wait(self, step: str, now: datetime) -> Task:
        """Hand the step to a workflow of its own, whose history does not grow with the wait."""
        progress = self.steps[step]
        wait = Wait(
            step=step,
            request=self.request(step),
            deadlines=self.given["deadlines"],
            since=now.isoformat(),
            tries=progress["tries"],
            problem=progress["problem"],
        )
        return self.context.call_sub_orchestrator(
            "await_step", wait, wait_instance_id(self.context.instance_id, self.given["run"], step)
        )

    def take(self, task: Task) -> None:
        """Take in whatever has ended: an activity, a wait, or the timer that only wakes the workflow."""
        step = self.under_way.pop(task)
        if not step:
            return
        result = task.result
        if isinstance(result, BaseException):
            raise result
        progress = self.steps[step]
        if progress["state"] == "waiting":
            ended = cast("WaitResult", result)
            progress["tries"] = ended["tries"]
            self.settle(step, ended["outcome"])
        else:
            progress["tries"] += 1
            self.settle(step, cast("Outcome", result))

    def progress(self) -> Progress:
        """What the status endpoint shows."""
        return Progress(state=self.state, run=self.given["run"], steps=self.steps, facts=shown(self.facts))


def establish(context: OrchestrationContext) -> Workflow:
    """Connect one VNet to one project VPC.

    Input: `EstablishInput`. Output and custom status: `Progress`. A run never fails with an exception for what the
    remotes answer: it ends in the state `failed` with the problem at the step that met it.
    """
    given = cast("EstablishInput", context.get_input())
    peering = given["peering"]
    registry = EntityId(ENTITY, entity_key(peering["project"], peering["project_vpc_id"]))
    known = cast("Facts", (yield context.call_entity(registry, "begin", peering)))
    run = _Run(context, given, known)
    stop = context.wait_for_external_event(STOP)
    run.begin_ready_steps()
    while run.under_way:
        context.set_custom_status(run.progress())
        awaited = [*run.under_way, *([stop] if run.state == "running" else [])]
        ended = cast("Task", (yield context.task_any(awaited)))
        if ended is stop:
            run.state = "stopped"
        else:
            run.take(ended)
        run.begin_ready_steps()
    if run.state == "running":
        run.state = "connected" if all(is_needless(step, run.facts) for step in STEPS) else "failed"
    progress = run.progress()
    context.set_custom_status(progress)
    yield context.call_entity(
        registry, "end", {"id": peering["id"], "state": progress["state"], "facts": progress["facts"]}
    )
    return progress
