"""Calls the app's functions as the Functions worker does: coroutines on one loop, the rest on a pool of threads."""

import asyncio
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import azure.functions as func
from azure.durable_functions.models.utils import http_utils
from azure.functions import meta

from local.host.function_app import Function, FunctionApp, load_function_app, unload_function_app
from local.host.hostility import Hostility, Kind, PlatformError

log: Final = logging.getLogger("local.host.worker")
_Result = TypeVar("_Result")
#: The SDK puts an orchestrator's state behind this mark in the exception's text when the orchestrator has failed.
_STATE_MARK: Final = "\n\n$OutOfProcData$:"
#: The time that a worker has to end, in seconds.
_PATIENCE: Final = 10
#: The same for a function that runs on a thread.
_OF_A_THREAD: Final = 1


@dataclass
class TraceContext:
    """The W3C trace of an invocation: that of the request's sender, for this host creates no spans of its own."""

    trace_parent: str = ""
    trace_state: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Further attributes: none."""
        return {}


class InvocationContext:
    """What a function gets as `context`: `azure.functions.Context`."""

    def __init__(self, function: Function, value: object = None) -> None:
        self.invocation_id = str(uuid.uuid4())
        self.function_name = function.name
        self.function_directory = str(function.directory)
        headers = value.headers if isinstance(value, func.HttpRequest) else {}
        self.trace_context = TraceContext(headers.get("traceparent", ""), headers.get("tracestate", ""))
        self.retry_context = None
        self.thread_local_storage = threading.local()


class Output:
    """An output binding: `azure.functions.Out`."""

    def __init__(self) -> None:
        self.value: object = None

    def set(self, val: object) -> None:
        """Set the value."""
        self.value = val

    def get(self) -> object:
        """The value that was set."""
        return self.value


class FunctionTimeoutError(PlatformError):
    """A function ran longer than host.json's `functionTimeout`."""


class WorkerRestartedError(PlatformError):
    """The worker was restarted while the function ran in it."""


