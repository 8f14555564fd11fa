"""The last response of the registry, which each worker caches for some seconds."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from clients.registry import registry
from clients.registry.tables import Registry

T = TypeVar("T")

#: For how long an answer is remembered.
SECONDS: Final = 10.0


class Remembered(Generic[T]):
    """A response that is at most some seconds old.

    Args:
        read: asks the registry.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._held: tuple[Registry, T, float] | None = None

    async def value(self) -> T:
        """The answer, as of some seconds ago."""
        held, asked = self._held, registry()
        if held is None or held[0] is not asked or held[2] < time.monotonic():
            held = self._held = asked, await self._read(), time.monotonic() + SECONDS
        return held[1]

    def forget(self) -> None:
        """Read again the next time, because this worker has just changed it."""
        self._held = None
