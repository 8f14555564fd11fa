"""A platform that delivers a call a second time when a later one has ended, or lets the second delivery stand still."""

import asyncio
import importlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, TypeAlias

import pytest

from local.host.worker import Worker

_twin: Final = ContextVar("twin", default=False)
_SECONDS: Final = 60
#: An activity's name, its input as JSON, and the instance that calls it.
Call: TypeAlias = tuple[str, str | None, str]


@dataclass
class Late:
    """The calls of a worker's activities, and which of them comes again.

    The last call of `activity`, or the `first` one, comes again right after the next one of `behind`, once, when
    `meanwhile` has been done.
    """

    calls: list[Call] = field(default_factory=list)
    activity: str = ""
    behind: str = ""
    first: bool = False
    meanwhile: Callable[[], object] = lambda: None
    #: What the second delivery answered.
    answers: list[str | None] = field(default_factory=list)


@contextmanager
def late_calls() -> Iterator[Late]:
    """Watch the calls of every worker."""
    late, once = Late(), Worker.activity

    async def called(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        answer = await once(worker, name, given, instance_id)
        mine = [call for call in late.calls if call[0] == late.activity]
        if name == late.behind and mine and not late.answers:
            await asyncio.to_thread(late.meanwhile)
            late.answers.append(await once(worker, *mine[0 if late.first else -1]))
        late.calls.append((name, given, instance_id))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "activity", called)
        yield late


@dataclass
class Stalled:
    """A second delivery of a call that stands still at a function."""

    reached: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Let it go on, and wait for its end."""
        assert not self.ended.is_set()
        self.goes_on.set()
        assert self.ended.wait(_SECONDS)


def is_second() -> bool:
    """Whether this is done for a second delivery."""
    return _twin.get()


@contextmanager
def stalled(activity: str, module: str, function: str, behind: str = "") -> Iterator[Stalled]:
    """Calls of an activity come twice, the second beside the first, until a second one stands still at a function.

    It goes on when it is told so, or when a call of `behind` has succeeded.
    """
    found, once, twins = Stalled(), Worker.activity, list[asyncio.Task[None]]()
    *owner, name_of_it = function.split(".")
    of = attrgetter(*owner)(importlib.import_module(module)) if owner else importlib.import_module(module)
    genuine: Callable[..., Awaitable[object]] = getattr(of, name_of_it)

    async def slow(*given: object, **named: object) -> object:
        if _twin.get() and not found.reached.is_set():
            found.reached.set()
            await asyncio.to_thread(found.goes_on.wait, _SECONDS)
        return await genuine(*given, **named)

    async def second(worker: Worker, call: Call) -> None:
        _twin.set(True)
        try:
            await once(worker, *call)
        finally:
            if found.reached.is_set():
                found.ended.set()

    async def called(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        if name == activity and not found.reached.is_set():
            twin = asyncio.create_task(second(worker, (name, given, instance_id)))
            twins.append(twin)
            standing = asyncio.create_task(asyncio.to_thread(found.reached.wait, 1))
            await asyncio.wait((twin, standing), return_when=asyncio.FIRST_COMPLETED)
        answer = await once(worker, name, given, instance_id)
        if name == behind and found.reached.is_set() and not found.ended.is_set() and '"facts"' in str(answer):
            await asyncio.to_thread(found.go_on)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "activity", called)
        patch.setattr(of, name_of_it, slow)
        yield found
