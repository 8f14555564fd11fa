"""What the Durable extension does with the SDK's answer: a pure function of an instance's history and that answer.

At each call the SDK returns every action since the start. The extension processes them in order, awaits each before the
next, and numbers the tasks by one counter. DurableTask.Core compares what is scheduled with the history and reports
what is new. (Sources: azure-functions-durable-extension, `OutOfProcOrchestrationShim`; DurableTask.Core.)
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from local.host.history import HTTP_ACTIVITY, EventType, HistoryEvent, parse_timestamp

_EVENT_IDS: Final = uuid.UUID("5c0f6ac5-6a55-4c3e-9f2c-0f7d5a1f2a90")


class NonDeterministicError(Exception):
    """The orchestrator did not repeat what its history says that it did."""


class UnknownFunctionError(Exception):
    """The orchestrator called an activity or an orchestration that does not exist."""


@dataclass(frozen=True)
class ScheduleActivity:
    """Run an activity."""

    name: str
    input: str | None


@dataclass(frozen=True)
class StartSubOrchestration:
    """Start another orchestration."""

    name: str
    input: str | None
    instance_id: str
    version: str | None


@dataclass(frozen=True)
class StartTimer:
    """Fire a timer at a moment."""

    fire_at: datetime


@dataclass(frozen=True)
class SendToEntity:
    """Send an entity an operation; `message` is what the entity gets."""

    target: str
    message: dict[str, Any]


Decision = ScheduleActivity | StartSubOrchestration | StartTimer | SendToEntity
#: Whether an activity or an orchestration of a name exists.
Exists = Callable[[Literal["activity", "orchestration"], str], bool]

_CONFIRMED_BY: Final[dict[EventType, type]] = {
    EventType.TASK_SCHEDULED: ScheduleActivity,
    EventType.SUB_ORCHESTRATION_INSTANCE_CREATED: StartSubOrchestration,
    EventType.TIMER_CREATED: StartTimer,
    EventType.EVENT_SENT: SendToEntity,
}
_ENDED_BY: Final = {
    EventType.TASK_COMPLETED: ("TaskScheduledId", False),
    EventType.TASK_FAILED: ("TaskScheduledId", True),
    EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED: ("TaskScheduledId", False),
    EventType.SUB_ORCHESTRATION_INSTANCE_FAILED: ("TaskScheduledId", True),
    EventType.TIMER_FIRED: ("TimerId", False),
}


@dataclass(eq=False)
class _Task:
    """Something awaited; notifies its callers when it has ended."""

    done: bool = False
    failed: bool = False
    asked: list[Callable[["_Task"], None]] = field(default_factory=list)

    def finish(self, *, failed: bool = False) -> None:
        if not self.done:
            self.done, self.failed = True, failed
            for tell in self.asked:
                tell(self)

    def then(self, tell: Callable[["_Task"], None]) -> None:
        if self.done:
            tell(self)
        else:
            self.asked.append(tell)


class Replay:
    """One walk through an instance's history with the SDK's answer to it.

    Args:
        instance_id: the instance.
        execution_id: its execution; continue-as-new makes a new one.
        history: all events, old and new.
        answer: what the SDK returned, decoded.
        exists: which functions the app has.

    Raises:
        NonDeterministicError: see there.
        UnknownFunctionError: see there.
    """

    def __init__(
        self,
        instance_id: str,
        execution_id: str,
        history: Sequence[HistoryEvent],
        answer: dict[str, Any],
        exists: Exists,
    ) -> None:
        self._instance_id, self._execution_id, self._exists = instance_id, execution_id, exists
        self._actions: list[dict[str, Any]] = [action for group in answer.get("actions", []) for action in group]
        self._next_id = 0
        self._now: datetime | None = None
        self._open: dict[int, _Task] = {}
        self._pending: dict[int, Decision] = {}
        self._waiting: defaultdict[str, list[_Task]] = defaultdict(list)
        self._early: defaultdict[str, int] = defaultdict(int)
        self._driver: Iterator[_Task] = iter(())
        self._finished = False
        #: The continue-as-new action, when the orchestrator asked for it, and the events that came after.
        self.continue_as_new: dict[str, Any] | None = None
        self.carried: list[HistoryEvent] = []
        for past in history:
            self._take(past)

    @property
    def decisions(self) -> dict[int, Decision]:
        """What is new, by task id: everything that the history does not hold yet."""
        return self._pending

    @property
    def may_complete(self) -> bool:
        """Whether the instance may end: not with an activity, sub-orchestration or uncancelled timer open."""
        return self._finished and not self._open

    # Actions become tasks.

    def _schedule(self, decision: Decision) -> _Task:
        task, task_id = _Task(), self._next_id
        self._next_id += 1
        self._pending[task_id] = decision
        self._open[task_id] = task
        return task

    def _activity(self, action: dict[str, Any]) -> _Task:
        name = action["functionName"]
        if not self._exists("activity", name):
            raise UnknownFunctionError(f"there is no activity {name}")
        return self._schedule(ScheduleActivity(name, action.get("input")))

    def _sub_orchestration(self, action: dict[str, Any]) -> _Task:
        name = action["functionName"]
        if not self._exists("orchestration", name):
            raise UnknownFunctionError(f"there is no orchestrator {name}")
        instance_id = action.get("instanceId") or f"{self._execution_id}:{self._next_id:x}"
        return self._schedule(StartSubOrchestration(name, action.get("input"), instance_id, action.get("version")))

    def _timer(self, action: dict[str, Any]) -> _Task:
        task_id = self._next_id
        task = self._schedule(StartTimer(parse_timestamp(action["fireAt"])))
        if action.get("isCanceled"):
            del self._open[task_id]
            task.finish()
        return task

    def _http(self, action: dict[str, Any]) -> _Task:
        return self._schedule(ScheduleActivity(HTTP_ACTIVITY, json.dumps(action["httpRequest"])))

    def _retry(self, begin: Callable[[dict[str, Any]], _Task], action: dict[str, Any]) -> _Task:
        """Attempts with timers between; after the last failure comes one more timer, due at once, as in DTFx."""
        whole, options, attempts = _Task(), action["retryOptions"], 0
        pause = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])

        def ended(attempt: _Task) -> None:
            nonlocal attempts
            attempts += 1
            if not attempt.failed:
                whole.finish()
            elif attempts >= options["maxNumberOfAttempts"]:
                self._schedule(StartTimer(self._time())).then(lambda _: whole.finish(failed=True))
            else:
                self._schedule(StartTimer(self._time() + pause)).then(lambda _: begin(action).then(ended))

        begin(action).then(ended)
        return whole

    def _time(self) -> datetime:
        if self._now is None:
            raise NonDeterministicError("the history does not begin with an OrchestratorStarted event")
        return self._now

    def _entity(self, action: dict[str, Any], *, signal: bool) -> str:
        message_id = str(uuid.uuid5(_EVENT_IDS, f"{self._execution_id}:{self._next_id}"))
        message = {"op": action["operation"], "signal": signal, "id": message_id, "parent": self._instance_id}
        if action.get("input") is not None:
            # The extension serialises the JSON text that the SDK sends once more.
            message["input"] = json.dumps(action["input"])
        self._pending[self._next_id] = SendToEntity(action["instanceId"], message)
        self._next_id += 1
        return message_id

    def _call_entity(self, action: dict[str, Any]) -> _Task:
        return self._event(self._entity(action, signal=False))

    def _signal_entity(self, action: dict[str, Any]) -> _Task:
        self._entity(action, signal=True)
        return _Task(done=True)

    def _event(self, name: str) -> _Task:
        if self._early[name]:
            self._early[name] -= 1
            return _Task(done=True)
        task = _Task()
        self._waiting[name].append(task)
        return task

    def _continue(self, action: dict[str, Any]) -> _Task:
        self.continue_as_new = action
        return _Task(done=True)

    def _compound(self, action: dict[str, Any], *, every: bool) -> _Task:
        parts, whole = [self._begin(part) for part in action["compoundActions"]], _Task()
        left = len(parts) if every else min(1, len(parts))
        if not left:
            whole.finish()

        def ended(_: _Task) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                whole.finish()

        for part in parts:
            part.then(ended)
        return whole

    def _begin(self, action: dict[str, Any]) -> _Task:
        kinds: dict[int, Callable[[dict[str, Any]], _Task]] = {
            0: self._activity,
            1: lambda a: self._retry(self._activity, a),
            2: self._sub_orchestration,
            3: lambda a: self._retry(self._sub_orchestration, a),
            4: self._continue,
            5: self._timer,
            6: lambda a: self._event(a["externalEventName"]),
            7: self._call_entity,
            8: self._http,
            9: self._signal_entity,
            11: lambda a: self._compound(a, every=False),
            12: lambda a: self._compound(a, every=True),
        }
        kind = action["actionType"]
        if kind not in kinds:
            raise NonDeterministicError(f"the action type {kind} is not known")
        return kinds[kind](action)

    def _pump(self, _: _Task | None = None) -> None:
        for task in self._driver:
            if not task.done:
                task.asked.append(self._pump)
                return
        self._finished = True

    # Events end tasks.

    def _take(self, past: HistoryEvent) -> None:
        kind = EventType(past["EventType"])
        if kind is EventType.ORCHESTRATOR_STARTED:
            self._now = parse_timestamp(past["Timestamp"])
        elif kind is EventType.EXECUTION_STARTED:
            self._driver = (self._begin(action) for action in self._actions)
            self._pump()
        elif kind in _CONFIRMED_BY:
            self._confirm(past, _CONFIRMED_BY[kind])
        elif kind in _ENDED_BY:
            key, failed = _ENDED_BY[kind]
            if task := self._open.pop(past[key], None):
                task.finish(failed=failed)
        elif kind is EventType.EVENT_RAISED:
            self._raise(past)

    def _raise(self, raised: HistoryEvent) -> None:
        if self.continue_as_new is not None:
            self.carried.append(raised)
        elif self._waiting[raised["Name"]]:
            self._waiting[raised["Name"]].pop().finish()
        else:
            self._early[raised["Name"]] += 1

    def _confirm(self, past: HistoryEvent, kind: type) -> None:
        decision = self._pending.pop(past["EventId"], None)
        same_name = not isinstance(decision, ScheduleActivity) or decision.name.lower() == past["Name"].lower()
        if not isinstance(decision, kind) or not same_name:
            raise NonDeterministicError(
                f"Non-Deterministic workflow detected: the history has {EventType(past['EventType']).name}"
                f" '{past.get('Name', '')}' with sequence ID {past['EventId']}, this replay {type(decision).__name__}."
            )
