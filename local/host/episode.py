"""One episode of an orchestration: its new messages, the SDK's answer, and the resulting state of the instance.

`begin` reads, `commit` writes; in between the app's own code runs. What arrives meanwhile stays for the next one.

Some behaviour is unfavourable because it is that of the genuine engine (Durable Task extension 3.19 on Azure Storage):

- A timer's wait is cut to whole seconds, as the delay of a queue message has whole seconds. It fires up to a second
  early, and at once when less than a second is left: so do the pauses of a retry policy.
- A sub-orchestration whose id belongs to a running one takes its place: the old execution ends without a trace, and
  a parent that awaits it never continues.
- An episode that calls a function that does not exist is never carried out. The instance stays Running.
- A custom status of more than 16 KB fails the orchestration before any of the episode's actions is carried out. (The
  extension counts whole KB and so refuses from 17 KB on; 16 KB is what is promised.)
"""

import json
import logging
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from local.host.history import EventType, HistoryEvent, event
from local.host.replay import (
    Decision,
    Exists,
    NonDeterministicError,
    Replay,
    ScheduleActivity,
    SendToEntity,
    StartSubOrchestration,
    StartTimer,
    UnknownFunctionError,
)
from local.host.task_hub import FINAL, Instance, Message, TaskHub, is_control

log: Final = logging.getLogger("local.host.episode")
#: Timers longer than this the SDK slices; the extension's own values.
_LONG_TIMERS: Final = {"longRunningTimerIntervalDuration": "3.00:00:00", "maximumShortTimerDuration": "6.00:00:00"}

_LARGEST_CUSTOM_STATUS: Final = 16 * 1024


@dataclass(frozen=True)
class Episode:
    """What an episode starts from. `fresh` are the events that are new in it."""

    instance: Instance
    taken: Sequence[Message]
    past: Sequence[str]
    fresh: Sequence[HistoryEvent]

    @property
    def context(self) -> str:
        """The orchestrator's context as JSON, as the extension hands it to the SDK."""
        history = "[" + ",".join([*self.past, *(json.dumps(new) for new in self.fresh)]) + "]"
        rest = {
            "instanceId": self.instance.id,
            "isReplaying": bool(self.past),
            "parentInstanceId": self.instance.parent,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
            **_LONG_TIMERS,
        }
        return f'{{"history":{history},"input":{self.instance.input or "null"},{json.dumps(rest)[1:]}'

    @property
    def history(self) -> list[HistoryEvent]:
        """All events, old and new."""
        return [*(json.loads(old) for old in self.past), *self.fresh]


def begin(hub: TaskHub, instance_id: str, now: datetime) -> Episode | None:
    """The next episode of an instance, or None when there is nothing for its code to do.

    Messages to an instance that has ended or to an earlier execution of it are dropped; a termination ends it at once;
    a suspended instance takes nothing but its resumption.
    """
    messages = hub.inbox(instance_id, now)
    if not messages:
        return None
    instance = hub.instance(instance_id)
    if instance is None or instance.status in FINAL:
        with hub.transaction():
            hub.drop_messages(messages)
        return None
    new = [m for m in messages if m.execution in (None, instance.execution)]
    termination = next((m.event for m in new if m.event["EventType"] == EventType.EXECUTION_TERMINATED), None)
    if termination is not None:
        _terminate(hub, instance, messages, termination, now)
        return None
    if _suspended(instance, new):
        _suspend(hub, instance, [m for m in new if is_control(m)], now)
        return None
    if not new:
        with hub.transaction():
            hub.drop_messages(messages)
        return None
    fresh = [event(EventType.ORCHESTRATOR_STARTED, now), *(_as_history(m.event) for m in new)]
    return Episode(instance, messages, hub.history(instance_id), fresh)


def _as_history(message: HistoryEvent) -> HistoryEvent:
    if message["EventType"] == EventType.TIMER_FIRED:
        return {**message, "Timestamp": message["FireAt"]}
    return message


