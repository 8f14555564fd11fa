"""The genuine engine behind a host: its processes, the worker that they call, and their management API."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.genuine.engine_process import EngineProcess, PortTakenError
from local.genuine.hostile_calls import HostileCalls, instance_of
from local.genuine.idle_time import IdleTime
from local.genuine.management_api import ManagementApi
from local.genuine.pending_starts import stand_pending
from local.genuine.pending_timers import PendingTimers
from local.genuine.worker_calls import Interceptor, WorkerCall, WorkerCalls
from local.host.client_binding import client_binding
from local.host.durable_engine import EngineSite
from local.host.http_server import HttpServer

_KINDS: Final = ("orchestration", "activity", "entity")
#: A task hub for one machine and few instances, whose queues are polled often.
_OPTIONS: Final = ("storageProvider:maxQueuePollingInterval=00:00:00.100", "storageProvider:partitionCount=1")
#: Two engines that start at the same moment may choose the same port.
_MOST_STARTS: Final = 5


@dataclass(frozen=True)
class EngineSettings:
    """How to start an engine: its program, its storage, and the environment that gives it the shared clock."""

    program: str
    storage: str
    environment: Mapping[str, str]


class GenuineEngine:
    """The Durable Task extension, with a task hub for each place that a host keeps its state in."""

    def __init__(self, settings: EngineSettings, site: EngineSite) -> None:
        self._settings, self._site = settings, site
        # The same app in the same place finds its task hub again.
        self.task_hub = f"t{uuid.uuid5(uuid.NAMESPACE_URL, str(site.state_directory)).hex[:12]}"
        self.processes: list[EngineProcess] = []
        self._timers = PendingTimers()
        self._calls = WorkerCalls(site.worker, self._answered, self._lost)
        self._calls.intercept = self._hostile = HostileCalls(site.hostility)
        self._calls.second_after = self._hostile.second_after
        self._server = HttpServer()
        self._api = ManagementApi(site.hostility, self._stand_pending, self._timers.forget)
        self.time = IdleTime(
            *(site.clock, self._calls, lambda: self._api.changes), timers=self._timers.all, trigger=self._trigger_due
        )

    @property
    def routes(self) -> list[Route]:
        """Where the SDK reaches the engine."""
        return self._api.routes

    async def start(self) -> None:
        """Start one process of the engine."""
        await self._server.start(self._calls.routes)
        await asyncio.to_thread(self.launch)
        self.time.start()

    async def stop(self) -> None:
        """End the engine's processes."""
        await self.time.stop()
        for process in self.processes:
            await asyncio.to_thread(process.kill)
        await self._server.stop()
        await self._api.close()

    async def serve(self, request: Request) -> Response:
        """Answer a request to the management API."""
        return await self._api.serve(request)

    def hold_time(self) -> AbstractContextManager[None]:
        """Keep a virtual clock from being moved while work outside the engine is in progress."""
        return self.time.hold()

    def intercept(self, interceptor: Interceptor) -> None:
        """From now on, let an interceptor decide about every call of the worker, instead of the host's hostility."""
        self._calls.intercept = interceptor

    def launch(self, host_name: str = "") -> EngineProcess:
        """Start a further process on the same task hub; returns when it is ready. The client uses it from now on.

        Raises:
            RuntimeError: it did not start.
        """
        app = self._site.worker.app
        names = {kind: [function.durable_name for function in app.of_kind(kind)] for kind in _KINDS}
        functions = self._site.state_directory / "functions.json"
        functions.write_text(json.dumps(names))
        for _ in range(_MOST_STARTS - 1):
            with suppress(PortTakenError):
                return self._launch(functions, host_name)
        return self._launch(functions, host_name)

    def _launch(self, functions: Path, host_name: str) -> EngineProcess:
        command = [
            *(self._settings.program, str(self._site.worker.app.directory / "host.json"), str(functions)),
            *(self._server.url, f"hubName={self.task_hub}", *_OPTIONS),
        ]
        environment = {
            **self._settings.environment,
            "AzureWebJobsStorage": self._settings.storage,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "Logging__LogLevel__Microsoft.AspNetCore": "Warning",
        }
        process = EngineProcess(command, environment, self._site.state_directory / "engine.log", host_name)
        self._use(process)
        self.processes.append(process)
        return process

    def kill(self, process: EngineProcess) -> None:
        """`kill -9` of one process; the client uses another one, if there is one."""
        process.kill()
        self.processes.remove(process)
        if self.processes:
            self._use(self.processes[-1])

    def _use(self, process: EngineProcess) -> None:
        site, self._api.engine = self._site, json.loads(process.binding())["rpcBaseUrl"].rstrip("/")
        rpc = f"{site.url}{self._api.path}/"
        site.worker.client_binding = client_binding(site.url, self.task_hub, site.keys.system, rpc)

    def _answered(self, call: WorkerCall, answer: str) -> None:
        if call.kind == "orchestration":
            self._timers.note(call.body, answer)
            self._hostile.answered(call, answer)

    @property
    def has_timers(self) -> bool:
        """Whether a durable timer is pending, by the orchestrators' answers."""
        now = self._site.clock.now()
        return any(due > now for due in self._timers.all())

    def _lost(self, call: WorkerCall) -> None:
        # An orchestration that loses an episode has failed.
        if call.kind == "orchestration":
            self._timers.forget(instance_of(call))
            self._hostile.lost(call)

    def _stand_pending(self, name: str, identity: str) -> None:
        stand_pending(self._settings.storage, self.task_hub, name, identity, self._site.clock.now())

    def _trigger_due(self) -> datetime | None:
        return self._site.trigger_due() if self._site.trigger_due is not None else None
