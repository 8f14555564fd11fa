"""An engine for one workflow that a test drives by hand: it answers every call at once, and moves the time itself."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class Done:
    """A task that has ended: `what` it was, and its result, or the error that it failed with."""

    what: str
    result: Any = None

    def cancel(self) -> None:
        """A timer that nobody waits for any more."""


def _no_event(tasks: Sequence[Done]) -> Done:
    return next(task for task in tasks if task.what != "event")


class ByHand:
    """The context of a workflow.

    Args:
        given: the workflow's input.
        activity: answers the calls of activities; what it raises is the error of the call.
        first: which of several tasks ends first; by default the first one that is no event.
    """

    def __init__(
        self,
        given: Any,  # noqa: ANN401 - any workflow's
        activity: Callable[[str, Any], Any],
        first: Callable[[Sequence[Done]], Done] | None = None,
    ) -> None:
        self.given, self.activity, self.first = given, activity, first or _no_event
        self.instance_id, self.current_utc_datetime = "instance", START
        self.deferred_tasks: dict[Any, Any] = {}
        self.calls: list[str] = []
        self.goes_on_with = deque[Any](maxlen=1)

    def get_input(self) -> Any:  # noqa: ANN401 - any workflow's
        """The workflow's input."""
        return self.given

    def call_activity(self, name: str, given: object) -> Done:
        """Call an activity."""
        self.calls.append(str(name))
        try:
            return Done(str(name), self.activity(str(name), given))
        except ConnectionError as error:
            return Done(str(name), error)

    def call_sub_orchestrator(self, name: str, given: object, instance_id: str) -> Done:
        """Call an orchestrator: `activity` answers it, too."""
        self.calls.append(str(name))
        return Done(instance_id, self.activity(str(name), given))

    def new_uuid(self) -> str:
        """Always the same one."""
        return str(UUID(int=1))

    def create_timer(self, fire_at: datetime) -> Done:
        """A timer, which is over at once."""
        self.current_utc_datetime = max(self.current_utc_datetime, fire_at)
        return Done("timer")

    def wait_for_external_event(self, _: str) -> Done:
        """An event that has not come."""
        return Done("event")

    def task_any(self, tasks: Sequence[Done]) -> Done:
        """The first of some tasks."""
        return Done("any", self.first(tasks))

    def set_custom_status(self, status: object) -> None:
        """Nobody looks."""

    def continue_as_new(self, given: object) -> None:
        """The workflow starts over."""
        self.goes_on_with.append(given)

    def run(self, workflow: Callable[[Any], Generator[Any, Any, Any]]) -> Any:  # noqa: ANN401 - any workflow's
        """Drive the workflow to its end; returns its output."""
        running = workflow(self)
        try:
            task = next(running)
            while True:
                result = task.result
                task = running.throw(result) if isinstance(result, BaseException) else running.send(result)
        except StopIteration as end:
            return end.value