class Worker:
    """A loaded app and the threads that its functions run on.

    A function that exceeds `functionTimeout` takes the worker with it, as on Azure: whatever else runs in it fails, and
    the app is reloaded. Threads cannot be killed, so a synchronous function continues to its end, and
    its result is dropped.

    Args:
        directory: the app's folder.
        hostility: decides whether the worker dies during a call.
    """

    def __init__(self, directory: Path, *, hostility: Hostility | None = None) -> None:
        self._directory, self._hostility = directory, hostility or Hostility.none()
        #: The durable client binding as JSON; the host sets it once it knows its address.
        self.client_binding = "{}"
        self._begin()

    def _begin(self) -> None:
        self.app: FunctionApp = load_function_app(self._directory)
        self._timeout = _seconds(self.app.host.get("functionTimeout"))
        self._pool = _thread_pool()
        self._on_threads = set[Future[Any]]()
        #: Answered with the reason when the worker's life ends by a restart.
        self._ended: asyncio.Future[str] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the threads and forget the app's modules."""
        try:
            asyncio.run_coroutine_threadsafe(_end(), self._loop).result(_PATIENCE)
        except TimeoutError:
            log.warning("a coroutine of the app does not let go of its event loop; its thread is left to itself")
        else:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_PATIENCE)
            self._loop.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(set(self._on_threads), _OF_A_THREAD)
        unload_function_app(self.app)

    def restart(self, reason: str) -> None:
        """Reload the app as if in a new process: all current calls fail."""
        log.warning("the worker restarts: %s", reason)
        if self._ended is not None:
            self._ended.set_result(reason)
        # Code that still runs on the old loop could import modules among the new ones.
        self.close()
        self._begin()

    async def call(self, function: Function, value: object, instance_id: str = "") -> tuple[object, dict[str, Output]]:
        """Call a function with its trigger's value; returns its result and its outputs.

        Raises:
            PlatformError: it took longer than `functionTimeout`, or the worker was restarted meanwhile.
            Exception: whatever the function raises.
        """
        # Other parts of the host hold the functions that were loaded first.
        function = self.app.find(function.kind, function.durable_name) or function
        context = InvocationContext(function, value)
        arguments, outputs = self._arguments(function, value, context)
        started = time.perf_counter()
        outcome = "failed"
        try:
            # A request that only reads never restarts the worker.
            looks = isinstance(value, func.HttpRequest) and value.method == "GET"
            result = await self._alive(function, self._run(function, arguments), safe=looks)
            outcome = "succeeded"
        finally:
            log.info(
                "function=%s invocation=%s instance=%s outcome=%s seconds=%.3f",
                *(function.name, context.invocation_id, instance_id, outcome, time.perf_counter() - started),
            )
        return result, outputs

    async def _alive(self, function: Function, call: Awaitable[_Result], *, safe: bool = False) -> _Result:
        """Wait for a call within the life of this worker and the time that functions have.

        The worker may die because of it, unless it is `safe`.
        """
        self._ended = ended = self._ended or asyncio.get_running_loop().create_future()
        running = asyncio.ensure_future(call)
        running.add_done_callback(_look_at)
        dies = not safe and self._hostility.strikes(Kind.WORKER_RESTARTED, function.name)
        try:
            if dies:
                patience = self._hostility.soon(Kind.WORKER_RESTARTED, function.name)
                await asyncio.wait({running, ended}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                # The faults may have been stopped meanwhile.
                if not ended.done() and self._hostility.is_hostile:
                    self.restart("its instance was scaled in")
            await asyncio.wait({running, ended}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise WorkerRestartedError(f"The language worker ended while {function.name} ran: {ended.result()}.")
            if running.done():
                return await running
            reason = f"{function.name} ran longer than functionTimeout, {self._timeout} s"
            self.restart(reason)
            raise FunctionTimeoutError(reason)
        finally:
            running.cancel()

    def _arguments(
        self, function: Function, value: object, context: InvocationContext
    ) -> tuple[dict[str, object], dict[str, Output]]:
        outputs = {name: Output() for name in function.outputs}
        arguments: dict[str, object] = {function.trigger["name"]: value, **outputs}
        converter = _converter("durableClient")
        for name in function.clients:
            arguments[name] = converter.decode(meta.Datum(self.client_binding, "string"), trigger_metadata=None)
        if function.wants_context:
            arguments["context"] = context
        return arguments, outputs

    async def _run(self, function: Function, arguments: dict[str, object]) -> object:
        if function.is_async:
            return await self._on_loop(function.call(**arguments))
        return await self._on_thread(lambda: function.call(**arguments))

    async def _on_loop(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def _on_thread(self, call: Callable[[], _Result]) -> _Result:
        running = self._pool.submit(call)
        self._on_threads.add(running)
        running.add_done_callback(self._on_threads.discard)
        return await asyncio.wrap_future(running)

    async def activity(self, name: str, given: str | None, instance_id: str) -> str | None:
        """Run an activity with its input as JSON text; returns its result as JSON text."""
        function = self._found("activity", name)
        converter = _converter("activityTrigger")
        value = None if given is None else converter.decode(meta.Datum(given, "string"), trigger_metadata=None)
        result, _ = await self.call(function, value, instance_id)
        encoded: str | None = converter.encode(result, expected_type=None).value
        return encoded

    async def orchestrator(self, name: str, context: str) -> dict[str, Any]:
        """Run an orchestrator's episode in the SDK's replay engine; returns the state that the SDK answers.

        Raises:
            Exception: the orchestrator is broken in a way that leaves no state.
        """
        function = self._found("orchestration", name)
        episode = func.OrchestrationContext(context)  # type: ignore[attr-defined,unused-ignore]
        return await self._durable(function, episode)

    async def entity(self, name: str, context: str) -> dict[str, Any]:
        """Run a batch of an entity's operations; returns the state that the SDK answers."""
        function = self._found("entity", name)
        batch = func.EntityContext(context)  # type: ignore[attr-defined,unused-ignore]
        return await self._durable(function, batch)

    async def answer(self, kind: str, name: str, body: str) -> str:
        """Run an orchestrator, activity or entity for an engine in another process: its trigger's JSON, its answer's.

        Raises:
            PlatformError: the worker was restarted meanwhile.
            Exception: whatever the function raises; an orchestrator that has failed puts its state behind the message.
        """
        if kind == "activity":
            return await self.activity(name, None if body == "null" else body, "") or ""
        function = self._found(kind, name)
        context = func.OrchestrationContext if kind == "orchestration" else func.EntityContext  # type: ignore[attr-defined,unused-ignore]
        call = partial(function.call, **{function.trigger["name"]: context(body)})
        text: str = await self._alive(function, self._on_thread(call))
        return text

    async def _durable(self, function: Function, context: object) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            try:
                text = function.call(**{function.trigger["name"]: context})
            except Exception as error:
                _, mark, text = str(error).partition(_STATE_MARK)
                if not mark:
                    raise
            state: dict[str, Any] = json.loads(text)
            return state

        return await self._alive(function, self._on_thread(run))

    def _found(self, kind: str, name: str) -> Function:
        function = self.app.find(kind, name)
        if function is None:
            raise LookupError(self.app.unknown(kind, name))
        return function


def _thread_pool() -> ThreadPoolExecutor:
    threads = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))
    return ThreadPoolExecutor(threads, "function")


def _look_at(call: asyncio.Future[Any]) -> None:
    """Retrieve the exception of a call that is no longer awaited; asyncio complains otherwise."""
    if not call.cancelled():
        call.exception()


async def _end() -> None:
    """Cancel everything else on this loop; it is repeated at the next start."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # The SDK keeps one session for the whole process, bound to this loop; the next worker needs its own.
    await http_utils._close_session()
    http_utils._session_lock = asyncio.Lock()


def _converter(binding: str) -> Any:  # noqa: ANN401 - azure-functions does not name the type
    return meta.get_binding_registry().get(binding)  # type: ignore[no-untyped-call]


def _seconds(text: str | None) -> float | None:
    """A .NET TimeSpan `[d.]hh:mm:ss` in seconds; None and `-1` mean without a limit."""
    if text is None or text == "-1":
        return None
    days, _, rest = text.rpartition(".") if text.count(":") == 2 and "." in text.split(":")[0] else ("", "", text)
    hours, minutes, seconds = (float(part) for part in rest.split(":"))
    return float(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
