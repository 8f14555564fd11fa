"""The part of Durable Functions' client that the app uses, typed (the package ships no types)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from peering.calls import Orchestrator

Given = TypeVar("Given")
Told = TypeVar("Told", covariant=True)


class RuntimeStatus(Protocol):
    """The runtime status of an instance, an enumeration."""

    @property
    def name(self) -> str:
        """Its name, such as `Running`."""
        ...


class OrchestrationStatus(Protocol[Told]):
    """`azure.durable_functions.models.DurableOrchestrationStatus`; without an instance, every part is None."""

    @property
    def instance_id(self) -> str | None:
        """The instance's id."""
        ...

    @property
    def name(self) -> str | None:
        """The name of its orchestrator function."""
        ...

    @property
    def runtime_status(self) -> RuntimeStatus | None:
        """The status of its execution."""
        ...

    @property
    def custom_status(self) -> Told | None:
        """The custom status that the orchestrator has set."""
        ...

    @property
    def input_(self) -> object:
        """Its input."""
        ...

    @property
    def last_updated_time(self) -> datetime | None:
        """When it last changed."""
        ...


class EntityId(Protocol):
    """`azure.durable_functions.EntityId`."""

    name: str
    key: str


class EntityState(Protocol[Told]):
    """`azure.durable_functions.models.EntityStateResponse`; without an entity its state is None."""

    @property
    def entity_state(self) -> Told | None:
        """The state, decoded."""
        ...


class DurableClient(Protocol):
    """`azure.durable_functions.DurableOrchestrationClient`, as far as it is used here."""

    async def start_new(
        self, orchestration_function_name: Orchestrator[Given, object], instance_id: str | None, client_input: Given
    ) -> str:
        """Start an orchestration; raises Exception if one with this id is running."""
        ...

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> OrchestrationStatus[Any]:
        """The status of an instance; the caller knows the type of its custom status."""
        ...

    async def raise_event(self, instance_id: str, event_name: str, event_data: object = None) -> None:
        """Send an instance an event; raises Exception when there is no such instance, or it has ended."""
        ...

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Terminate an instance in any state; raises Exception if there is no such instance."""
        ...

    async def get_status_by(
        self, created_time_from: datetime | None, created_time_to: datetime | None, runtime_status: Sequence[object]
    ) -> list[OrchestrationStatus[Any]]:
        """The instances that were created in a time and are in one of some states."""
        ...

    async def read_entity_state(self, entity_id: EntityId) -> EntityState[Any]:
        """The state of an entity, which may be slightly stale; the caller knows its shape."""
        ...

    async def purge_instance_history(self, instance_id: str) -> object:
        """Delete what the engine keeps of an instance that has ended."""
        ...


_RUNNING: Final = frozenset({"Running", "Pending", "ContinuedAsNew", "Suspended"})


def is_running(status: OrchestrationStatus[object]) -> bool:
    """Whether an instance is running."""
    return status.runtime_status is not None and status.runtime_status.name in _RUNNING


#: How often a terminated instance is polled, and the seconds between two polls.
_LOOKS_AT_END: Final = 20
_PAUSE: Final = 0.25
#: How often a start is tried that is refused although no instance is running.
_STARTS: Final = 3


async def end_instance(client: DurableClient, instance_id: str, reason: str) -> bool:
    """End an instance, and wait some seconds until it has; returns whether it has."""
    await client.terminate(instance_id, reason)
    for _ in range(_LOOKS_AT_END):
        if not is_running(await client.get_status(instance_id)):
            return True
        await asyncio.sleep(_PAUSE)
    return False


async def start_unless_running(
    client: DurableClient, function: Orchestrator[Given, object], instance_id: str, given: Given
) -> bool:
    """Start an orchestration under an id; False when one of that id is running already.

    Raises:
        Exception: the engine refused for another reason.
    """
    for _ in range(_STARTS):
        try:
            await client.start_new(function, instance_id, given)
        except Exception as error:  # the SDK raises a bare exception
            # Another caller may have started the instance meanwhile; an ended instance is no reason for a refusal.
            if is_running(await client.get_status(instance_id)):
                return False
            failure = error
        else:
            return True
    raise failure
