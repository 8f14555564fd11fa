"""The same work for many items: a few at a time, and a failure does not affect the others."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class AllDone(Generic[T, R]):
    """The outcome: the results, the failures, and the items for which there was no time."""

    results: list[R] = field(default_factory=list)
    failures: list[tuple[T, Exception]] = field(default_factory=list)
    left: list[T] = field(default_factory=list)


async def side_by_side(
    do: Callable[[T], Awaitable[R]],
    things: Iterable[T],
    *,
    at_once: int,
    within: float = math.inf,
    longest: float | None = None,
) -> AllDone[T, R]:
    """Do something for each item.

    Args:
        do: the function; an exception is the item's failure.
        things: the items, in the order in which they are begun.
        at_once: the number of items at a time.
        within: the seconds after which no item is begun.
        longest: the seconds after which an item is cancelled, and has failed.
    """
    done, waiting, until = AllDone[T, R](), deque(things), time.monotonic() + within

    async def work() -> None:
        while waiting and time.monotonic() < until:
            thing = waiting.popleft()
            try:
                async with asyncio.timeout(longest):
                    done.results.append(await do(thing))
            except Exception as error:
                done.failures.append((thing, error))

    await asyncio.gather(*(work() for _ in range(at_once)))
    done.left = list(waiting)
    return done