def _suspended(instance: Instance, new: Sequence[Message]) -> bool:
    controls = [message.event["EventType"] for message in new if is_control(message)]
    return controls[-1] == EventType.EXECUTION_SUSPENDED if controls else instance.status == "Suspended"


def _suspend(hub: TaskHub, instance: Instance, controls: Sequence[Message], now: datetime) -> None:
    if controls:
        with hub.transaction():
            hub.drop_messages(controls)
            _append(hub, instance, [event(EventType.ORCHESTRATOR_STARTED, now), *(c.event for c in controls)], now)
            hub.update(instance.id, now, status="Suspended")


def _terminate(
    hub: TaskHub, instance: Instance, messages: Sequence[Message], termination: HistoryEvent, now: datetime
) -> None:
    with hub.transaction():
        hub.drop_messages(messages)
        _append(hub, instance, [event(EventType.ORCHESTRATOR_STARTED, now), termination], now)
        _finish(hub, instance, "Terminated", json.dumps(termination["Input"]), instance.custom, now)


def _append(hub: TaskHub, instance: Instance, events: Sequence[HistoryEvent], now: datetime) -> None:
    position = len(hub.history(instance.id))
    hub.append(instance.id, position, [*events, event(EventType.ORCHESTRATOR_COMPLETED, now)])


def fail(hub: TaskHub, episode: Episode, reason: str, now: datetime) -> None:
    """End the instance without what its code did in this episode. Runs inside a transaction."""
    hub.drop_messages(episode.taken)
    _append(hub, episode.instance, episode.fresh, now)
    output = json.dumps(f"Orchestrator function '{episode.instance.name}' failed: {reason}")
    _finish(hub, episode.instance, "Failed", output, episode.instance.custom, now)


def commit(hub: TaskHub, episode: Episode, answer: dict[str, Any], exists: Exists, now: datetime) -> None:
    """Make the SDK's answer count. Runs inside a transaction."""
    instance = episode.instance
    if excess := _excess_of_custom_status(answer):
        fail(hub, episode, excess, now)
        return
    try:
        replay = Replay(instance.id, instance.execution, episode.history, answer, exists)
    except NonDeterministicError as error:
        fail(hub, episode, str(error), now)
        return
    except UnknownFunctionError as error:
        log.warning("orchestrator=%s instance=%s can never go on: %s", instance.name, instance.id, error)
        hub.update(instance.id, now, status="Running")
        return
    hub.drop_messages(episode.taken)
    decided = [_carry_out(hub, instance, task, what, now) for task, what in sorted(replay.decisions.items())]
    custom = json.dumps(answer["customStatus"]) if "customStatus" in answer else instance.custom
    if replay.may_complete and replay.continue_as_new is not None and not answer.get("error"):
        _continue_as_new(hub, instance, replay, custom, now)
        return
    _append(hub, instance, [*episode.fresh, *decided], now)
    if replay.may_complete and answer.get("error"):
        reason = f"Orchestrator function '{instance.name}' failed: {answer['error']}"
        _finish(hub, instance, "Failed", json.dumps(reason), custom, now)
    elif replay.may_complete and answer.get("isDone"):
        _finish(hub, instance, "Completed", json.dumps(answer.get("output")), custom, now)
    else:
        hub.update(instance.id, now, status="Running", custom=custom)


def _excess_of_custom_status(answer: dict[str, Any]) -> str:
    """What is wrong with the size of the custom status, if anything."""
    compact = json.dumps(answer.get("customStatus"), separators=(",", ":"), ensure_ascii=False)
    size = len(compact.encode("utf-16-le", "surrogatepass"))
    if size <= _LARGEST_CUSTOM_STATUS:
        return ""
    return f"The custom status is {size / 1024:.1f} KB of JSON in UTF-16; more than 16 KB is not allowed."


