"""The part of Durable Functions' orchestration context that the workflows use, typed (the package ships no types)."""

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias


class Task(Protocol):
    """Something that the orchestrator waits for by yielding it."""

    @property
    def result(self) -> object:
        """What the task gave, or the exception it failed with."""
        ...

    def cancel(self) -> None:
        """Give a timer up."""
        ...


class OrchestrationContext(Protocol):
    """`azure.durable_functions.DurableOrchestrationContext`, as far as it is used here."""

    @property
    def instance_id(self) -> str:
        """The id of this orchestration instance."""
        ...

    @property
    def current_utc_datetime(self) -> datetime:
        """The replay-safe time."""
        ...

    def new_uuid(self) -> str:
        """An id that is the same at every replay, and another one in every execution."""
        ...

    def get_input(self) -> object:
        """The input that the instance was started with."""
        ...

    def call_activity(self, name: str, input_: object = None) -> Task:
        """Schedule an activity."""
        ...

    def call_sub_orchestrator(self, name: str, input_: object = None, instance_id: str | None = None) -> Task:
        """Start another orchestration and wait for it."""
        ...

    def create_timer(self, fire_at: datetime) -> Task:
        """A durable timer; nothing runs until it fires."""
        ...

    def task_any(self, tasks: Sequence[Task]) -> Task:
        """Completes with the first of the tasks."""
        ...

    def task_all(self, tasks: Sequence[Task]) -> Task:
        """Completes when all of the tasks have, with the list of their results."""
        ...

    def wait_for_external_event(self, name: str) -> Task:
        """Completes when a client raises an event of that name."""
        ...

    def set_custom_status(self, status: object) -> None:
        """What the status endpoint shows; at most 16 KB of JSON."""
        ...

    def continue_as_new(self, input_: object) -> None:
        """Start over with a new input and an empty history."""
        ...


#: A workflow: yields tasks, is sent their results, returns its output.
Workflow: TypeAlias = Generator[Task, object, object]
