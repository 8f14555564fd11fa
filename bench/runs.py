"""One run against the longest chain of its remote calls, its history, and many runs at once."""

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

from local.clock import SystemClock
from local.cloud import Scenario
from local.deployment import AT_WORK, Deployment, Status, deploy
from peering.plan import STEPS

LATENCY: Final = 0.2
#: Remote calls in a row that each step makes, once the app's own tokens are there and the roles exist.
CALLS_IN_A_ROW: Final = {
    "sign_in": 0,
    "project_vpc": 1,
    "vnet": 1,
    "ownership": 0,
    "address_spaces": 0,
    "automation_rights": 1,
    "limits": 1,
    "password_policy": 1,
    "price": 1,
    "inventory": 2,
    "application": 1,
    "user_service_principal": 1,
    "application_credential": 4,
    "user_role": 1,
    "user_role_assignment": 1,
    "platform_service_principal": 1,
    "platform_role": 1,
    "platform_role_assignment": 1,
    "stale_connection": 0,
    "stale_peering": 0,
    "orphaned_peering": 0,
    "surplus_rights": 2,
    "holds": 1,
    "sync": 0,
    "release_rights": 0,
    "tenant": 0,
    "peering_connection": 2,
    "pending_peer": 1,
    "vnet_peering": 3,
    "connected": 1,
    "active": 1,
}
#: Calls that a step makes at the same time as another of its own.
CALLS_BESIDE: Final = {"vnet": 1, "automation_rights": 2, "inventory": 3, "vnet_peering": 2}


def longest_chain() -> int:
    """How many remote calls depend on one another, at the most, in one run."""
    ends: dict[str, int] = {}
    while len(ends) < len(STEPS):
        for step in STEPS:
            sources = [source for source in STEPS if set(source.yields) & set(step.needs)]
            if all(source.name in ends for source in sources):
                ends[step.name] = max((ends[s.name] for s in sources), default=0) + CALLS_IN_A_ROW[step.name]
    return max(ends.values())


def run_seconds(status: Status) -> float:
    """From the first step's start to the last one's end."""
    steps = [step for step in status["steps"] if step["state"] == "done"]
    ends = max(datetime.fromisoformat(step["finished"]) for step in steps)
    return (ends - min(datetime.fromisoformat(step["started"]) for step in steps)).total_seconds()


@contextmanager
def _deployed(vnets: int) -> Iterator[Deployment]:
    with tempfile.TemporaryDirectory() as directory:
        scenario = Scenario.model_validate({"vnets": vnets})
        with deploy(Path(directory), scenario, clock=SystemClock()) as deployment:
            yield deployment


def _vnet_ids(deployment: Deployment) -> list[str]:
    ours = deployment.cloud.landscape.subscription
    return [vnet.id for vnet in deployment.cloud.world.vnets.values() if vnet.subscription_id == ours]


def _remote_calls(deployment: Deployment) -> int:
    """The requests so far to other remotes than the app's own registry."""
    return sum(request.service != "table" for request in deployment.cloud.requests)


class RunCost(TypedDict):
    """What runs cost; seconds."""

    first: float
    later: float
    with_latency: float
    chain: int
    ratio: float
    events: int
    bytes: int


def run_cost(rounds: int = 5) -> RunCost:
    """Runs at zero platform delay: the first of a process, later ones, and those with 200 ms for each remote call."""
    with _deployed(2 * rounds + 1) as deployment:
        vnets = _vnet_ids(deployment)
        first, events, size = _watched(deployment, vnets[0])
        later = [run_seconds(deployment.settle(vnet_id=vnet)) for vnet in vnets[1 : rounds + 1]]
        before = _remote_calls(deployment)
        deployment.knobs(latency=LATENCY)
        slow = [run_seconds(deployment.settle(vnet_id=vnet)) for vnet in vnets[rounds + 1 :]]
        calls = (_remote_calls(deployment) - before) / rounds
        expected = sum(CALLS_IN_A_ROW.values()) + sum(CALLS_BESIDE.values())
        if calls != expected:
            raise AssertionError(f"a run makes {calls} remote calls, the table has {expected}")
    bound = longest_chain() * LATENCY
    return RunCost(
        first=run_seconds(first),
        later=median(later),
        with_latency=median(slow),
        chain=longest_chain(),
        ratio=median(slow) / bound,
        events=events,
        bytes=size,
    )


def _watched(deployment: Deployment, vnet_id: str) -> tuple[Status, int, int]:
    """A run, and the most events and bytes that the histories of it and its waits were seen to have."""
    query = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
    identity, sizes = deployment.start(vnet_id=vnet_id), dict[str, tuple[int, int]]()
    while (status := deployment.status(identity))["state"] in AT_WORK:
        for instance in deployment.instances():
            history = deployment.instance(instance["instanceId"], **query).get("historyEvents", [])
            seen = len(history), len(json.dumps(history))
            sizes[instance["instanceId"]] = max(sizes.get(instance["instanceId"], (0, 0)), seen)
    return status, sum(events for events, _ in sizes.values()), sum(size for _, size in sizes.values())


class Throughput(TypedDict):
    """Many peerings started at once; seconds, and peerings a second."""

    peerings: int
    seconds: float
    rate: float


def throughput(count: int = 200) -> Throughput:
    """Start so many peerings at once and wait until all are connected."""
    with _deployed(count) as deployment:
        started = time.perf_counter()
        with ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(lambda vnet: deployment.start(vnet_id=vnet), _vnet_ids(deployment)))
        ended = [deployment.until(identity, seconds=600) for identity in ids]
        seconds = time.perf_counter() - started
    problems = [status["problem"] for status in ended if status["state"] != "connected"]
    if problems:
        raise AssertionError(f"{len(problems)} were not connected, such as {problems[0]}")
    return Throughput(peerings=count, seconds=seconds, rate=count / seconds)
