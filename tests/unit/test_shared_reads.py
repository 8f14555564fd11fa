"""Shared reads: shared by callers that arrive in time, and never with a read that began before the call."""

import asyncio
from datetime import timedelta

import pytest

from clients.fencing import still_own, work_for
from clients.shared_reads import shared
from peering.spec import Fence
from tests.unit.conftest import Time


class Reads:
    """Counts reads, each of which ends when it is let go; returns which one it was."""

    def __init__(self) -> None:
        self.count = 0
        self.let_go = asyncio.Event()

    async def __call__(self) -> int:
        self.count += 1
        mine = self.count
        await self.let_go.wait()
        if mine == 13:
            raise OSError("unlucky")
        return mine


async def _some() -> tuple[list[int], int]:
    reads = Reads()
    first = asyncio.create_task(shared(("thing",), reads))
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(shared(("thing",), reads)) for _ in range(20)]
    other = asyncio.create_task(shared(("another thing",), reads))
    await asyncio.sleep(0.01)
    reads.let_go.set()
    return [await first, *[await one for one in late], await other], reads.count


@pytest.mark.usefixtures("time_of_budgets")
def test_who_comes_while_one_reads_shares_the_next_one() -> None:
    found, count = asyncio.run(_some())
    assert found == [1, *[3] * 20, 2]
    assert count == 3


async def _older(time: Time) -> list[int]:
    reads = Reads()
    reads.let_go.set()
    found = [await shared(("thing",), reads)]
    time.pass_by(10)
    found.append(await shared(("thing",), reads, older=10))
    found.append(await shared(("thing",), reads, older=9))
    found.append(await shared(("thing",), reads))
    told = time.now + timedelta(seconds=60)
    found.append(await shared(("thing",), reads, older=59, at=told))
    found.append(await shared(("thing",), reads, older=1, at=told))
    return found


def test_one_that_is_new_enough_is_not_read_again(time_of_budgets: Time) -> None:
    assert asyncio.run(_older(time_of_budgets)) == [1, 1, 2, 3, 4, 4]


async def _failed() -> list[int]:
    reads = Reads()
    reads.let_go.set()
    reads.count = 12
    results = await asyncio.gather(*(shared(("thing",), reads) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["unlucky"] * 3
    return [await shared(("thing",), reads, older=60)]


@pytest.mark.usefixtures("time_of_budgets")
def test_one_that_failed_fails_for_all_and_is_read_again() -> None:
    assert asyncio.run(_failed()) == [14]


@pytest.mark.usefixtures("time_of_budgets")
def test_a_read_that_is_shared_depends_on_nobodys_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.fencing.registry", lambda: None)

    async def asked() -> None:
        work_for(Fence(id="one", run="r", execution="x", alive_until=""))
        await shared(("thing",), still_own)
        # The caller still has the fence.
        with pytest.raises(AttributeError, match="is_own"):
            await still_own()

    asyncio.run(asked())
