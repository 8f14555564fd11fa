"""A read that many callers need at the same time is done once: they share its result."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from clients.connections import connections
from clients.fencing import work_for
from clients.registry import registry

Found = TypeVar("Found")


@dataclass
class _Read(Generic[Found]):
    """The task of a read, and when its first caller asked for it."""

    found: asyncio.Future[Found]
    began: datetime


@dataclass
class _Reads(Generic[Found]):
    """The latest read of one object, and the next one, for callers that came too late for the latest."""

    latest: _Read[Found] | None = None
    coming: _Read[Found] | None = None


async def shared(
    key: tuple[object, ...], read: Callable[[], Awaitable[Found]], *, older: float = 0.0, at: datetime | None = None
) -> Found:
    """The result of a read that began after the caller asked for it, or at most some seconds before.

    Args:
        key: names what is read.
        read: reads it.
        older: how many seconds before the call the read may have begun.
        at: when the caller asked for it; now by default.

    Raises:
        Exception: whatever the read raises, to all who share it.
    """
    reads, asked = connections().reads.get(key, _Reads[Found]), at or registry().now
    latest = reads.latest
    if older and latest is not None and latest.began >= asked - timedelta(seconds=older):
        return await asyncio.shield(latest.found)
    if reads.coming is None:
        reads.coming = _Read(asyncio.ensure_future(_next(reads, latest, read)), asked)
    return await asyncio.shield(reads.coming.found)


async def _next(reads: _Reads[Found], before: _Read[Found] | None, read: Callable[[], Awaitable[Found]]) -> Found:
    """Read after the previous read has ended; a failed read is repeated for the next caller."""
    # The first caller may be superseded in the meantime; those that share the read are not.
    work_for(None)
    if before is not None:
        await asyncio.wait([before.found])
    mine = reads.latest = reads.coming
    reads.coming = None
    try:
        return await read()
    except BaseException:
        reads.latest = None if reads.latest is mine else reads.latest
        raise
