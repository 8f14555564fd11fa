"""The events of an orchestration's history, as Durable Functions' engine hands them to the Python SDK.

Kinds, numbers and fields are those of DurableTask.Core's `HistoryEvent` and of what azure-functions-durable 1.7 reads.
"""

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final, TypeAlias

#: One event: `EventType`, `EventId`, `IsPlayed`, `Timestamp` and the fields of its kind.
HistoryEvent: TypeAlias = dict[str, Any]


class EventType(IntEnum):
    """The kinds of events, with the numbers that DurableTask.Core gives them."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_INSTANCE_CREATED = 7
    SUB_ORCHESTRATION_INSTANCE_COMPLETED = 8
    SUB_ORCHESTRATION_INSTANCE_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUE_AS_NEW = 16
    GENERIC_EVENT = 17
    HISTORY_STATE = 18
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


#: The activity that a `call_http` is carried out by; the host has it built in.
HTTP_ACTIVITY: Final = "BuiltIn::HttpActivity"


def timestamp(moment: datetime) -> str:
    """A moment as the history writes it: UTC with microseconds and a `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """A moment that the SDK or the history wrote; .NET writes seven digits of a second, Python reads six."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    digits = fraction[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{whole}.{digits}").replace(tzinfo=UTC)


def event(kind: EventType, moment: datetime, event_id: int = -1, /, **fields: object) -> HistoryEvent:
    """A new event of `kind` at `moment`."""
    return {
        "EventType": int(kind),
        "EventId": event_id,
        "IsPlayed": False,
        "Timestamp": timestamp(moment),
        **fields,
    }
