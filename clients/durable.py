"""The part of Durable Functions' client that the app uses, typed (the package ships no types)."""

from datetime import datetime
from typing import Final, Protocol


class RuntimeStatus(Protocol):
    """The runtime status of an instance, an enumeration."""

    @property
    def name(self) -> str:
        """Its name, such as `Running`."""
        ...


class OrchestrationStatus(Protocol):
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
        """How far the engine is with it."""
        ...

    @property
    def custom_status(self) -> object:
        """What the orchestration says of itself."""
        ...

    @property
    def input_(self) -> object:
        """What it was started with."""
        ...

    @property
    def created_time(self) -> datetime | None:
        """When it was started."""
        ...

    @property
    def last_updated_time(self) -> datetime | None:
        """When it last changed."""
        ...


class EntityState(Protocol):
    """`azure.durable_functions.models.EntityStateResponse`."""

    @property
    def entity_exists(self) -> bool:
        """Whether the entity has a state."""
        ...

    @property
    def entity_state(self) -> object:
        """Its state, decoded."""
        ...


class DurableClient(Protocol):
    """`azure.durable_functions.DurableOrchestrationClient`, as far as it is used here."""

    async def start_new(
        self, orchestration_function_name: str, instance_id: str | None = None, client_input: object = None
    ) -> str:
        """Start an orchestration; raises Exception when the id belongs to one that runs."""
        ...

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> OrchestrationStatus:
        """How an instance stands."""
        ...

    async def raise_event(self, instance_id: str, event_name: str, event_data: object = None) -> None:
        """Send an instance an event; raises Exception when there is no such instance, or it has ended."""
        ...

    async def signal_entity(self, entityId: object, operation_name: str, operation_input: object = None) -> None:  # noqa: N803 - the SDK's name
        """Send an entity an operation without waiting."""
        ...

    async def read_entity_state(self, entityId: object) -> EntityState:  # noqa: N803 - the SDK's name
        """The state of an entity."""
        ...


_RUNNING: Final = frozenset({"Running", "Pending", "ContinuedAsNew", "Suspended"})


def is_running(status: OrchestrationStatus) -> bool:
    """Whether an instance is under way."""
    return status.runtime_status is not None and status.runtime_status.name in _RUNNING


async def start_unless_running(client: DurableClient, function: str, instance_id: str, given: object) -> bool:
    """Start an orchestration under an id; False when one of that id is running already.

    Raises:
        Exception: the engine refused for another reason.
    """
    try:
        await client.start_new(function, instance_id, given)
    except Exception:
        # The SDK raises a bare exception; only the engine is right about a run that somebody started meanwhile.
        if is_running(await client.get_status(instance_id)):
            return False
        raise
    return True
