"""Starts: beside the calls that any implementation needs, what they open and keep, and many at once."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple, TypedDict

import httpx

from local.clock import SystemClock
from local.cloud import LocalCloud, Scenario
from local.cloud.server.request_log import LoggedRequest
from local.demo import peering_request
from local.deployment import AT_WORK, Deployment, deploy
from local.processes import app_settings, local_app

#: Seconds of a remote call, of a request to the app's own tables, and to a host and back for a new connection.
LATENCY: Final = 0.2
_SLOW: Final = {"latency": LATENCY, "table_latency": 0.01, "round_trip": 0.05}
#: Sequential remote calls in any implementation of the help article. They are for the application, its service
#: principal, a role assignment, the request for the connection, PENDING_PEER, the two tokens, the VNet peering,
#: Connected, ACTIVE.
NEEDED: Final = 9
_BETWEEN_LOOKS: Final = 1.5
#: What is no remote: the app's own tables, and the end of its own identity.
_OWN: Final = ("table", "identity")


class Start(NamedTuple):
    """One start: seconds from the request to ACTIVE, remote calls one after another, connections that were opened."""

    seconds: float
    chain: int
    connections: int


class Apart(NamedTuple):
    """The local cloud in this process, and the app in one of its own."""

    cloud: LocalCloud
    api: httpx.Client

    def start(self, vnet_id: str) -> Start:
        """Start a peering and wait until it is connected."""
        calls, opened, asked = len(self.cloud.requests), len(self.cloud.connections), datetime.now(UTC)
        request = {**peering_request(self.cloud.environment), "vnet_id": vnet_id}
        url = self.api.post("/api/peerings", json=request).raise_for_status().headers["Location"]
        # Constant polling would add to the time that is measured.
        time.sleep(_BETWEEN_LOOKS)
        while (status := self.api.get(url).raise_for_status().json())["state"] in AT_WORK:
            time.sleep(_BETWEEN_LOOKS)
        if status["state"] != "connected":
            raise AssertionError(f"a start ended as {status['state']}: {status.get('problem')}")
        active = next(datetime.fromisoformat(s["finished"]) for s in status["steps"] if s["name"] == "active")
        made = [r for r in self.cloud.requests[calls:] if r.service not in _OWN and _span(r)[1] <= active]
        opens = len(self.cloud.connections) - opened
        return Start((active - asked).total_seconds(), one_after_another(made), opens)


def one_after_another(requests: Iterable[LoggedRequest]) -> int:
    """How many requests of some came one after another, at the most: each began when the one before had ended."""
    count, free = 0, datetime.min.replace(tzinfo=UTC)
    for began, ended in sorted(map(_span, requests), key=lambda span: span[1]):
        if began >= free:
            count, free = count + 1, ended
    return count


def _span(request: LoggedRequest) -> tuple[datetime, datetime]:
    ended = datetime.fromisoformat(request.time)
    return ended - timedelta(seconds=request.seconds), ended


@contextmanager
def _apart(vnets: int) -> Iterator[Apart]:
    with tempfile.TemporaryDirectory() as directory:
        scenario = Scenario.model_validate({"vnets": vnets})
        with (
            LocalCloud(scenario, Path(directory, "cloud"), clock=SystemClock()) as cloud,
            local_app(Path(directory, "app"), app_settings(cloud.environment)) as app,
            app.client() as api,
        ):
            yield Apart(cloud, api)


@contextmanager
def _deployed(vnets: int) -> Iterator[Deployment]:
    with tempfile.TemporaryDirectory() as directory:
        scenario = Scenario.model_validate({"vnets": vnets})
        with deploy(Path(directory), scenario, clock=SystemClock()) as deployment:
            yield deployment


class RunCost(TypedDict):
    """What starts cost: seconds, calls one after another, connections."""

    first: float
    later: float
    slow: float
    ratio: float
    first_chain: int
    chain: int
    first_opens: int
    later_opens: int


def run_cost(rounds: int = 5) -> RunCost:
    """A process's first start and later ones without delays; and its first two with the delays of real networks."""
    with _apart(rounds + 1) as apart:
        first, *later = map(apart.start, apart.cloud.vnet_ids)
    slow = [_first_two_slow() for _ in range(rounds)]
    seconds = median(second.seconds for _, second in slow)
    return RunCost(
        first=first.seconds,
        later=median(start.seconds for start in later),
        slow=seconds,
        ratio=seconds / (NEEDED * LATENCY),
        first_chain=max(first.chain for first, _ in slow),
        chain=max(second.chain for _, second in slow),
        first_opens=max(one.connections for one in (first, *(first for first, _ in slow))),
        later_opens=max(one.connections for one in (*later, *(second for _, second in slow))),
    )


def _first_two_slow() -> tuple[Start, Start]:
    """A process's first two starts with the delays of real networks."""
    with _apart(2) as apart:
        for name, seconds in _SLOW.items():
            setattr(apart.cloud.world.knobs, name, seconds)
        first, second = map(apart.start, apart.cloud.vnet_ids)
    return first, second


class Throughput(TypedDict):
    """Many peerings started at once; seconds, and peerings a second."""

    peerings: int
    seconds: float
    rate: float


def throughput(deployment: Deployment) -> Throughput:
    """Start a peering for each VNet of the customer's at once, and wait until all are connected."""
    vnets, started = deployment.cloud.vnet_ids, time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda vnet: deployment.start(vnet_id=vnet), vnets))
    ended = [deployment.until(identity, seconds=600) for identity in ids]
    seconds = time.perf_counter() - started
    problems = [status["problem"] for status in ended if status["state"] != "connected"]
    if problems:
        raise AssertionError(f"{len(problems)} were not connected, such as {problems[0]}")
    return Throughput(peerings=len(ids), seconds=seconds, rate=len(ids) / seconds)


def starts_at_once(count: int = 200) -> Throughput:
    """So many starts at once."""
    with _deployed(count) as deployment:
        return throughput(deployment)