def _carry_out(hub: TaskHub, instance: Instance, task: int, decision: Decision, now: datetime) -> HistoryEvent:
    match decision:
        case ScheduleActivity(name, given):
            hub.add_activity(instance.id, instance.execution, task, name, given)
            return event(EventType.TASK_SCHEDULED, now, task, Name=name, Version="", Input=given)
        case StartTimer(fire_at):
            created = event(EventType.TIMER_CREATED, now, task)
            fired = event(EventType.TIMER_FIRED, now, TimerId=task)
            created["FireAt"] = fired["FireAt"] = event(EventType.TIMER_FIRED, fire_at)["Timestamp"]
            delay = max(math.floor((fire_at - now).total_seconds()), 0)
            hub.post(instance.id, fired, instance.execution, now.timestamp() + delay)
            return created
        case StartSubOrchestration():
            return _start_sub_orchestration(hub, instance, task, decision, now)
        case SendToEntity(target, message):
            _, name, key = target.split("@", 2)
            hub.send(f"@{name.lower()}@{key}", {**message, "execution": instance.execution})
            return event(EventType.EVENT_SENT, now, task, InstanceId=target, Name="op", Input=json.dumps(message))


def _start_sub_orchestration(
    hub: TaskHub, parent: Instance, task: int, decision: StartSubOrchestration, now: datetime
) -> HistoryEvent:
    name, child = decision.name, decision.instance_id
    # The SDK sends the child's input as JSON text, and the extension serialises that text once more.
    given = json.dumps(decision.input)
    create(hub, child, name, given, decision.version, now, parent=(parent.id, parent.execution, task))
    fields = {"Name": name, "Version": decision.version or "", "InstanceId": child, "Input": decision.input}
    return event(EventType.SUB_ORCHESTRATION_INSTANCE_CREATED, now, task, **fields)


def create(
    hub: TaskHub,
    instance_id: str,
    name: str,
    given: str | None,
    version: str | None,
    now: datetime,
    *,
    parent: tuple[str, str, int] | tuple[None, None, None] = (None, None, None),
) -> None:
    """Start an instance, in place of an earlier one of the same id. Runs inside a transaction."""
    started = event(EventType.EXECUTION_STARTED, now)
    execution = uuid.uuid4().hex
    hub.clear(instance_id)
    at = started["Timestamp"]
    hub.put_instance(Instance(instance_id, execution, name, version, given, None, None, "Pending", at, at, *parent))
    hub.post(instance_id, {**started, "Name": name, "Version": version, "Input": given}, execution)


def _continue_as_new(hub: TaskHub, instance: Instance, replay: Replay, custom: str | None, now: datetime) -> None:
    """A new execution with an empty history; unread events come along, the old timers and answers do not."""
    given = json.dumps(replay.continue_as_new.get("input") if replay.continue_as_new else None)
    execution = uuid.uuid4().hex
    hub.clear(instance.id, messages=False)
    hub.drop_messages_of_executions(instance.id)
    waiting = hub.take_all_messages(instance.id)
    hub.put_instance(replace(instance, execution=execution, input=given, status="Running", custom=custom))
    hub.update(instance.id, now)
    started = event(EventType.EXECUTION_STARTED, now)
    hub.post(instance.id, {**started, "Name": instance.name, "Version": instance.version, "Input": given}, execution)
    for carried in replay.carried:
        hub.post(instance.id, carried)
    for message, due in waiting:
        hub.post(instance.id, message, None, due)


def _finish(
    hub: TaskHub, instance: Instance, status: str, output: str | None, custom: str | None, now: datetime
) -> None:
    """End an instance and answer its parent."""
    position = len(hub.history(instance.id))
    completed = event(EventType.EXECUTION_COMPLETED, now, OrchestrationStatus=status, Result=output)
    hub.append(instance.id, position, [completed])
    hub.update(instance.id, now, status=status, output=output, custom=custom)
    hub.take_all_messages(instance.id)
    if instance.parent is None:
        return
    if status == "Completed":
        kind, answer = EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED, {"Result": output}
    else:
        reason = json.loads(output) if output else status
        kind, answer = EventType.SUB_ORCHESTRATION_INSTANCE_FAILED, {"Reason": reason, "Details": None}
    ended = event(kind, now, TaskScheduledId=instance.parent_task, **answer)
    hub.post(instance.parent, ended, instance.parent_execution)
