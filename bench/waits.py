"""How often a wait is looked at, and how late its end is noticed, on a virtual clock."""

import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TypedDict

from local.clock import VirtualClock
from local.cloud import Scenario
from local.deployment import Deployment, deploy

WAITS: Final = (10, 60, 600, 3600)
_DAY: Final = 24 * 3600


class WaitCost(TypedDict):
    """What one wait cost: seconds of it, looks, and how late its end was noticed."""

    wait: float
    looks: int
    lag: float


def wait_cost(seconds: float) -> WaitCost:
    """Let Aiven take so many seconds to build its side, and see when the app notices."""
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        deployment.knobs(approved=seconds)
        status = deployment.settle()
        steps = {step["name"]: step for step in status["steps"]}
        requested = datetime.fromisoformat(steps["peering_connection"]["finished"])
        noticed = datetime.fromisoformat(steps["pending_peer"]["finished"])
        waited = (noticed - requested).total_seconds()
        return WaitCost(wait=seconds, looks=steps["pending_peer"]["tries"], lag=waited - seconds)


class Day(NamedTuple):
    """What one day of waits cost: CPU seconds of app, host and cloud together, remote calls, and what was kept.

    Memory of the process and size of the task hub, in megabytes, are those at the end of the day.
    """

    cpu: float
    calls: int
    memory: float
    task_hub: float


def days_of_waits(count: int) -> list[Day]:
    """So many starts wait for Aiven at once; a first and a second day of that."""
    scenario = Scenario.model_validate({"vnets": count, "approved": 3 * _DAY})
    settings = {"PLATFORM_DEADLINE_HOURS": "96"}
    with (
        tempfile.TemporaryDirectory() as directory,
        deploy(Path(directory), scenario, settings=settings) as deployment,
    ):
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda vnet: deployment.start(vnet_id=vnet), deployment.cloud.vnet_ids))
        clock = deployment.virtual_clock
        # Until all have come to their wait.
        _until(clock, clock.now() + timedelta(hours=1))
        return [_day(deployment, clock) for _ in range(2)]


def _day(deployment: Deployment, clock: VirtualClock) -> Day:
    deployment.clear_requests()
    cpu = time.process_time()
    _until(clock, clock.now() + timedelta(seconds=_DAY))
    calls = [request for request in deployment.cloud.requests if request.service != "table"]
    hub = sum(path.stat().st_size for path in deployment.state.glob("task-hub.db*"))
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return Day(time.process_time() - cpu, len(calls), memory / 1e6, hub / 1e6)


def _until(clock: VirtualClock, moment: datetime) -> None:
    while clock.now() < moment:
        time.sleep(0.05)
