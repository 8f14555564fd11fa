"""Takes a failed instance back to before its failures."""

import json
from datetime import datetime
from typing import Final

from local.host.history import EventType, event
from local.host.task_hub import Instance, TaskHub

_FAILURES: Final = (EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED)


def rewind(hub: TaskHub, instance: Instance, reason: str | None, now: datetime) -> None:
    """Take an instance, and the failed ones below it, back to before its failures. Runs inside a transaction."""
    events = [json.loads(text) for text in hub.history(instance.id)]
    failed = {past["TaskScheduledId"] for past in events if past["EventType"] in _FAILURES}
    kept = []
    for past in events:
        if past["EventType"] in (*_FAILURES, EventType.EXECUTION_COMPLETED):
            continue
        if past["EventType"] == EventType.TASK_SCHEDULED and past["EventId"] in failed:
            continue
        if past["EventType"] == EventType.SUB_ORCHESTRATION_INSTANCE_CREATED and past["EventId"] in failed:
            child = hub.instance(past["InstanceId"])
            if child is not None:
                rewind(hub, child, reason, now)
        kept.append(past)
    hub.clear(instance.id, messages=False)
    hub.append(instance.id, 0, kept)
    hub.update(instance.id, now, status="Running", output=None)
    hub.post(instance.id, event(EventType.GENERIC_EVENT, now, Data=f"rewind: {reason}"))
