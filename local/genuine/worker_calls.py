"""Answers the genuine engine's calls to the language worker, and loses those that a test selects."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.host.worker import Worker

#: The error that the Functions host reports to the extension when the worker's process has died.
_VANISHED: Final = (
    "Result: Failure\nException: WorkerProcessExitException: python exited with code 137 (0x89)\nStack: (none)"
)


class Verdict(Enum):
    """The fate of a call."""

    #: It runs, and its answer arrives.
    RUN = auto()
    #: It runs twice, the second time beside the first; the answer that comes first arrives.
    RUN_TWICE = auto()
    #: The worker vanishes before the function has run.
    LOSE_BEFORE = auto()
    #: The worker vanishes after the function has run, before its answer has arrived.
    LOSE_AFTER = auto()


@dataclass(frozen=True)
class WorkerCall:
    """A call: its kind (`orchestration`, `activity` or `entity`), the function's name, and the trigger's JSON."""

    kind: str
    name: str
    body: str


#: Decides about a call. The call waits until it has decided.
Interceptor: TypeAlias = Callable[[WorkerCall], Awaitable[Verdict]]


async def run_all(_call: WorkerCall) -> Verdict:
    """Lose nothing."""
    return Verdict.RUN


class WorkerCalls:
    """The worker as the engine sees it.

    Args:
        worker: the loaded app.
        answered: called with each call that the app answered, and its answer.
        lost: called with each call that is lost, or that fails in the app.
    """

    def __init__(
        self, worker: Worker, answered: Callable[[WorkerCall, str], None], lost: Callable[[WorkerCall], None]
    ) -> None:
        self._worker, self._answered, self._lost = worker, answered, lost
        self.intercept: Interceptor = run_all
        #: The seconds until the second of two calls begins.
        self.second_after: Callable[[WorkerCall], float] = lambda _call: 0.0
        self._beside: set[asyncio.Task[Response]] = set()
        #: How many calls are under way, and how many have ended.
        self.under_way = 0
        self.ended = 0

    @property
    def routes(self) -> list[Route]:
        """Where the engine calls."""
        return [Route("/{kind}/{name}", self._serve, methods=["POST"])]

    async def _serve(self, request: Request) -> Response:
        body = (await request.body()).decode()
        call = WorkerCall(request.path_params["kind"], request.path_params["name"], body)
        with self._counted():
            verdict = await self.intercept(call)
            if verdict is Verdict.LOSE_BEFORE:
                return self._lose(call)
            answer = await (self._run_twice(call) if verdict is Verdict.RUN_TWICE else self._run(call))
            return self._lose(call) if verdict is Verdict.LOSE_AFTER else answer

    def _lose(self, call: WorkerCall) -> Response:
        self._lost(call)
        return PlainTextResponse(_VANISHED, 500)

    async def _run_twice(self, call: WorkerCall) -> Response:
        calls = {asyncio.create_task(self._run_after(seconds, call)) for seconds in (0.0, self.second_after(call))}
        self._beside |= calls
        for one in calls:
            one.add_done_callback(self._beside.discard)
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()

    async def _run_after(self, seconds: float, call: WorkerCall) -> Response:
        with self._counted():
            await asyncio.sleep(seconds)
            return await self._run(call)

    async def _run(self, call: WorkerCall) -> Response:
        try:
            answer = await self._worker.answer(call.kind, call.name, call.body)
        except Exception as error:
            stack = "".join(traceback.format_tb(error.__traceback__))
            failure = f"Result: Failure\nException: {type(error).__name__}: {error}\nStack: {stack}"
            self._lost(call)
            return PlainTextResponse(failure, 500)
        self._answered(call, answer)
        return PlainTextResponse(answer)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self.ended += 1
