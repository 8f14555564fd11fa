"""A hostile host does what the genuine platform may do; each kind of it with a fixed seed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from local.clock import VirtualClock
from local.host import Hostility, Kind
from local.host.hostility import USUAL_RATES
from tests.host.features import Features, serve

Serve = Callable[..., Features]


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Serve]:
    """Serves the app on a host that does one thing to it whenever it can."""
    with ExitStack() as stack:

        def begin(*kinds: Kind) -> Features:
            clock = VirtualClock()
            chosen = dict.fromkeys(kinds, 1.0)
            running: AbstractContextManager[Features] = serve(
                tmp_path, clock=clock, hostile=Hostility(27, rates=chosen, clock=clock)
            )
            return stack.enter_context(running)

        yield begin


def _struck(features: Features) -> list[tuple[Kind, str]]:
    return [(one.kind, one.function) for one in features.host.hostility.struck]


def test_two_starts_of_an_id_are_both_accepted_and_one_input_is_lost(hostile: Serve) -> None:
    features = hostile(Kind.RACING_START)
    links = features.start("waits_forever", "first", instance="one")
    features.start("waits_forever", "second", instance="one")
    assert json.loads(features.status(links)["input"]) in ("first", "second")
    assert _struck(features) == [(Kind.RACING_START, "waits_forever")]


def test_an_older_run_refuses_a_second_start_all_the_same(hostile: Serve) -> None:
    features = hostile(Kind.RACING_START)
    features.start("waits_forever", instance="one")
    time.sleep(0.3)
    assert features.client.post("/v1/start/waits_forever?id=one").status_code == 409


def test_a_start_may_leave_a_pending_instance_that_never_runs(hostile: Serve) -> None:
    features = hostile(Kind.PENDING_START)
    links = features.start("counts", "never")
    time.sleep(0.2)
    assert (features.status(links)["runtimeStatus"], features.calls()) == ("Pending", {})


def test_a_start_may_leave_nothing(hostile: Serve) -> None:
    features = hostile(Kind.LOST_START)
    links = features.start("counts", "never")
    assert features.client.get(links["statusQueryGetUri"]).status_code == 404


def test_an_event_to_what_has_not_begun_may_be_lost(hostile: Serve) -> None:
    features = hostile(Kind.PENDING_START, Kind.LOST_EVENT)
    links = features.start("waits_forever")
    assert features.raise_event(links, "go", 1) == 202
    time.sleep(0.2)
    assert features.status(links)["runtimeStatus"] == "Pending"
    assert (Kind.LOST_EVENT, "waits_forever") in _struck(features)


@pytest.mark.parametrize(("kind", "calls"), [(Kind.ACTIVITY_NOT_RUN, {}), (Kind.ACTIVITY_RESULT_LOST, {"once": 1})])
def test_an_activity_may_fail_before_or_after_it_ran(hostile: Serve, kind: Kind, calls: dict[str, int]) -> None:
    features = hostile(kind)
    why = features.output("counts", "once")
    assert "Activity function 'count' failed:  PlatformError: The language worker ended" in str(why)
    deadline = time.monotonic() + 5
    while features.calls() != calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert features.calls() == calls


def test_an_activity_may_run_twice(hostile: Serve) -> None:
    features = hostile(Kind.ACTIVITY_TWICE)
    assert features.output("counts", "once") in (1, 2)
    deadline = time.monotonic() + 5
    while features.calls() != {"once": 2} and time.monotonic() < deadline:
        time.sleep(0.01)
    assert features.calls() == {"once": 2}


def test_an_orchestrator_may_end_failed_without_its_last_steps(hostile: Serve) -> None:
    features = hostile(Kind.ORCHESTRATOR_FAILED)
    status = features.end(features.start("counts", "never"))
    assert status["runtimeStatus"] == "Failed"
    assert status["output"] == "Orchestrator function 'counts' failed: The language worker ended before it answered."
    assert features.calls() == {}


def _seed(kind: Kind, **strikes: bool) -> int:
    """A seed with which it happens, or does not, to the first call of each function."""
    for seed in range(1000):
        hostility = Hostility(seed, rates={kind: 0.5})
        if all(hostility.strikes(kind, function) == wanted for function, wanted in strikes.items()):
            return seed
    raise LookupError(kind)


def test_a_sub_orchestration_may_end_failed(tmp_path: Path) -> None:
    hostility = Hostility(
        _seed(Kind.ORCHESTRATOR_FAILED, parent=False, child=True), rates={Kind.ORCHESTRATOR_FAILED: 0.5}
    )
    with serve(tmp_path, hostile=hostility) as features:
        status = features.end(features.start("parent"))
        assert status["runtimeStatus"] == "Failed"
        assert hostility.struck[0].function == "child"


def test_the_worker_may_be_restarted_during_any_call(hostile: Serve) -> None:
    features = hostile(Kind.WORKER_RESTARTED)
    assert features.client.post("/v1/start/counts").status_code == 500
    assert features.client.get("/v1/calls").status_code == 200
    features.host.hostility.make_peace()
    links = features.start("naps", {"seconds": 0.5})
    features.until(links, "Running")
    assert features.end(links)["output"] == "rested"


def test_a_restart_of_the_worker_takes_along_what_else_runs_in_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    hostility = Hostility(1, rates={}, clock=clock)
    with serve(tmp_path, clock=clock, hostile=hostility) as features:
        links = features.start("naps", {"seconds": 5})
        features.until(links, "Running")
        # Until the activity runs, of which the status says nothing.
        time.sleep(1)
        hostility.resume({Kind.WORKER_RESTARTED: 1.0})
        assert features.client.post("/v1/start/chaining").status_code == 500
        hostility.make_peace()
        assert "The language worker ended while nap ran" in features.end(links)["output"]


def test_a_batch_of_an_entity_may_be_repeated_and_counts_once(tmp_path: Path) -> None:
    hostility = Hostility(_seed(Kind.ENTITY_REPEATED, counter=True), rates={Kind.ENTITY_REPEATED: 0.5})
    with serve(tmp_path, hostile=hostility) as features:
        assert features.output("counting", "one") == 2
        assert {one.kind for one in hostility.struck} == {Kind.ENTITY_REPEATED}


def test_operations_of_an_entity_are_repeated_when_the_worker_is_restarted(tmp_path: Path) -> None:
    hostility = Hostility(_seed(Kind.WORKER_RESTARTED, counter=True), rates={Kind.WORKER_RESTARTED: 0.5})
    with serve(tmp_path, hostile=hostility) as features:
        add, look = features.management("entities/counter/one?op=add"), features.management("entities/counter/one")
        assert features.client.post(add, json="1").status_code == 202
        deadline = time.monotonic() + 10
        while features.client.get(look).status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert features.client.get(look).json() == 1
        assert (Kind.WORKER_RESTARTED, "counter") in _struck(features)


def test_a_timer_may_be_late_by_half_a_minute(hostile: Serve) -> None:
    seconds = hostile(Kind.LATE_TIMER).output("waits_an_hour")
    assert isinstance(seconds, float)
    assert 3605 < seconds < 3635


def test_a_timer_trigger_may_not_run(hostile: Serve) -> None:
    features = hostile(Kind.TIMER_TRIGGER_NOT_RUN)
    headers = {"x-functions-key": features.host.keys.master}
    assert features.client.post("/admin/functions/tick", headers=headers).status_code == 202
    assert features.calls() == {}
    features.host.hostility.make_peace()
    features.client.post("/admin/functions/tick", headers=headers)
    assert features.calls() == {"tick": 1}


def test_a_read_may_show_an_older_state_for_a_while(hostile: Serve) -> None:
    features = hostile(Kind.LAGGING_READ)
    links = features.start("counts", "once")
    deadline = time.monotonic() + 5
    while not features.calls() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert features.status(links)["runtimeStatus"] in ("Pending", "Running")
    assert features.end(links)["output"] == 1


def test_peace_can_be_made_and_comes_by_itself() -> None:
    clock = VirtualClock()
    soon = Hostility(1, rates={Kind.LOST_START: 1}, clock=clock, until=clock.now() + timedelta(minutes=1))
    assert soon.strikes(Kind.LOST_START, "any")
    clock.advance_to(clock.now() + timedelta(minutes=1))
    assert not soon.strikes(Kind.LOST_START, "any")
    made = Hostility(1, rates={Kind.LOST_START: 1})
    made.make_peace()
    assert not made.strikes(Kind.LOST_START, "any")
    assert (len(soon.struck), made.struck) == (1, [])


def test_what_happens_to_a_function_does_not_depend_on_the_others() -> None:
    alone, beside = Hostility(7), Hostility(7)
    first = [alone.strikes(Kind.ACTIVITY_TWICE, "count") for _ in range(100)]
    second = []
    for _ in range(100):
        beside.strikes(Kind.ACTIVITY_TWICE, "other")
        beside.strikes(Kind.LATE_TIMER, "count")
        second.append(beside.strikes(Kind.ACTIVITY_TWICE, "count"))
    assert first == second
    assert any(first)


def test_two_runs_with_a_seed_meet_the_same_trouble_and_another_seed_other(tmp_path: Path) -> None:
    assert _life(tmp_path / "one", 11) == _life(tmp_path / "two", 11)
    assert _life(tmp_path / "three", 11) != _life(tmp_path / "four", 12)


def _life(state: Path, seed: int) -> list[tuple[Kind, str]]:
    """What happens to some runs, one after the other; whom a restart or a lag meets is a matter of the moment."""
    by_chance = (Kind.WORKER_RESTARTED, Kind.LAGGING_READ)
    rates = {kind: min(3 * rate, 0.5) for kind, rate in USUAL_RATES.items() if kind not in by_chance}
    with serve(state, hostile=Hostility(seed, rates=rates)) as features:
        for n in range(4):
            for name in ("chaining", "waits_an_hour"):
                links = features.start(name, instance=f"{name}-{n}")
                if not any(
                    one.instance == links["id"] for one in features.host.hostility.struck if "start" in one.kind
                ):
                    features.end(links)
        return _struck(features)
