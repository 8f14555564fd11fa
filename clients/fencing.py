"""The fence of an order's execution: it changes nothing in a remote service once the order is another execution's.

A call may be delivered twice, and the second delivery may come, or go on, when others rely on what is there. So the
fence is checked before every request that changes something, not only when a step begins.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from clients.registry import registry
from peering.outcome import ProblemError, superseded
from peering.spec import Fence

#: Of the step that is at work in this context.
_fence: Final = ContextVar[Fence | None]("fence", default=None)
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def work_for(fence: Fence | None) -> None:
    """Let the changes of this context depend on a fence; None if no order is carried out."""
    _fence.set(fence)


@contextmanager
def outside_the_fence() -> Iterator[None]:
    """For objects that may be removed whoever holds the order: just created, and known to no other execution."""
    before = _fence.set(None)
    try:
        yield
    finally:
        _fence.reset(before)


async def still_own() -> None:
    """Check whether the order still belongs to this execution.

    Raises:
        ProblemError: `run-superseded`.
    """
    fence = _fence.get()
    if fence is not None and not await registry().is_own(fence):
        raise ProblemError("run-superseded", superseded()["detail"])


async def see_to_own(method: str) -> None:
    """Do so before a request that changes something.

    Args:
        method: the request's HTTP method.

    Raises:
        ProblemError: `run-superseded`.
    """
    if method not in _READING:
        await still_own()
