"""Prefetching: reads that begin before the step that needs them; within one activity, the step awaits the same call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from peering.naming import folded

Found = TypeVar("Found")
#: An argument: a name or an id, which Azure compares without case, or several of them.
Given = str | tuple[str, ...]
#: A function that reads, and its arguments.
Read = tuple[Callable[..., Awaitable[Any]], tuple[Given, ...]]

_going_on: Final[set[asyncio.Future[Any]]] = set()
_begun: Final[ContextVar[dict[tuple[str, ...], asyncio.Future[Any]]]] = ContextVar("begun")


@asynccontextmanager
async def begun(reads: Iterable[Read]) -> AsyncIterator[None]:
    """Begin reads, in their order. Those that are not requested in the end continue unattended.

    Cancelling one would close its connection, and could block its place in the pool permanently (httpcore 1.0, during a
    proxy's handshake).
    """
    tasks = dict[tuple[str, ...], asyncio.Future[Any]]()
    for call, given in reads:
        tasks[_key(call, given)] = asyncio.ensure_future(call(*given))
        # The reads that a read begins come before the next one.
        await asyncio.sleep(0)
    token = _begun.set(tasks)
    try:
        yield
    finally:
        _begun.reset(token)
        for task in tasks.values():
            _going_on.add(task)
            task.add_done_callback(_ended)


def _ended(task: asyncio.Future[Any]) -> None:
    """The result of an unattended read is ignored."""
    _going_on.discard(task)
    if not task.cancelled():
        task.exception()


async def ahead(call: Callable[..., Awaitable[Found]], *given: Given) -> Found:
    """The result of a read: of the prefetched call, for the first caller, else of a new one."""
    found: asyncio.Future[Found] | None = _begun.get({}).pop(_key(call, given), None)
    return await (found if found is not None else call(*given))


def _key(call: Callable[..., Awaitable[object]], given: tuple[Given, ...]) -> tuple[str, ...]:
    names = (name for one in given for name in ((one,) if isinstance(one, str) else one))
    return call.__module__, call.__qualname__, *map(folded, names)
