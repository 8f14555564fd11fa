"""The fence of an order's execution: it changes nothing in a remote service once another execution has the order.

A call may be delivered twice, and the second delivery may run when other executions rely on the objects. So the
fence is checked before every request that changes something, not only when a step begins.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from clients.registry import registry
from peering.outcome import ProblemError, superseded
from peering.spec import Fence

#: The fence of the step that runs in this context.
_fence: Final = ContextVar[Fence | None]("fence", default=None)
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def work_for(fence: Fence | None) -> None:
    """Make the changes of this context depend on a fence; None if no order is carried out."""
    _fence.set(fence)


@contextmanager
def outside_the_fence() -> Iterator[None]:
    """Allow changes without the order, to remove objects that were just created and that no other execution knows."""
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
    """Call `still_own` before a request that changes something.

    Args:
        method: the request's HTTP method.

    Raises:
        ProblemError: `run-superseded`.
    """
    if method not in _READING:
        await still_own()
