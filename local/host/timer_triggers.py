"""Fires the app's timer triggers: NCRONTAB schedules with six fields, the first of them seconds, in UTC.

They follow the clock. A virtual clock is moved to their next occurrence only while one is awaited.
If it is moved over several occurrences, a trigger fires once, as on a host that was stopped.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final

from azure.functions.timer import TimerRequest
from croniter import croniter

from local.clock import Clock
from local.host.function_app import Function, LoadError
from local.host.hostility import Hostility, Kind
from local.host.task_hub import TaskHub
from local.host.worker import Worker

log: Final = logging.getLogger("local.host.timer")
_SETTING: Final = re.compile(r"%(\w+)%")
#: Azure does not monitor schedules that are tighter than this.
_MONITORED_FROM: Final = timedelta(minutes=1)
#: How often, in seconds, the clock is read: it may be moved, and is as soon as an occurrence is awaited.
_LOOK_EVERY: Final = 1.0
_LOOK_EVERY_WHEN_AWAITED: Final = 0.02


def next_occurrence(schedule: str, after: datetime) -> datetime:
    """The first moment of an NCRONTAB schedule after `after`; five fields mean second 0."""
    fields = schedule.split()
    moment: datetime = croniter(schedule, after, second_at_beginning=len(fields) == 6).get_next(datetime)
    return moment


def read_schedule(function: Function) -> str:
    """A timer trigger's schedule; `%NAME%` is the setting of that name.

    Raises:
        LoadError: the setting is missing or the schedule is not NCRONTAB.
    """
    given = str(function.trigger["schedule"])
    if setting := _SETTING.fullmatch(given):
        if setting[1] not in os.environ:
            raise LoadError(f"{function.name}: its schedule names the setting {setting[1]}, which is not set")
        given = os.environ[setting[1]]
    if len(given.split()) not in (5, 6) or not croniter.is_valid(given, second_at_beginning=len(given.split()) == 6):
        raise LoadError(f"{function.name}: {given!r} is not an NCRONTAB schedule")
    return given


class TimerTriggers:
    """The timer-triggered functions of an app.

    Args:
        worker: has the functions and calls them.
        hub: stores when they ran.
        clock: the time to follow.
        hold_time: keeps a virtual clock from being moved while a function runs.
        awaited: whether a caller waits for an occurrence; None if none ever does.
        hostility: decides whether an occurrence is lost.
    """

    def __init__(
        self,
        worker: Worker,
        hub: TaskHub,
        clock: Clock,
        hold_time: Callable[[], AbstractContextManager[None]],
        *,
        awaited: Callable[[], bool] | None = None,
        hostility: Hostility | None = None,
    ) -> None:
        self._worker, self._hub, self._clock, self._hold_time = worker, hub, clock, hold_time
        self._awaited, self._hostility = awaited, hostility or Hostility.none()
        self._schedules = [(function, read_schedule(function)) for function in worker.app.of_kind("timer")]
        self._due: dict[str, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def awaited_occurrence(self) -> datetime | None:
        """When the next trigger is due, if one is awaited."""
        if self._awaited is None or not self._awaited():
            return None
        return min(self._due.values(), default=None)

    async def start(self) -> None:
        """Begin to fire them."""
        self._tasks = [asyncio.create_task(self._follow(*entry)) for entry in self._schedules]

    async def stop(self) -> None:
        """Stop firing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def fire(self, function: Function, *, past_due: bool = False) -> None:
        """Run a timer-triggered function now; what it raises is logged, as on Azure."""
        last, due = self._hub.schedule(function.name) or (None, "")
        status = {"Last": last or "0001-01-01T00:00:00", "Next": due, "LastUpdated": last or "0001-01-01T00:00:00"}
        request = TimerRequest(past_due=past_due, schedule_status=status, schedule={"AdjustForDST": True})
        if self._hostility.strikes(Kind.TIMER_TRIGGER_NOT_RUN, function.name):
            return
        try:
            with self._hold_time():
                await self._worker.call(function, request)
        except Exception:
            log.exception("function=%s", function.name)

    async def _follow(self, function: Function, schedule: str) -> None:
        now = self._clock.now()
        due = next_occurrence(schedule, now)
        wanted = function.trigger.get("useMonitor")
        monitored = wanted is not False and next_occurrence(schedule, due) - due >= _MONITORED_FROM
        known = self._hub.schedule(function.name) if monitored else None
        missed = known is not None and datetime.fromisoformat(known[1]) <= now
        if missed or function.trigger.get("runOnStartup"):
            await self.fire(function, past_due=missed)
        self._note(function, now if missed else None, due)
        look_every = _LOOK_EVERY if self._awaited is None else _LOOK_EVERY_WHEN_AWAITED
        while True:
            while self._clock.now() < due:
                await asyncio.sleep(min((due - self._clock.now()).total_seconds(), look_every))
            now, past = self._clock.now(), due
            due = next_occurrence(schedule, now)
            self._note(function, past, due)
            await self.fire(function)

    def _note(self, function: Function, last: datetime | None, due: datetime) -> None:
        self._due[function.name] = due
        with self._hub.transaction():
            self._hub.put_schedule(function.name, last, due)
