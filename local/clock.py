"""The time that the local Functions host and the local cloud live by.

Both take a clock, so that one virtual clock can carry a day of timers, propagation delays and polls through a test in
seconds.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that runs with the machine's and can be moved forward at once.

    The local Functions host moves it to the next due timer whenever nothing else is left to run.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._lock = Lock()

    def now(self) -> datetime:
        """The present moment, aware, in UTC: the machine's time plus all that was skipped so far."""
        return datetime.now(UTC) + self._ahead

    def advance_to(self, moment: datetime) -> None:
        """Skip to `moment`; a moment that has passed leaves the clock as it is."""
        with self._lock:
            self._ahead += max(moment - self.now(), timedelta())
