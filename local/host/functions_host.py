"""The host itself: an app, its task hub, and the HTTP server in front of both."""

import asyncio
import fcntl
import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.clock import Clock, SystemClock
from local.host.durable_api import DurableApi, management_urls
from local.host.engine import Engine
from local.host.http_triggers import HttpTriggers
from local.host.keys import Keys, load_keys
from local.host.task_hub import TaskHub
from local.host.timer_triggers import TimerTriggers
from local.host.worker import Worker

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_WEBHOOKS: Final = "runtime/webhooks/durabletask"


class StateDirectoryInUseError(Exception):
    """Another host has the state directory."""


class FunctionsHost:
    """Runs one function app on this machine.

    Args:
        app_directory: the folder of `function_app.py` and `host.json`.
        state_directory: where the task hub and the keys are kept; one host at a time has it.
        port: where to listen on 127.0.0.1; 0 takes any free port.
        clock: the time to live by. A `VirtualClock` is moved to the next durable timer when nothing else is left to do.
        authenticate: whether functions ask for their keys.
        drop_outputs: serve an app whose functions have output bindings that this host does not deliver.

    Raises:
        StateDirectoryInUseError: another host has the state directory.
        LoadError: the app cannot be served.
    """

    def __init__(
        self,
        app_directory: Path,
        state_directory: Path,
        *,
        port: int = 7071,
        clock: Clock | None = None,
        authenticate: bool = True,
        drop_outputs: bool = False,
    ) -> None:
        state_directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(state_directory)
        self.keys: Keys = load_keys(state_directory / "keys.json")
        self._socket = _listen(port)
        self.url: str = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        clock = clock or SystemClock()
        self._worker = Worker(app_directory, drop_outputs=drop_outputs)
        self._hub = TaskHub(state_directory / "task-hub.db")
        self._engine = Engine(self._hub, self._worker, clock)
        self._timers = TimerTriggers(self._worker, self._hub, clock)
        self._http = HttpTriggers(self._worker, self.keys if authenticate else None)
        self._durable = DurableApi(self._worker.app, self._hub, self._engine, self._management_urls)
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def function_count(self) -> int:
        """How many functions the app has."""
        return len(self._worker.app.functions)

    async def start(self) -> None:
        """Begin to serve and to run what the task hub holds."""
        rpc = f"rpc-{secrets.token_urlsafe(16)}"
        self._worker.client_binding = self._client_binding(rpc)
        routes = [
            Route(f"/{_WEBHOOKS}/{{rest:path}}", self._webhook, methods=_METHODS),
            Route(f"/{rpc}/{{rest:path}}", self._durable.serve, methods=_METHODS),
            Route("/admin/functions/{name}", self._fire, methods=["POST"]),
            Route("/{rest:path}", self._trigger, methods=_METHODS),
        ]
        # Clients reuse connections for half a minute; one that is closed under a request would fail it.
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=120
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.005)
        await self._engine.start()
        await self._timers.start()

    async def stop(self) -> None:
        """Stop; what was under way goes on when a host is started on the same state directory."""
        await self._timers.stop()
        await self._engine.stop()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            with suppress(asyncio.CancelledError):
                await self._serving
        self._worker.close()
        self._hub.close()
        self._lock.close()

    def _management_urls(self, request: Request, instance_id: str) -> dict[str, str]:
        base = f"{request.url.scheme}://{request.url.netloc}/{_WEBHOOKS}"
        return management_urls(base, self._hub_name, self.keys.system, instance_id)

    @property
    def _hub_name(self) -> str:
        return str(self._worker.app.durable_settings.get("hubName", "TestHubName"))

    def _client_binding(self, rpc: str) -> str:
        """The durable client binding as the extension hands it to the SDK."""
        base, query = f"{self.url}/{_WEBHOOKS}", f"code={self.keys.system}"
        start = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self._hub_name,
                "creationUrls": {
                    "createNewInstancePostUri": f"{start}?{query}",
                    "createAndWaitOnNewInstancePostUri": f"{start}?{wait}&{query}",
                },
                "managementUrls": management_urls(base, self._hub_name, self.keys.system, "INSTANCEID"),
                "baseUrl": base,
                "requiredQueryStringParameters": query,
                "rpcBaseUrl": f"{self.url}/{rpc}/",
            }
        )

    async def _webhook(self, request: Request) -> Response:
        if not self.keys.allow(request, "system"):
            return Response(status_code=401)
        return await self._durable.serve(request)

    async def _trigger(self, request: Request) -> Response:
        with self._engine.hold_time():
            return await self._http.serve(request)

    async def _fire(self, request: Request) -> Response:
        """`POST /admin/functions/{name}`: run a timer-triggered function now."""
        if not self.keys.allow(request, "admin"):
            return Response(status_code=401)
        name = request.path_params["name"].lower()
        function = next((f for f in self._worker.app.of_kind("timer") if f.name.lower() == name), None)
        if function is None:
            return JSONResponse({"Message": f"there is no timer-triggered function {name}"}, 404)
        with self._engine.hold_time():
            await self._timers.fire(function)
        return Response(status_code=202)


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: whoever embeds the host handles them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals."""
        yield


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, every answer is 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


def _lock(directory: Path) -> IO[str]:
    """The lock on a state directory; it ends with the process, however that ends."""
    held = (directory / "lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise StateDirectoryInUseError(f"another host uses {directory}") from None
    return held
