"""What the operations cost on the genuine engine with Azurite: where the Durable extension is, see docs/testing.md."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from bench.runs import Throughput, throughput
from bench.sweep import Sweep, populated, sweep
from local.cloud import Scenario
from local.deployment import Deployment, deploy, deployed_on
from local.genuine import GenuinePlatform, Verdict, WorkerCall, genuine_engine
from peering.naming import peering_id

_ROUNDS: Final = 5


class OperationCost(NamedTuple):
    """Seconds from the request to the outcome, worker calls, and the events and bytes of the run's history."""

    seconds: float
    calls: int
    events: int
    bytes: int


@contextmanager
def genuine() -> Iterator[Path]:
    """The genuine engine for what is deployed meanwhile, and a directory for that.

    Raises:
        RuntimeError: a part of it is missing.
    """
    with tempfile.TemporaryDirectory() as directory:
        platform = GenuinePlatform(Path(directory))
        try:
            with deployed_on(platform):
                yield Path(directory)
        finally:
            platform.stop()


def operation_costs() -> dict[str, OperationCost]:
    """A start, a check, a rotation and a removal of several VNets beside one that is connected: the most of each.

    Of the seconds it is the median: the machine is noisy.

    What peerings share, custom roles and the platform's service principal, the first start alone makes.
    """
    scenario = Scenario.model_validate({"vnets": _ROUNDS + 2})
    with genuine() as directory, deploy(directory / "app", scenario) as deployment:
        warm, first, *others = deployment.cloud.vnet_ids
        _life(deployment, warm)
        there = _cost(deployment, first, lambda: deployment.settle(vnet_id=first))
        lives = [_life(deployment, vnet_id) for vnet_id in others]
    return {"first start": there, **{name: _most([one[name] for one in lives]) for name in lives[0]}}


def _most(costs: list[OperationCost]) -> OperationCost:
    seconds, calls, events, size = zip(*costs, strict=True)
    return OperationCost(median(seconds), max(calls), max(events), max(size))


def _life(deployment: Deployment, vnet_id: str) -> dict[str, OperationCost]:
    identity = _identity(deployment, vnet_id)
    return {
        "start": _cost(deployment, vnet_id, lambda: deployment.settle(vnet_id=vnet_id)),
        "check": _cost(deployment, vnet_id, lambda: deployment.check(identity)),
        "rotation": _cost(deployment, vnet_id, lambda: deployment.rotate(identity)),
        "removal": _cost(deployment, vnet_id, lambda: deployment.remove(identity)),
    }


def _identity(deployment: Deployment, vnet_id: str) -> str:
    request = deployment.request()
    return peering_id(str(request["project"]), str(request["project_vpc_id"]), vnet_id)


def _cost(deployment: Deployment, vnet_id: str, operate: Callable[[], object]) -> OperationCost:
    calls, times = list[WorkerCall](), list[float]()

    async def note(call: WorkerCall) -> Verdict:
        calls.append(call)
        times.append(time.perf_counter())
        return Verdict.RUN

    genuine_engine(deployment.host).intercept(note)
    began = time.perf_counter()
    operate()
    deployment.until_ended(_identity(deployment, vnet_id))
    # What an orchestrator is told is its history so far.
    told = max((call.body for call in calls if call.name == "run_order"), key=len)
    concluded = times[[call.name for call in calls].index("conclude_order")]
    history = json.loads(told)["history"]
    return OperationCost(concluded - began, len(calls), len(history), len(json.dumps(history)))


def starts_at_once(count: int = 100) -> Throughput:
    """So many starts at once."""
    scenario = Scenario.model_validate({"vnets": count})
    with genuine() as directory, deploy(directory / "app", scenario) as deployment:
        return throughput(deployment)


def sweep_of_a_thousand() -> Sweep:
    """The second check of a thousand healthy peerings."""
    with genuine() as directory, populated(directory / "app") as deployment:
        sweep(deployment)
        return sweep(deployment)
