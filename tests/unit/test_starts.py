"""Starting an orchestration that may be running already."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from clients.durable import DurableClient, start_unless_running
from peering.calls import CHECK_HEALTH
from peering.runs import SWEEP
from peering.spec import Deadlines
from peering.sweep import Sweep

GIVEN = Sweep(repairs=True, deadlines=Deadlines(propagation=900, platform=86400))


class Engine:
    """Refuses the first starts; of what it says runs then, all or nothing has ended before anybody asks."""

    def __init__(self, refusals: int, *, has_ended: bool) -> None:
        self.refusals, self.has_ended, self.asked = refusals, has_ended, 0

    async def start_new(self, *_: object) -> str:
        self.asked += 1
        if self.asked <= self.refusals:
            raise Exception("An Orchestration instance with the status Running already exists.")  # noqa: TRY002 - the SDK's
        return "id"

    async def get_status(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(runtime_status=SimpleNamespace(name="Completed" if self.has_ended else "Running"))


def start(engine: Engine) -> bool:
    return asyncio.run(start_unless_running(cast("DurableClient", engine), CHECK_HEALTH, SWEEP, GIVEN))


def test_one_that_runs_is_left_alone() -> None:
    engine = Engine(9, has_ended=False)
    assert (start(engine), engine.asked) == (False, 1)


def test_one_that_has_just_ended_is_started_again() -> None:
    engine = Engine(1, has_ended=True)
    assert (start(engine), engine.asked) == (True, 2)


def test_an_engine_that_refuses_for_another_reason_is_told_of() -> None:
    with pytest.raises(Exception, match="already exists"):
        start(Engine(9, has_ended=True))
