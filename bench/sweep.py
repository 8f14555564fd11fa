"""A check of many peerings: what it asks of the remotes, and how long it takes."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypedDict

from bench.registry import connected, fill
from local.clock import Clock, SystemClock
from local.cloud import Scenario
from local.cloud.population import establish
from local.deployment import Deployment, deploy
from peering.naming import peering_id
from peering.outcome import Facts
from peering.registry import Record
from peering.request import PeeringRequest

PROJECT_VPCS: Final = 20
VNETS: Final = 100
#: Each VNet is peered with so many project VPCs.
EACH: Final = 10
#: A sweep that takes longer hangs.
_MOST_SECONDS: Final = 240


class SweepCost(TypedDict):
    """What one sweep asked for, and its wall time in seconds."""

    peerings: int
    verdicts: dict[str, int]
    aiven_reads: int
    peering_lists: int
    calls_beside: int
    beside_each_vnet: float
    seconds: float


@contextmanager
def populated(directory: Path, clock: Clock | None = None) -> Iterator[Deployment]:
    """The app with a thousand peerings that are connected already, in the cloud and in the registry."""
    scenario = Scenario.model_validate({"vnets": VNETS, "project_vpcs": PROJECT_VPCS})
    with deploy(directory, scenario, clock=clock) as deployment:
        world, landscape = deployment.cloud.world, deployment.cloud.landscape
        vnets = [v for v in world.vnets.values() if v.subscription_id == landscape.subscription]
        vpcs, records = list(world.project_vpcs.values()), list[Record]()
        for number, vnet in enumerate(vnets):
            for place in range(EACH):
                vpc = vpcs[(number + place * (PROJECT_VPCS // EACH)) % PROJECT_VPCS]
                made = asdict(establish(world, landscape, vnet, vpc))
                records.append(_record(deployment, vnet.id, vpc.id, made))
        fill(deployment, records)
        yield deployment


def _record(deployment: Deployment, vnet_id: str, vpc_id: str, made: dict[str, str]) -> Record:
    """The record of a peering, as a run would leave it that has connected it."""
    project = deployment.cloud.environment["AIVEN_PROJECT"]
    request = PeeringRequest.model_validate(
        {"project": project, "project_vpc_id": vpc_id, "vnet_id": vnet_id}, strict=False
    )
    peering = request.peering()
    facts: Facts = {**made, "vnet_id": vnet_id, "tenant_id": deployment.cloud.landscape.customer_tenant, "found": []}
    facts |= {"user_rights": "standing", "credential": "secret", "existing": "none"}
    if peering["id"] != peering_id(project, vpc_id, vnet_id):
        raise AssertionError("the registry and the cloud disagree about the peering's id")
    return connected(peering, facts)


def listed(deployment: Deployment) -> Iterator[dict[str, str]]:
    """All peerings of the list, page after page."""
    url = "/api/peerings?limit=100"
    while url:
        page = deployment.api.get(url).raise_for_status().json()
        yield from page["peerings"]
        url = page.get("next", "")


def sweep(deployment: Deployment) -> SweepCost:
    """One scheduled check of everything."""
    deployment.clear_requests()
    started = time.perf_counter()
    deployment.fire("check_all_peerings")
    deployment.until_ended("health-sweep", _MOST_SECONDS)
    seconds = time.perf_counter() - started
    requests = [request for request in deployment.cloud.requests if request.service != "table"]
    aiven = [r for r in requests if r.service == "aiven"]
    lists = [r for r in requests if r.path.endswith("/virtualNetworkPeerings")]
    beside = len(requests) - len(aiven) - len(lists)
    return SweepCost(
        peerings=sum(1 for _ in listed(deployment)),
        verdicts=dict(Counter(peering.get("verdict", "none") for peering in listed(deployment))),
        aiven_reads=len(aiven),
        peering_lists=len(lists),
        calls_beside=beside,
        beside_each_vnet=beside / VNETS,
        seconds=seconds,
    )


def sweep_cost() -> SweepCost:
    """A sweep of a thousand healthy peerings."""
    with tempfile.TemporaryDirectory() as directory, populated(Path(directory), SystemClock()) as deployment:
        return sweep(deployment)
