"""Lost and held calls of the worker, engines that are killed, and several on one task hub."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from local.deployment import deploy, deployed_on
from local.genuine import GenuinePlatform, Interceptor, Verdict, WorkerCall
from local.genuine.engine_process import EngineProcess
from tests.engine.conftest import Genuine

pytestmark = pytest.mark.engine

#: After so long the leases and messages of an engine that was killed have come back.
STANDSTILL = timedelta(minutes=6)


def losing(function: str, number: int, verdict: Verdict, seen: Counter[str]) -> Interceptor:
    """Loses one call of a function, by its number, and counts all calls."""

    async def decide(call: WorkerCall) -> Verdict:
        seen[call.name] += 1
        return verdict if (call.name, seen[call.name]) == (function, number) else Verdict.RUN

    return decide


class Holding:
    """Holds the calls of a function until they are let go."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.began, self.let_go = threading.Event(), threading.Event()

    async def __call__(self, call: WorkerCall) -> Verdict:
        if call.name == self.function:
            self.began.set()
            await asyncio.to_thread(self.let_go.wait, 30)
        return Verdict.RUN


@pytest.mark.parametrize("verdict", [Verdict.LOSE_BEFORE, Verdict.LOSE_AFTER])
def test_a_lost_activity_looks_like_one_that_failed(genuine: Genuine, verdict: Verdict) -> None:
    seen: Counter[str] = Counter()
    genuine.engine.intercept(losing("greet", 1, verdict, seen))
    ended = genuine.app.end(genuine.app.start("chaining"))
    assert (ended["runtimeStatus"], seen["greet"]) == ("Failed", 1)


def test_a_call_that_is_lost_before_has_not_run_and_one_that_is_lost_after_has(genuine: Genuine) -> None:
    # The function fails in its first two runs and is tried three times.
    genuine.engine.intercept(losing("fails_twice", 1, Verdict.LOSE_AFTER, Counter()))
    assert genuine.app.output("retries") == "after 3"
    genuine.engine.intercept(losing("fails_twice", 1, Verdict.LOSE_BEFORE, Counter()))
    assert genuine.app.end(genuine.app.start("retries"))["runtimeStatus"] == "Failed"


def test_no_time_passes_while_a_call_is_held(genuine: Genuine) -> None:
    held = Holding("greet")
    waiting = genuine.app.start("first_wins")
    genuine.engine.intercept(held)
    links = genuine.app.start("chaining")
    assert held.began.wait(20)
    before = genuine.clock.now()
    time.sleep(1.5)
    assert genuine.clock.now() - before < timedelta(seconds=3)
    held.let_go.set()
    assert genuine.app.end(links)["runtimeStatus"] == "Completed"
    assert genuine.app.end(waiting)["output"] == "timed out"


def test_time_moves_to_a_timer_trigger_only_while_a_caller_awaits_it(
    genuine_platform: GenuinePlatform, tmp_path: Path
) -> None:
    before = genuine_platform.clock().now()
    awaited, half_a_day = threading.Event(), timedelta(hours=12)
    settings = {
        "HEALTH_CHECK_SCHEDULE": f"0 0 {(before + half_a_day).hour} * * *",
        **dict.fromkeys(("RESUME_SCHEDULE", "HISTORY_SCHEDULE"), "0 0 0 1 1 *"),
    }
    with (
        deployed_on(genuine_platform),
        deploy(tmp_path, settings=settings, timer_triggers_awaited=awaited.is_set) as deployment,
    ):
        time.sleep(2)
        assert deployment.clock.now() - before < half_a_day / 2
        awaited.set()
        deadline = time.monotonic() + 60
        while deployment.clock.now() - before < half_a_day / 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_what_an_engine_had_under_way_when_it_was_killed_goes_on_in_a_new_one(genuine: Genuine) -> None:
    held = Holding("greet")
    genuine.engine.intercept(held)
    links = genuine.app.start("chaining")
    assert held.began.wait(20)
    genuine.engine.kill(genuine.engine.processes[0])
    genuine.engine.launch()
    held.let_go.set()
    genuine.clock.advance_to(genuine.clock.now() + STANDSTILL)
    assert genuine.app.end(links)["output"] == ["Hello Tokyo!", "Hello Seattle!"]


def test_of_two_engines_on_one_task_hub_one_may_be_killed(genuine: Genuine) -> None:
    genuine.engine.launch("second")
    started = [genuine.app.start("chaining") for _ in range(10)]
    genuine.engine.kill(genuine.engine.processes[0])
    started += [genuine.app.start("chaining") for _ in range(5)]
    genuine.clock.advance_to(genuine.clock.now() + STANDSTILL)
    assert {genuine.app.end(links)["runtimeStatus"] for links in started} == {"Completed"}


def test_an_engine_whose_port_another_took_in_the_same_moment_is_started_again(
    genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Sequence[str]] = []

    def process(command: Sequence[str], environment: Mapping[str, str], log: Path, host_name: str) -> EngineProcess:
        commands.append(command)
        taken = ["echo", "SocketException (98): Address already in use"]
        return EngineProcess(taken if len(commands) < 3 else command, environment, log, host_name)

    monkeypatch.setattr("local.genuine.engine.EngineProcess", process)
    launched = genuine.engine.launch()
    assert (len(commands), launched.is_alive) == (3, True)
    assert genuine.engine.processes[-1] is launched
