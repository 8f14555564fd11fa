"""How many requests a service takes: so many in a while, or as many as a bucket has tokens for."""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Limit:
    """How many tokens a full bucket holds, and how many come back in a second."""

    tokens: float
    per_second: float

    def times(self, factor: float) -> "Limit":
        """A limit of so many times as much."""
        return Limit(self.tokens * factor, self.per_second * factor)


class TokenBucket:
    """Tokens that requests take and time brings back; it is full at first.

    It stores how many are missing, and computes at each use how many have come back since. So it needs no task of its
    own, and its limit may change at any time.
    """

    def __init__(self) -> None:
        self._missing = 0.0
        self._looked: datetime | None = None

    def left(self, now: datetime, limit: Limit) -> float:
        """How many tokens there are."""
        elapsed = (now - self._looked).total_seconds() if self._looked is not None else 0.0
        missing = min(limit.tokens, max(0.0, self._missing - elapsed * limit.per_second))
        # To a millionth, lest what a sum of floats lacks is taken for a token that is not there yet.
        self._missing, self._looked = round(missing, 6), now
        return limit.tokens - self._missing

    def wait(self, now: datetime, limit: Limit, wanted: float) -> int:
        """In how many whole seconds there are so many tokens; none says that there are."""
        return max(0, math.ceil(round((wanted - self.left(now, limit)) / limit.per_second, 6)))

    def take(self, wanted: float) -> None:
        """Take so many tokens."""
        self._missing += wanted


@dataclass(frozen=True)
class Draw:
    """What a request takes from a bucket: the bucket's name and whose it is, its limit, and how many tokens."""

    bucket: tuple[str, ...]
    limit: Limit
    tokens: float = 1


class TokenBuckets:
    """The buckets of a service."""

    def __init__(self) -> None:
        self._buckets: defaultdict[tuple[str, ...], TokenBucket] = defaultdict(TokenBucket)

    def take(self, now: datetime, draws: Sequence[Draw]) -> tuple[Draw, int] | None:
        """Take all that a request takes, or nothing of it.

        Args:
            now: the present moment.
            draws: what it takes from which buckets, one at least.

        Returns:
            Where nothing was taken, what cannot be had for the longest, and for how many seconds.
        """
        waits = [self._buckets[draw.bucket].wait(now, draw.limit, draw.tokens) for draw in draws]
        if longest := max(waits):
            return draws[waits.index(longest)], longest
        for draw in draws:
            self._buckets[draw.bucket].take(draw.tokens)
        return None

    def left(self, now: datetime, draw: Draw) -> int:
        """How many whole tokens there are in the bucket that a draw is from."""
        return math.floor(self._buckets[draw.bucket].left(now, draw.limit))
