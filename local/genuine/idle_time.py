"""Advances a virtual clock to the next due time whenever an engine in another process is idle."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from local.clock import Clock, VirtualClock
from local.genuine.worker_calls import WorkerCalls

_LOOK_EVERY: Final = 0.05
#: The engine is idle when it has sent and received no call for this many seconds: it polls its queues ten times a
#: second.
_IDLE_AFTER: Final = 0.5
#: How long a due timer is awaited before it counts as lost.
_DUE_FOR: Final = 4.0


class IdleTime:
    """Watches an engine's calls.

    Args:
        clock: the clock to move, if it is a virtual one.
        calls: the engine's calls of the worker.
        changes: how many things it has been asked for so far.
        timers: when durable timers are due.
        trigger: when the next timer trigger is due, if one is awaited.
    """

    def __init__(
        self,
        clock: Clock,
        calls: WorkerCalls,
        changes: Callable[[], int],
        timers: Callable[[], Sequence[datetime]],
        trigger: Callable[[], datetime | None],
    ) -> None:
        self._clock, self._calls, self._changes, self._timers, self._trigger = clock, calls, changes, timers, trigger
        #: The idle seconds before time is skipped to a timer trigger, which recovers what the engine has forgotten. On
        #: a busy machine a call may only be late, or another process of the engine may take it over.
        self.idle_before_triggers = 2.0
        self._holders = 0
        self._free = asyncio.Event()
        self._free.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if isinstance(self._clock, VirtualClock):
            self._task = asyncio.create_task(self._watch(self._clock))

    async def stop(self) -> None:
        """Leave the clock alone from now on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The clock is not moved meanwhile."""
        self._holders += 1
        self._free.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._free.set()

    async def _watch(self, clock: VirtualClock) -> None:
        seen, since = (-1, -1), time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            # A client that polls the status must not keep time from passing.
            await self._free.wait()
            # A request of a caller that holds the clock reaches the engine only now.
            happened = self._calls.ended, self._changes()
            if self._calls.under_way or happened != seen:
                seen, since = happened, time.monotonic()
                continue
            idle, now, timers = time.monotonic() - since, clock.now(), self._timers()
            later = [moment for moment in timers if moment > now]
            enough = _IDLE_AFTER if later else self.idle_before_triggers
            if idle < (max(enough, _DUE_FOR) if len(later) < len(timers) else enough):
                continue
            if not later and (trigger := self._trigger()) is not None:
                later = [trigger]
            if later:
                clock.advance_to(min(later))
                since = time.monotonic()
