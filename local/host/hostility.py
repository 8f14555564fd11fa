"""The faults of the genuine platform at any time, chosen by a seed.

Durable Functions promises only that started work ends. A start may be lost, a function may run twice, the loss of a
worker looks like a failed function, and a read status may be outdated. A `Hostility` makes those choices. Without rates
it makes none, so the host asks one in any case.

It never ends the same work more than a few times in a row. An app that gives up an order after five executions must
reach its end.

Each kind of choice has a stream of random numbers of its own for each function. So the fate of a function's third call
does not depend on concurrent calls. With the same seed the same faults occur, if each function's calls come in the same
order.
"""

import logging
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from local.clock import Clock, SystemClock
from local.host.task_hub import Instance

log: Final = logging.getLogger("local.host.hostility")


class Kind(StrEnum):
    """A kind of fault."""

    #: A second start of an id that has just been started is accepted; one of the two inputs is lost.
    RACING_START = "racing-start"
    #: A start is accepted, its instance stays Pending, and it never runs.
    PENDING_START = "pending-start"
    #: A start is accepted and leaves nothing.
    LOST_START = "lost-start"
    #: An event to an instance that has not begun yet is accepted and dropped.
    LOST_EVENT = "lost-event"
    #: An activity fails without having run.
    ACTIVITY_NOT_RUN = "activity-not-run"
    #: An activity fails although it ran.
    ACTIVITY_RESULT_LOST = "activity-result-lost"
    #: An activity runs twice, the second time beside the first or right after it; the result that comes first counts.
    ACTIVITY_TWICE = "activity-twice"
    #: An episode's result is thrown away, and the orchestration ends Failed.
    ORCHESTRATOR_FAILED = "orchestrator-failed"
    #: A batch of an entity's operations runs, its result is thrown away, and it runs again.
    ENTITY_REPEATED = "entity-repeated"
    #: An occurrence of a timer trigger fails without having run.
    TIMER_TRIGGER_NOT_RUN = "timer-trigger-not-run"
    #: The worker is restarted during a call: everything that runs in it fails.
    WORKER_RESTARTED = "worker-restarted"
    #: A durable timer fires late.
    LATE_TIMER = "late-timer"
    #: An instance is shown for a while as it stood before.
    LAGGING_READ = "lagging-read"


#: The probability of each kind, per occasion: a run of forty calls meets several of them.
USUAL_RATES: Final[Mapping[Kind, float]] = MappingProxyType(
    {
        Kind.RACING_START: 0.75,
        Kind.PENDING_START: 0.05,
        Kind.LOST_START: 0.05,
        Kind.LOST_EVENT: 0.3,
        Kind.ACTIVITY_NOT_RUN: 0.03,
        Kind.ACTIVITY_RESULT_LOST: 0.03,
        Kind.ACTIVITY_TWICE: 0.1,
        Kind.ORCHESTRATOR_FAILED: 0.03,
        Kind.ENTITY_REPEATED: 0.1,
        Kind.TIMER_TRIGGER_NOT_RUN: 0.1,
        Kind.WORKER_RESTARTED: 0.02,
        Kind.LATE_TIMER: 0.3,
        Kind.LAGGING_READ: 0.2,
    }
)

#: Two starts count as simultaneous if the first one's instance is younger than this.
RACE: Final = timedelta(milliseconds=250)
_LONGEST_LAG: Final = timedelta(seconds=2)
_LATEST_TIMER: Final = timedelta(seconds=30)
#: How long after a call's beginning, in seconds, a second delivery comes or the worker dies: mostly during the call.
_SOON: Final = 0.05
#: How often in a row an instance, or its restarted successors, may be kept from its end.
_MOST_ENDS: Final = 3
#: What may keep an instance from its end.
_ENDING: Final = frozenset({Kind.PENDING_START, Kind.LOST_START, Kind.ORCHESTRATOR_FAILED, Kind.WORKER_RESTARTED})
_EVEN: Final = 0.5


@dataclass(frozen=True)
class Struck:
    """One fault that occurred."""

    kind: Kind
    function: str
    instance: str
    moment: datetime

    def __str__(self) -> str:
        return f"{self.moment:%H:%M:%S.%f} {self.kind} {self.function} {self.instance}".rstrip()


@dataclass(frozen=True)
class _OldRow:
    instance: Instance
    until: datetime


