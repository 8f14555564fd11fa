"""The host itself: an app, the engine behind it, and the HTTP server in front of both."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.clock import Clock, SystemClock
from local.host.app_service import AppService
from local.host.client_binding import WEBHOOKS
from local.host.durable_engine import DurableEngine, EngineFactory, EngineSite
from local.host.embedded_engine import EmbeddedEngine
from local.host.hostility import Hostility
from local.host.http_server import HttpServer
from local.host.http_triggers import HttpTriggers
from local.host.keys import Keys, load_keys, write_keys
from local.host.task_hub import TaskHub
from local.host.timer_triggers import TimerTriggers
from local.host.worker import Worker


class _Anything(Convertor[str]):
    """Any path: Starlette's own converter stops at a line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The path as it is."""
        return value

    def to_string(self, value: str) -> str:
        """The same."""
        return value


register_url_convertor("anything", _Anything())
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class StateDirectoryInUseError(Exception):
    """Another host has the state directory."""


class FunctionsHost:
    """Runs one function app on this machine.

    Args:
        app_directory: the folder of `function_app.py` and `host.json`.
        state_directory: where the task hub and the keys are kept; one host at a time has it.
        port: where to listen on 127.0.0.1; 0 takes any free port.
        clock: the time to live by. A `VirtualClock` is moved to the next durable timer when nothing else is left to do.
        engine: makes the engine that runs the orchestrations.
        hostile: makes the host cause the faults of the genuine platform.
        timer_triggers_awaited: whether something waits for a timer trigger; only then a `VirtualClock` is moved to the
            next occurrence of one. It is asked on the host's event loop.

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
        engine: EngineFactory = EmbeddedEngine,
        hostile: Hostility | None = None,
        timer_triggers_awaited: Callable[[], bool] | None = None,
    ) -> None:
        state_directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(state_directory)
        self._keys_file = state_directory / "keys.json"
        self.keys: Keys = load_keys(self._keys_file)
        self._server = HttpServer(port)
        self.url: str = self._server.url
        clock = clock or SystemClock()
        self.hostility: Hostility = hostile or Hostility.none()
        self._worker = Worker(app_directory, hostility=self.hostility)
        self._hub = TaskHub(state_directory / "task-hub.db")
        self._timers = TimerTriggers(
            *(self._worker, self._hub, clock, lambda: self.engine.hold_time()),
            awaited=timer_triggers_awaited,
            hostility=self.hostility,
        )
        self.app_service: AppService = AppService()
        self._http = HttpTriggers(self._worker, self.keys, self.app_service)
        awaited = self._timers.awaited_occurrence if timer_triggers_awaited is not None else None
        self.engine: DurableEngine = engine(
            EngineSite(
                *(self._worker, self._hub, clock, self.url, self.keys, state_directory),
                trigger_due=awaited,
                hostility=self.hostility,
            )
        )

    @property
    def function_count(self) -> int:
        """How many functions the app has."""
        return len(self._worker.app.functions)

    async def start(self) -> None:
        """Start to serve, and to run the work in the task hub."""
        routes = [
            Route(f"/{WEBHOOKS}/{{rest:path}}", self._webhook, methods=_METHODS),
            *self.engine.routes,
            Route("/admin/functions/{name}", self._fire, methods=["POST"]),
            Route("/admin/functions/{name}/keys/{key}", self._set_key, methods=["PUT"]),
            Route("/{rest:anything}", self._trigger, methods=_METHODS),
        ]
        await self._server.start(routes)
        await self.engine.start()
        await self._timers.start()

    async def stop(self) -> None:
        """Stop; a host that is started on the same state directory continues the work."""
        await self._timers.stop()
        await self.engine.stop()
        await self._server.stop()
        self._worker.close()
        self._hub.close()
        self._lock.close()

    def restart_worker(self, reason: str) -> None:
        """Restart the language worker, as if in a new process: its caches are empty."""
        self._worker.restart(reason)

    async def _webhook(self, request: Request) -> Response:
        if not self.keys.allow(request, "system"):
            return Response(status_code=401)
        return await self.engine.serve(request)

    async def _trigger(self, request: Request) -> Response:
        with self.engine.hold_time():
            return await self._http.serve(request)

    async def _fire(self, request: Request) -> Response:
        """`POST /admin/functions/{name}`: run a timer-triggered function now."""
        if not self.keys.allow(request, "admin"):
            return Response(status_code=401)
        name = request.path_params["name"].lower()
        function = next((f for f in self._worker.app.of_kind("timer") if f.name.lower() == name), None)
        if function is None:
            return JSONResponse({"Message": f"there is no timer-triggered function {name}"}, 404)
        await self._timers.fire(function)
        return Response(status_code=202)

    async def _set_key(self, request: Request) -> Response:
        """`PUT /admin/functions/{name}/keys/{key}`: give a function a key of its own, as the host's key API does."""
        if not self.keys.allow(request, "admin"):
            return Response(status_code=401)
        name, key = request.path_params["name"], request.path_params["key"]
        if name.lower() not in {function.name.lower() for function in self._worker.app.functions}:
            return Response(status_code=404)
        value = str((await request.json())["value"])
        is_new = self.keys.set(name, key, value)
        write_keys(self._keys_file, self.keys)
        return JSONResponse({"name": key, "value": value}, 201 if is_new else 200)


def _lock(directory: Path) -> IO[str]:
    """The lock on a state directory; it ends with the process, however that ends."""
    held = (directory / "lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise StateDirectoryInUseError(f"another host uses {directory}") from None
    return held
