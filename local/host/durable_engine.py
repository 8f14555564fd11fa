"""The interface between a host and its engine, so that the genuine engine can replace the embedded one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.host.hostility import Hostility
from local.host.keys import Keys
from local.host.task_hub import TaskHub
from local.host.worker import Worker


@dataclass(frozen=True)
class EngineSite:
    """What a host provides to its engine.

    Attributes:
        worker: the loaded app; the engine sets its client binding.
        hub: the host's file.
        clock: the time to live by.
        url: where the host answers.
        keys: the host's keys.
        state_directory: where the engine may keep files.
        trigger_due: when the next timer trigger is due that something waits for, if anything does; None when nothing
            ever does.
        hostility: what the host does to the app.
    """

    worker: Worker
    hub: TaskHub
    clock: Clock
    url: str
    keys: Keys
    state_directory: Path
    trigger_due: Callable[[], datetime | None] | None
    hostility: Hostility


class DurableEngine(Protocol):
    """Runs an app's orchestrators, activities and entities, and answers Durable's HTTP API."""

    @property
    def routes(self) -> list[Route]:
        """The engine's own routes on the host's address, in addition to the management API."""
        ...

    @property
    def has_timers(self) -> bool:
        """Whether a durable timer is pending, as far as the engine knows."""
        ...

    async def start(self) -> None:
        """Begin to run what the task hub holds."""
        ...

    async def stop(self) -> None:
        """Stop; the task hub keeps what was under way."""
        ...

    async def serve(self, request: Request) -> Response:
        """Answer a request to the management API; `rest` in its path parameters is the path below the API's base."""
        ...

    def hold_time(self) -> AbstractContextManager[None]:
        """Keep a virtual clock from being moved while work outside the engine is in progress."""
        ...


#: Makes a host's engine.
EngineFactory: TypeAlias = Callable[[EngineSite], DurableEngine]
