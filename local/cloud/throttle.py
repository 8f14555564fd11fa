"""How many requests a service takes in a while."""

from collections import deque
from datetime import datetime, timedelta


class Throttle:
    """The requests of the last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._length = timedelta(seconds=seconds)
        self._taken: deque[datetime] = deque()

    def take(self, now: datetime, most: int | None) -> int | None:
        """Take a request, or say in how many seconds there is room for one; without a limit there always is."""
        if most is None:
            return None
        while self._taken and self._taken[0] <= now - self._length:
            self._taken.popleft()
        if len(self._taken) >= most:
            return int((self._taken[0] + self._length - now).total_seconds()) + 1
        self._taken.append(now)
        return None
