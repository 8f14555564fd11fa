"""Many starts at once under the throttles of Azure Resource Manager, Microsoft Graph and Aiven, in virtual time."""

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from bench.sweep import Size, listed, populate
from clients.budgets import LIMITS, Bucket
from clients.budgets_of_requests import buckets_of, buckets_of_arm
from local.cloud import LocalCloud, Scenario
from local.cloud.server.request_log import LoggedRequest
from local.deployment import Deployment, deploy
from peering.runs import SWEEP

#: The documented limits, and Aiven's as it has been told.
_THROTTLES: Final = {"arm_limits": 1, "graph_tenant_size": "S", "aiven_requests_per_minute": 120}
#: Seconds that Aiven takes to build its side, and to notice the other one.
_DELAYS: Final = {"approved": 60, "detect": 45}
_TOO_MANY: Final = 429
_PATIENCE: Final = 3600


class Throttled(NamedTuple):
    """Starts under throttles: how many, virtual seconds, the bound that the throttles set, and what sets it.

    The bound is the largest, over all buckets, of the requests that were let through over their rate. `refused` are the
    requests beside these.
    """

    starts: int
    seconds: float
    bound: float
    bucket: str
    refused: int

    @property
    def ratio(self) -> float:
        """How many times the bound it took."""
        return self.seconds / self.bound


def throttled_starts(count: int, swept: Size | None = None) -> Throttled:
    """So many starts at once.

    Args:
        count: how many.
        swept: peerings beside them that are there already, in the same subscription, and are checked meanwhile.

    Raises:
        AssertionError: one was not connected, or not found healthy.
    """
    there = swept.vnets if swept else 0
    knobs = {"vnets": there + count, "project_vpcs": swept.project_vpcs if swept else 1, **_THROTTLES, **_DELAYS}
    scenario = Scenario.model_validate(knobs)
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory), scenario) as deployment:
        if swept:
            populate(deployment.cloud, swept)
        return _start_all(deployment, deployment.cloud.vnet_ids[there:], swept)


def _start_all(deployment: Deployment, vnets: list[str], swept: Size | None) -> Throttled:
    clock = deployment.virtual_clock
    deployment.clear_requests()
    began = clock.now()
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda vnet: deployment.start(vnet_id=vnet), vnets))
    if swept:
        deployment.fire("check_all_peerings")
    ended = [deployment.until(identity, seconds=_PATIENCE) for identity in ids]
    seconds = (clock.now() - began).total_seconds()
    problems = [status["problem"] for status in ended if status["state"] != "connected"]
    if problems:
        raise AssertionError(f"{len(problems)} were not connected, such as {problems[0]}")
    requests = deployment.cloud.requests
    if swept:
        _see_healthy(deployment, swept)
    bucket, bound = max(_bounds(deployment.cloud, requests).items(), key=lambda bound: bound[1])
    refused = sum(request.status == _TOO_MANY for request in requests)
    return Throttled(len(vnets), seconds, bound, bucket.kind, refused)


def _see_healthy(deployment: Deployment, swept: Size) -> None:
    deployment.until_ended(SWEEP, _PATIENCE)
    verdicts = Counter(peering.get("verdict") for peering in listed(deployment.api))
    if verdicts["healthy"] < swept.peerings:
        raise AssertionError(f"not all are healthy: {verdicts}")


def _bounds(cloud: LocalCloud, requests: list[LoggedRequest]) -> dict[Bucket, float]:
    """How long what each bucket has let through takes at its rate."""
    own = cloud.environment["AZURE_CLIENT_ID"]
    taken = Counter[Bucket]()
    for request in requests:
        if request.status == _TOO_MANY:
            continue
        if request.service == "arm":
            taken.update(buckets_of_arm(request.method, request.path, own=request.app_id == own))
        elif request.service in ("aiven", "graph"):
            taken.update(buckets_of("Aiven" if request.service == "aiven" else "Microsoft Graph", request.method))
    return {bucket: number / LIMITS[bucket.kind].per_second for bucket, number in taken.items()}
