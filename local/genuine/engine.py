"""The genuine engine behind a host: its processes, the worker that they call, and their management API."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.genuine.engine_process import EngineProcess
from local.genuine.idle_time import IdleTime
from local.genuine.pending_timers import PendingTimers
from local.genuine.worker_calls import Interceptor, WorkerCall, WorkerCalls
from local.host.client_binding import client_binding
from local.host.durable_engine import EngineSite
from local.host.http_server import HttpServer

#: What is said to a host and not to the engine.
_OF_THE_HOST: Final = frozenset({"code", "taskHub", "connection"})
_PASSED_ON: Final = ("content-type", "location", "retry-after", "x-ms-continuation-token")
_KINDS: Final = ("orchestration", "activity", "entity")
#: A task hub for one machine and few instances, whose queues are looked at often.
_OPTIONS: Final = ("storageProvider:maxQueuePollingInterval=00:00:00.100", "storageProvider:partitionCount=1")


@dataclass(frozen=True)
class EngineSettings:
    """How to start an engine: its program, its storage, and the environment that gives it the shared clock."""

    program: str
    storage: str
    environment: Mapping[str, str]


class GenuineEngine:
    """The Durable Task extension, with a task hub of its own."""

    def __init__(self, settings: EngineSettings, site: EngineSite) -> None:
        self._settings, self._site = settings, site
        self.task_hub = f"t{uuid.uuid4().hex[:12]}"
        self.processes: list[EngineProcess] = []
        self._timers = PendingTimers()
        self._calls = WorkerCalls(site.worker, self._answered, self._lost)
        self._server = HttpServer()
        self.time = IdleTime(site.clock, self._calls, self._timers.all, self._trigger_due)
        self._client = httpx.AsyncClient(trust_env=False, timeout=100)
        self._rpc = ""

    @property
    def routes(self) -> list[Route]:
        """Nothing on the host's address: the SDK reaches the engine itself."""
        return []

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
        await self._client.aclose()

    async def serve(self, request: Request) -> Response:
        """Hand a request to the management API on to the engine's own endpoint."""
        rest = request.path_params["rest"]
        if request.method == "POST" and rest.endswith("/terminate"):
            self._timers.forget(rest.split("/")[1])
        answer = await self._client.request(
            request.method,
            f"{self._rpc}/{rest}",
            params=[(name, value) for name, value in request.query_params.multi_items() if name not in _OF_THE_HOST],
            content=await request.body(),
            headers={name: value for name, value in request.headers.items() if name in _PASSED_ON},
        )
        headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        return Response(answer.content, answer.status_code, headers)

    def hold_time(self) -> AbstractContextManager[None]:
        """A virtual clock is not moved meanwhile: somebody outside is at work."""
        return self.time.hold()

    def intercept(self, interceptor: Interceptor) -> None:
        """Let somebody decide about every call of the worker from now on."""
        self._calls.intercept = interceptor

    def launch(self, host_name: str = "") -> EngineProcess:
        """Start a further process on the same task hub; returns when it is at work. The client uses it from now on.

        Raises:
            RuntimeError: it did not start.
        """
        app = self._site.worker.app
        names = {kind: [function.durable_name for function in app.of_kind(kind)] for kind in _KINDS}
        functions = self._site.state_directory / "functions.json"
        functions.write_text(json.dumps(names))
        process = EngineProcess(
            [
                *(self._settings.program, str(app.directory / "host.json"), str(functions), self._server.url),
                *(f"hubName={self.task_hub}", *_OPTIONS),
            ],
            {
                **self._settings.environment,
                "AzureWebJobsStorage": self._settings.storage,
                "FUNCTIONS_WORKER_RUNTIME": "python",
                "Logging__LogLevel__Microsoft.AspNetCore": "Warning",
            },
            self._site.state_directory / "engine.log",
            host_name,
        )
        self.processes.append(process)
        self._use(process)
        return process

    def kill(self, process: EngineProcess) -> None:
        """`kill -9` of one process; the client uses another one, if there is one."""
        process.kill()
        self.processes.remove(process)
        if self.processes:
            self._use(self.processes[-1])

    def _use(self, process: EngineProcess) -> None:
        site, self._rpc = self._site, json.loads(process.binding())["rpcBaseUrl"].rstrip("/")
        site.worker.client_binding = client_binding(site.url, self.task_hub, site.keys.system, f"{self._rpc}/")

    def _answered(self, call: WorkerCall, answer: str) -> None:
        if call.kind == "orchestration":
            self._timers.note(call.body, answer)

    @property
    def has_timers(self) -> bool:
        """Whether a durable timer is pending, by the orchestrators' answers."""
        now = self._site.clock.now()
        return any(due > now for due in self._timers.all())

    def _lost(self, call: WorkerCall) -> None:
        # An orchestration that loses an episode has failed.
        if call.kind == "orchestration":
            self._timers.forget(json.loads(call.body)["instanceId"])

    def _trigger_due(self) -> datetime | None:
        return self._site.trigger_due() if self._site.trigger_due is not None else None
