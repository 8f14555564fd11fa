"""One run over a table of steps: every step whose needs are met runs at once, a step that cannot be done yet waits.

Every operation on a peering is such a run, under the peering's id as its instance id: the engine refuses a second one
while one is under way, so the operations of a peering exclude one another.
"""

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from azure.durable_functions import EntityId

from orchestrators.durable import OrchestrationContext, Task
from orchestrators.progress import Progress, RunState, StepProgress, shown
from orchestrators.waiting import Wait, WaitResult, may_clear
from peering.outcome import Facts, Occurrence, Outcome, StepRequest
from peering.plan import Operation, Step, is_needless, ready
from peering.registry import ENTITY, Beginning, Ending, RunOf, entity_key
from peering.runs import STOP, RunInput, wait_instance_id
from peering.spec import Peering

#: Facts that tell the steps of a run something about the run itself.
OF_THE_RUN: Final = frozenset({"repairing"})
#: What a run yields to Durable Functions until it has ended.
Running = Generator[Task, object, None]


class Run:
    """The state of one run, rebuilt at every replay.

    Args:
        context: Durable's orchestration context.
        given: the run's input.
        operation: what kind of run it is.
        steps: its table.
    """

    def __init__(
        self, context: OrchestrationContext, given: RunInput, operation: Operation, steps: Sequence[Step]
    ) -> None:
        self.context, self.given, self.operation, self.table = context, given, operation, steps
        self.known, self.facts = Facts(), Facts()
        self.steps: dict[str, StepProgress] = {}
        self.state: RunState = "running"
        self._by_name = {step.name: step for step in steps}
        self._under_way: dict[Task, str] = {}

    @property
    def peering(self) -> Peering:
        """The peering that the run works on."""
        return self.given["peering"]

    @property
    def registry(self) -> EntityId:
        """The entity that keeps the peering."""
        return EntityId(ENTITY, entity_key(self.peering["project"], self.peering["project_vpc_id"]))

    @property
    def is_complete(self) -> bool:
        """Whether all that the table yields is known."""
        return all(is_needless(step, self.facts) for step in self.table)

    @property
    def problem(self) -> Occurrence | None:
        """The problem that ended the run."""
        failed = (step["problem"] for step in self.steps.values() if step["state"] == "failed")
        return next(failed, None)

    def begin(self) -> Running:
        """Tell the registry that the run begins; `known` holds what earlier runs found out.

        A run that comes too late, because the peering was removed or changed since it was asked for, is stopped.
        """
        beginning = Beginning(
            peering=self.peering,
            operation=self.operation,
            run=self.given["run"],
            by=self.given["by"],
            at=self.context.current_utc_datetime.isoformat(),
            codes=self.given.get("codes", []),
        )
        if "revision" in self.given:
            beginning["revision"] = self.given["revision"]
        known = yield self.context.call_entity(self.registry, "begin", beginning)
        self.known = cast("Facts", known or {})
        if known is None:
            self.state = "stopped"

    def drive(self, facts: Facts) -> Running:
        """Run the table from these facts on, until it is complete, a step has failed, or the run is stopped."""
        self.facts = dict(facts)
        stop = self.context.wait_for_external_event(STOP)
        self._begin_ready_steps()
        while self._under_way:
            self.report()
            awaited = [*self._under_way, *([stop] if self.state == "running" else [])]
            ended = cast("Task", (yield self.context.task_any(awaited)))
            if ended is stop:
                self.state = "stopping"
            else:
                self._take(ended)
            self._begin_ready_steps()
        if self.state == "stopping":
            self.state = "stopped"

    def end(self) -> Running:
        """Tell the registry how the run ended."""
        ending = Ending(
            id=self.peering["id"],
            run=self.given["run"],
            state=self.state,
            facts={name: value for name, value in self.facts.items() if name not in OF_THE_RUN},
            at=self.context.current_utc_datetime.isoformat(),
        )
        if (problem := self.problem) is not None:
            ending["problem"] = problem
        self.report()
        yield self.context.call_entity(self.registry, "end", ending)

    def report(self) -> None:
        """Show how the run stands."""
        self.context.set_custom_status(self.progress())

    def progress(self) -> Progress:
        """What the status endpoint shows."""
        return Progress(
            operation=self.operation,
            state=self.state,
            run=self.given["run"],
            steps=self.steps,
            facts=shown(self.facts),
        )

    def _request(self, step: str) -> StepRequest:
        """The input of a step's activity: only the facts that it needs, or that an earlier run found out."""
        table = self._by_name[step]
        recalled = {name: self.known[name] for name in (*table.yields, *table.recalls) if name in self.known}
        gathered = {name: self.facts[name] for name in (*table.recalls, *table.needs) if name in self.facts}
        return StepRequest(peering=self.peering, facts=recalled | gathered)

    def _begin_ready_steps(self) -> None:
        """Schedule every step whose needs are met, unless the run is ending."""
        if self.state != "running":
            return
        for step in ready(self.table, self.facts, self.steps):
            now = self.context.current_utc_datetime
            self.steps[step.name] = StepProgress(state="running", started=now.isoformat(), tries=0)
            self._under_way[self.context.call_activity(step.name, self._request(step.name))] = step.name

    def _settle(self, step: str, outcome: Outcome) -> None:
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

    def _settle_problem(self, step: str, problem: Occurrence) -> None:
        """Wait for a problem that may clear; end the run with one that stays."""
        progress, now = self.steps[step], self.context.current_utc_datetime
        progress["problem"] = problem
        if may_clear(problem) and "gave_up_after" not in problem:
            progress["state"] = "waiting"
            self._under_way[self._begin_wait(step, now)] = step
            # The extension awaits what is scheduled together before it schedules anything later; this timer, due at
            # once, keeps a long wait from holding back the other branches.
            self._under_way[self.context.create_timer(now + timedelta())] = ""
        else:
            progress["state"], progress["finished"] = "failed", now.isoformat()
            self.state = "failed" if self.state == "running" else self.state

    def _begin_wait(self, step: str, now: datetime) -> Task:
        """Hand the step to a workflow of its own, whose history does not grow with the wait."""
        progress = self.steps[step]
        key = entity_key(self.peering["project"], self.peering["project_vpc_id"])
        wait = Wait(
            run=RunOf(key=key, id=self.peering["id"], run=self.given["run"]),
            step=step,
            request=self._request(step),
            deadlines=self.given["deadlines"],
            since=now.isoformat(),
            tries=progress["tries"],
            problem=progress["problem"],
        )
        return self.context.call_sub_orchestrator(
            "await_step", wait, wait_instance_id(self.context.instance_id, self.given["run"], step)
        )

    def _take(self, task: Task) -> None:
        """Take in whatever has ended: an activity, a wait, or the timer that only wakes the workflow."""
        step = self._under_way.pop(task)
        if not step:
            return
        result = task.result
        if isinstance(result, BaseException):
            raise result
        progress = self.steps[step]
        if progress["state"] == "waiting":
            ended = cast("WaitResult", result)
            progress["tries"] = ended["tries"]
            self._settle(step, ended["outcome"])
        else:
            progress["tries"] += 1
            self._settle(step, cast("Outcome", result))
