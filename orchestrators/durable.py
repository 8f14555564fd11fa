"""The part of Durable Functions' orchestration context that the workflows use, typed (the package ships no types)."""

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias, TypeVar

from peering.calls import Activity, Orchestrator

Given = TypeVar("Given")
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Task(Protocol[Answer_co]):
    """Something that the orchestrator waits for by yielding it."""

    @property
    def result(self) -> Answer_co | BaseException:
        """The task's result, or the exception that it failed with."""
        ...

    def cancel(self) -> None:
        """Cancel a timer."""
        ...


#: A workflow, or a part of one: yields tasks, is sent their results, returns its answer.
Workflow: TypeAlias = Generator[Task[object], object, Answer]


class OrchestrationContext(Protocol):
    """`azure.durable_functions.DurableOrchestrationContext`, as far as all parts of a workflow use it."""

    @property
    def instance_id(self) -> str:
        """The id of this orchestration instance."""
        ...

    @property
    def deferred_tasks(self) -> dict[Any, Any]:
        """The events that arrived before a wait for their name."""
        ...

    @property
    def current_utc_datetime(self) -> datetime:
        """The replay-safe time."""
        ...

    def new_uuid(self) -> str:
        """An id that is the same at every replay, and another one in every execution."""
        ...

    def call_activity(self, name: Activity[Given, Answer], input_: Given) -> Task[Answer]:
        """Schedule an activity."""
        ...

    def call_sub_orchestrator(self, name: Orchestrator[Given, Answer], input_: Given, instance_id: str) -> Task[Answer]:
        """Start another orchestration and wait for it."""
        ...

    def create_timer(self, fire_at: datetime) -> Task[None]:
        """A durable timer; nothing runs until it fires."""
        ...

    def task_any(self, tasks: Sequence[Task[Answer]]) -> Task[Task[Answer]]:
        """Completes with the first of the tasks."""
        ...

    def wait_for_external_event(self, name: str) -> Task[object]:
        """Completes when a client raises an event of that name."""
        ...

    def set_custom_status(self, status: object) -> None:
        """What the status endpoint shows; at most 16 KB of JSON."""
        ...


class StartedWith(OrchestrationContext, Protocol[Given]):
    """The context of an orchestrator with its input."""

    def get_input(self) -> Given:
        """The input that the instance was started with."""
        ...

    def continue_as_new(self, input_: Given) -> None:
        """Start over with a new input and an empty history."""
        ...


def result_of(task: Task[Answer]) -> Generator[Task[object], Any, Answer]:
    """Wait for a task; returns its result.

    Raises:
        Exception: the call failed; the SDK raises a bare exception.
    """
    # Durable Functions sends it, of which the task alone knows the type.
    result: Answer = yield task
    return result


def at_once(context: OrchestrationContext) -> Task[None]:
    """A timer that is due immediately, to be awaited together with calls that may take long.

    The extension waits for the tasks that were scheduled together before it schedules later ones. With this timer among
    them, it continues immediately.
    """
    return context.create_timer(context.current_utc_datetime + timedelta())


def took_event(context: OrchestrationContext, name: str) -> None:
    """Mark an event as processed: the SDK passes an early event to every later wait for its name."""
    context.deferred_tasks.pop(name, None)
