"""The pending durable timers of the genuine engine, known from the orchestrators' answers."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from local.host.history import EventType, parse_timestamp

#: The number of the action that restarts an orchestration.
_CONTINUE_AS_NEW: Final = 4


class PendingTimers:
    """The timers of every instance after its last episode."""

    def __init__(self) -> None:
        self._due: dict[str, list[datetime]] = {}

    def note(self, body: str, answer: str) -> None:
        """Record an episode's answer to its history."""
        given, state = json.loads(body), json.loads(answer)
        history = given.get("history") or []
        fired = {_moment(event["FireAt"]) for event in history if event["EventType"] == EventType.TIMER_FIRED}
        actions = [action for batch in state.get("actions") or [] for action in batch]
        over = state.get("isDone") or any(action.get("actionType") == _CONTINUE_AS_NEW for action in actions)
        self._due[given["instanceId"]] = [] if over else [due for due in _timers(actions) if due not in fired]

    def forget(self, instance_id: str) -> None:
        """An instance has been ended from outside."""
        self._due.pop(instance_id, None)

    def all(self) -> list[datetime]:
        """The times when they are due."""
        return [due for timers in self._due.values() for due in timers]


def _timers(value: object) -> Iterator[datetime]:
    if isinstance(value, list):
        for element in value:
            yield from _timers(element)
    elif isinstance(value, dict) and not value.get("isCanceled"):
        if isinstance(value.get("fireAt"), str):
            yield _moment(value["fireAt"])
        for element in value.values():
            yield from _timers(element)


def _moment(text: str) -> datetime:
    return parse_timestamp(text.replace("+00:00", "Z"))
