"""Engines are killed at moments that are spread over a start: alone, and as one of two instances of the app."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from local.clock import VirtualClock
from local.deployment import AT_WORK, Deployment
from local.genuine import EngineProcess, GenuineEngine, Verdict, WorkerCall, genuine_engine
from local.genuine.worker_calls import run_all
from peering.calls import RUN_ORDER
from tests.engine.figures import Cell, cell
from tests.engine.losing import Losing
from tests.engine.outcomes import (
    ask,
    credentials_beside_one,
    doubles,
    left_over,
    not_as_before,
    runs_of,
    unaccounted,
)
from tests.engine.storage_account import are_owned

ALONE: Final = "killed alone"
OF_TWO: Final = "killed as one of two"
#: After so long the leases and messages of an engine that was killed have come back.
STANDSTILL: Final = timedelta(minutes=6)
#: So many seconds of the machine's time something may take to happen, and so often time is skipped until it does.
_PATIENCE: Final = 120
_STANDSTILLS: Final = 3
#: An engine takes a partition over within seconds of the machine's time, on a busy machine within minutes.
_OWNED_WITHIN: Final = 300
_TAKE_OVER: Final = 60.0
_VARYING: Final = 4


class Killing:
    """Kills a process of the engine when so many calls have come, and sees when orchestrations go on."""

    def __init__(self, engine: GenuineEngine, process: EngineProcess, calls: int) -> None:
        self._engine, self._process, self._left = engine, process, calls
        self.done, self.goes_on = threading.Event(), threading.Event()

    async def __call__(self, call: WorkerCall) -> Verdict:
        self._left -= 1
        if self.done.is_set() and call.name == RUN_ORDER:
            self.goes_on.set()
        if not self._left:
            await asyncio.to_thread(self._engine.kill, self._process)
            self.done.set()
        return Verdict.RUN


def moments(calls: int, count: int) -> list[int]:
    """So many of a start's calls, from the first to the last."""
    return [1 + round(number * (calls - 1) / max(count - 1, 1)) for number in range(count)]


def kill_cells(storage: str, deployment: Deployment, count: int, rows: Sequence[str] = (ALONE, OF_TWO)) -> list[Cell]:
    """Kill an engine at so many moments of a start; each start is connected in the end, and leaves nothing behind.

    Args:
        storage: the connection string of the task hub's account.
        deployment: where it happens.
        count: how many moments there are.
        rows: whether it is alone, or one of two.
    """
    engine, vnet_id, losing = genuine_engine(deployment.host), deployment.cloud.vnet_ids[0], Losing()
    engine.intercept(losing)
    course = losing.follow(None, "")
    identity = deployment.settle(vnet_id=vnet_id)["id"]
    deployment.until_ended(identity)
    # How often a start looks for something differs by a few calls from one to the next.
    calls = len(course.calls) - _VARYING
    deployment.remove(identity)
    cells = list[Cell]()
    for row in rows:
        # One process takes over from another within a minute of the machine's time.
        engine.time.idle_before_triggers = _TAKE_OVER if row == OF_TWO else engine.time.idle_before_triggers
        for number, moment in enumerate(moments(calls, count)):
            if row == OF_TWO and len(engine.processes) == 1:
                engine.launch(f"instance-{number}")
            process = engine.processes[number % len(engine.processes)]
            killing = Killing(engine, process, moment)
            one = cell(row, f"at call {moment}", partial(_killed, storage, deployment, vnet_id, killing))
            cells.append(replace(one, is_missed=not killing.done.is_set()))
    return cells


def _comes(event: threading.Event, clock: VirtualClock, is_over: Callable[[], bool]) -> bool:
    """Wait until something happens, or cannot any more; what a killed engine held comes back only as time passes."""
    for standstill in range(_STANDSTILLS + 1):
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if event.wait(1) or is_over():
                return event.is_set()
        if standstill < _STANDSTILLS:
            _skip(clock)
    return False


def _skip(clock: VirtualClock) -> None:
    """Let the leases and messages of an engine that was killed come back; then time stands still again."""
    clock.held = False
    clock.advance_to(clock.now() + STANDSTILL)
    clock.held = True


def _wait_until_owned(storage: str, hub: str, clock: VirtualClock) -> None:
    """Wait until engines that live own all partitions.

    Raises:
        TimeoutError: none took them over.
    """
    deadline = time.monotonic() + _OWNED_WITHIN
    while not are_owned(storage, hub, clock.now()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"No engine owns {hub} after {_OWNED_WITHIN} s.")
        time.sleep(0.5)


def _killed(storage: str, deployment: Deployment, vnet_id: str, killing: Killing) -> Iterator[str]:
    engine, clock, before = genuine_engine(deployment.host), deployment.virtual_clock, deployment.cloud_state()
    engine.intercept(killing)
    # Without work in progress, the virtual clock would advance.
    clock.held = True
    answer = ask(deployment, "POST", "", deployment.request(vnet_id=vnet_id))
    identity = answer.body["id"]

    def is_over() -> bool:
        return bool(deployment.status(identity)["state"] not in AT_WORK)

    # A start may have fewer calls than the one that the moments were taken from.
    if _comes(killing.done, clock, is_over):
        if not engine.processes:
            engine.launch()
        _skip(clock)
        # Time that passes before an engine can take the order up would use up its executions.
        _wait_until_owned(storage, engine.task_hub, clock)
        _comes(killing.goes_on, clock, is_over)
    engine.intercept(run_all)
    clock.held = False
    status = deployment.until(identity)
    if status["state"] != "connected":
        problems = [
            f"{run['problem']['code']} {run['problem']['detail']}" for run in status["runs"] if "problem" in run
        ]
        yield f"{status['state']}: {', '.join(problems)}"
    yield from credentials_beside_one(deployment.cloud_state(), identity)
    removed = ask(deployment, "DELETE", f"/{identity}")
    status = deployment.until(identity)
    yield from unaccounted([answer, removed], runs_of(deployment, identity))
    after = deployment.cloud_state()
    yield from left_over(after, status, vnet_id)
    yield from doubles(after)
    yield from not_as_before(before, after)
