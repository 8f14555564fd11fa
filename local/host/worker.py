"""Calls the app's functions as the Functions worker does: coroutines on one loop, the rest on a pool of threads."""

import asyncio
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import azure.functions as func
from azure.durable_functions.models.utils import http_utils
from azure.functions import meta

from local.host.function_app import Function, FunctionApp, load_function_app, unload_function_app

log: Final = logging.getLogger("local.host.worker")
_Result = TypeVar("_Result")
#: The SDK puts an orchestrator's state behind this mark in the exception's text when the orchestrator has failed.
_STATE_MARK: Final = "\n\n$OutOfProcData$:"


@dataclass
class TraceContext:
    """The W3C trace of an invocation; this host does not trace."""

    trace_parent: str = ""
    trace_state: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Further attributes: none."""
        return {}


class InvocationContext:
    """What a function gets as `context`: `azure.functions.Context`."""

    def __init__(self, function: Function) -> None:
        self.invocation_id = str(uuid.uuid4())
        self.function_name = function.name
        self.function_directory = str(function.directory)
        self.trace_context = TraceContext()
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


class FunctionTimeoutError(Exception):
    """A function ran longer than host.json's `functionTimeout`."""


class Worker:
    """A loaded app and the threads that its functions run on.

    Args:
        directory: the app's folder.
        drop_outputs: see `load_function_app`.
    """

    def __init__(self, directory: Path, *, drop_outputs: bool = False) -> None:
        self.app: FunctionApp = load_function_app(directory, drop_outputs=drop_outputs)
        #: The durable client binding as JSON; the host sets it once it knows its address.
        self.client_binding = "{}"
        threads = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))
        self._pool = ThreadPoolExecutor(threads, "function")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="worker", daemon=True)
        self._thread.start()
        self._timeout = _seconds(self.app.host.get("functionTimeout"))

    def close(self) -> None:
        """Stop the threads and forget the app's modules."""
        # The SDK keeps one session for the whole process, bound to this loop; the next worker needs its own.
        asyncio.run_coroutine_threadsafe(_end_tasks(), self._loop).result(10)
        asyncio.run_coroutine_threadsafe(http_utils._close_session(), self._loop).result(10)
        http_utils._session_lock = asyncio.Lock()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._loop.close()
        unload_function_app(self.app.directory)

    async def call(self, function: Function, value: object, instance_id: str = "") -> tuple[object, dict[str, Output]]:
        """Call a function with its trigger's value; returns its result and its outputs.

        Raises:
            FunctionTimeoutError: it took longer than `functionTimeout`.
            Exception: whatever the function raises.
        """
        context = InvocationContext(function)
        arguments, outputs = self._arguments(function, value, context)
        started = time.perf_counter()
        outcome = "failed"
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._run(function, arguments)
            outcome = "succeeded"
        except TimeoutError:
            if self._timeout is None or time.perf_counter() - started < self._timeout:
                raise
            raise FunctionTimeoutError(f"{function.name} ran longer than functionTimeout, {self._timeout} s") from None
        finally:
            log.info(
                "function=%s invocation=%s instance=%s outcome=%s seconds=%.3f",
                *(function.name, context.invocation_id, instance_id, outcome, time.perf_counter() - started),
            )
        return result, outputs

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
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: function.call(**arguments))

    async def _on_loop(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

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
        return await self._durable(lambda: function.call(**{function.trigger["name"]: episode}))

    async def entity(self, name: str, context: str) -> dict[str, Any]:
        """Run a batch of an entity's operations; returns the state that the SDK answers."""
        function = self._found("entity", name)
        batch = func.EntityContext(context)  # type: ignore[attr-defined,unused-ignore]
        return await self._durable(lambda: function.call(**{function.trigger["name"]: batch}))

    async def _durable(self, call: Callable[[], str]) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            try:
                text = call()
            except Exception as error:
                _, mark, text = str(error).partition(_STATE_MARK)
                if not mark:
                    raise
            state: dict[str, Any] = json.loads(text)
            return state

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    def _found(self, kind: str, name: str) -> Function:
        function = self.app.find(kind, name)
        if function is None:
            raise LookupError(f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function.")
        return function


async def _end_tasks() -> None:
    """Cancel whatever else runs on this loop; it is done again at the next start."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _converter(binding: str) -> Any:  # noqa: ANN401 - azure-functions does not name the type
    return meta.get_binding_registry().get(binding)  # type: ignore[no-untyped-call]


def _seconds(text: str | None) -> float | None:
    """A .NET TimeSpan `[d.]hh:mm:ss` in seconds; None and `-1` mean without a limit."""
    if text is None or text == "-1":
        return None
    days, _, rest = text.rpartition(".") if text.count(":") == 2 and "." in text.split(":")[0] else ("", "", text)
    hours, minutes, seconds = (float(part) for part in rest.split(":"))
    return float(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
