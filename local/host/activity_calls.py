"""Executes activities: one call for each message, with at-least-once delivery."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

import httpx

from local.host.history import HTTP_ACTIVITY
from local.host.hostility import Hostility, Kind, PlatformError
from local.host.task_hub import ActivityItem
from local.host.worker import Worker

log: Final = logging.getLogger("local.host.activity")


class ActivityCalls:
    """The current activities; `ended` is called whenever one of them has ended."""

    def __init__(self, worker: Worker, hostility: Hostility, ended: Callable[[], None]) -> None:
        self._worker, self._hostility, self._ended = worker, hostility, ended
        self._calls: set[asyncio.Task[str | None]] = set()

    @property
    def idle(self) -> bool:
        """Whether none is running, not even one whose result no longer counts."""
        return not self._calls

    async def stop(self) -> None:
        """Abandon them."""
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def result(self, item: ActivityItem) -> str | None:
        """Run an activity; returns its result as JSON text.

        Raises:
            PlatformError: the platform failed, before the activity ran, meanwhile or afterwards.
            Exception: whatever the activity raises.
        """
        if self._hostility.strikes(Kind.ACTIVITY_NOT_RUN, item.name, item.id):
            raise PlatformError("The language worker ended before the function ran.")
        lost = self._hostility.strikes(Kind.ACTIVITY_RESULT_LOST, item.name, item.id)
        calls = [self._begin(item)]
        if self._hostility.strikes(Kind.ACTIVITY_TWICE, item.name, item.id):
            calls.append(self._begin(item, self._hostility.soon(Kind.ACTIVITY_TWICE, item.name)))
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        if lost:
            raise PlatformError("The language worker ended before the function's result was sent.")
        return done.pop().result()

    def _begin(self, item: ActivityItem, delay: float = 0) -> asyncio.Task[str | None]:
        call = asyncio.create_task(self._call(item, delay))
        self._calls.add(call)
        call.add_done_callback(self._over)
        return call

    def _over(self, call: asyncio.Task[str | None]) -> None:
        self._calls.discard(call)
        self._ended()
        if not call.cancelled() and (error := call.exception()):
            log.debug("a call of an activity failed: %s", error)

    async def _call(self, item: ActivityItem, delay: float) -> str | None:
        await asyncio.sleep(delay)
        if item.name == HTTP_ACTIVITY:
            return await _http(json.loads(item.input or "{}"))
        return await self._worker.activity(item.name, item.input, item.id)


async def _http(request: dict[str, Any]) -> str:
    async with httpx.AsyncClient(timeout=100) as client:
        answer = await client.request(
            request["method"], request["uri"], content=request.get("content"), headers=request.get("headers")
        )
    return json.dumps({"statusCode": answer.status_code, "headers": dict(answer.headers), "content": answer.text})
