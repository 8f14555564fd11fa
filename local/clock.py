"""The clock of the local Functions host and the local cloud.

Both take a clock, so that with a virtual clock a test runs through a day of timers, delays and polls in seconds.
"""

import math
import mmap
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that runs with the machine's and can be moved forward.

    The local Functions host moves it to the next due timer whenever nothing else is left to run. While `held` is set it
    stays with the machine's, so that a test can act while the app waits.
    """

    def __init__(self) -> None:
        self.held = False
        self._ahead = timedelta()
        self._lock = Lock()

    def __reduce__(self) -> tuple[Callable[[timedelta], "VirtualClock"], tuple[timedelta]]:
        """The pickled form: how far it is ahead."""
        return _ahead_by, (self._ahead,)

    def now(self) -> datetime:
        """The present moment, aware, in UTC: the machine's time plus all that was skipped so far."""
        return datetime.now(UTC) + self._ahead

    def advance_to(self, moment: datetime) -> None:
        """Skip to `moment`; a moment that has passed, or a clock that is held, leaves the clock as it is."""
        with self._lock:
            if not self.held:
                self._skip(max(moment - self.now(), timedelta()))

    def _skip(self, span: timedelta) -> None:
        self._ahead += span


def _ahead_by(span: timedelta) -> VirtualClock:
    """A virtual clock that is ahead of the machine's."""
    clock = VirtualClock()
    clock._skip(span)
    return clock


class SharedClock(VirtualClock):
    """A virtual clock that is shared with other processes: those that run with `libahead.so` and map its file.

    Args:
        file: where to write, as a little-endian int64, the whole seconds by which the clock is ahead.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        file.write_bytes(struct.pack("<q", 0))
        with file.open("r+b") as opened:
            self._page = mmap.mmap(opened.fileno(), 8)

    def _skip(self, span: timedelta) -> None:
        super()._skip(timedelta(seconds=math.ceil(span.total_seconds())))
        self._page[:] = struct.pack("<q", round(self._ahead.total_seconds()))