class PlatformError(Exception):
    """The platform failed, not the app."""


class Hostility:
    """Decides when faults occur.

    Args:
        seed: the seed of the choices.
        rates: the probability of each kind; a kind that is not named never happens.
        clock: the time that the host lives by.
        until: from this moment on there is peace.
    """

    def __init__(
        self,
        seed: int,
        *,
        rates: Mapping[Kind, float] = USUAL_RATES,
        clock: Clock | None = None,
        until: datetime | None = None,
    ) -> None:
        self._seed, self._rates, self._clock, self._until = seed, rates, clock or SystemClock(), until
        self._streams: dict[tuple[Kind, str], random.Random] = {}
        self._old_rows: dict[str, _OldRow] = {}
        self._ends: Counter[str] = Counter()
        #: The faults so far.
        self.struck: list[Struck] = []

    @classmethod
    def none(cls) -> "Hostility":
        """A hostility without any fault."""
        return cls(0, rates={})

    @property
    def is_hostile(self) -> bool:
        """Whether any fault may occur."""
        return bool(self._rates)

    def make_peace(self) -> None:
        """Stop all faults. Lost messages stay lost."""
        self._rates = {}
        self._old_rows.clear()

    def resume(self, rates: Mapping[Kind, float] = USUAL_RATES) -> None:
        """Be hostile from now on, with these rates."""
        self._rates = rates

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:
        """Whether a fault occurs now; if so, it is recorded."""
        rate = self._rates.get(kind, 0)
        if not rate or (self._until is not None and self._clock.now() >= self._until):
            return False
        if self._stream(kind, function).random() >= rate or (kind in _ENDING and self._has_had_enough(kind, instance)):
            return False
        if kind in (Kind.PENDING_START, Kind.LOST_START):
            self.note_end(instance, well=False)
        struck = Struck(kind, function, instance, self._clock.now())
        self.struck.append(struck)
        log.info("hostility=%s function=%s instance=%s", kind, function, instance)
        return True

    def _has_had_enough(self, kind: Kind, instance: str) -> bool:
        """Whether the instance, or any that a worker may run, has been kept from its end too often."""
        counts = self._ends.values() if kind is Kind.WORKER_RESTARTED else [self._ends[_work(instance)]]
        return max(counts, default=0) >= _MOST_ENDS

    def note_end(self, instance: str, *, well: bool) -> None:
        """Learn that an instance has ended: by the app's own doing, or the platform's."""
        if well:
            self._ends.pop(_work(instance), None)
        else:
            self._ends[_work(instance)] += 1

    def either(self, kind: Kind, function: str) -> bool:
        """The choice between two faults."""
        return self._stream(kind, function).random() < _EVEN

    def soon(self, kind: Kind, function: str) -> float:
        """The seconds until a chosen fault occurs."""
        return self._stream(kind, function).uniform(0, _SOON)

    def lateness(self, function: str, instance: str) -> float:
        """How many seconds late a durable timer fires."""
        if not self.strikes(Kind.LATE_TIMER, function, instance):
            return 0
        return self._stream(Kind.LATE_TIMER, function).uniform(0, _LATEST_TIMER.total_seconds())

    def changes(self, instance: Instance) -> None:
        """Record that an instance is about to change; for a while its old state may still be shown."""
        shown = self.visible(instance)
        if shown is instance and self.strikes(Kind.LAGGING_READ, instance.name, instance.id):
            lag = self._stream(Kind.LAGGING_READ, instance.name).random() * _LONGEST_LAG
            self._old_rows[instance.id] = _OldRow(instance, self._clock.now() + lag)

    def visible(self, instance: Instance) -> Instance:
        """An instance as a reader sees it now. The caller that has started an instance sees it at once."""
        old = self._old_rows.get(instance.id)
        if old is None or old.until <= self._clock.now() or old.instance.created != instance.created:
            return instance
        return old.instance

    def _stream(self, kind: Kind, function: str) -> random.Random:
        function = function.lower()
        if (kind, function) not in self._streams:
            self._streams[kind, function] = random.Random(f"{self._seed} {kind} {function}")
        return self._streams[kind, function]


def _work(instance: str) -> str:
    """What an instance does: a child that is begun again has the first one's id with a number behind it."""
    begun, dash, number = instance.rpartition("-")
    return begun if dash and ":" in instance and number.isdecimal() else instance
