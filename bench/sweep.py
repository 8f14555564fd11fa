"""A check of many peerings: what it asks of the remotes, and how long it takes."""

import math
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, NamedTuple, TypedDict

from bench.registry import connected, fill
from local.clock import Clock, SystemClock
from local.cloud import Scenario
from local.cloud.population import establish
from local.deployment import Deployment, deploy
from peering.naming import peering_id
from peering.outcome import Facts
from peering.registry import Record
from peering.request import PeeringRequest

#: Each VNet is peered with so many project VPCs.
EACH: Final = 10
#: A sweep that takes longer hangs.
_MOST_SECONDS: Final = 600


class Size(NamedTuple):
    """How many VNets in how many subscriptions there are, and how many project VPCs."""

    vnets: int
    project_vpcs: int
    subscriptions: int = 3

    @property
    def peerings(self) -> int:
        """How many peerings there are."""
        return self.vnets * EACH

    @property
    def reads(self) -> float:
        """What a check of all may ask of the remotes, but for what it asks once."""
        return self.project_vpcs + 3 * self.vnets + 2 * self.peerings / 15 + self.peerings / 25


THOUSAND: Final = Size(100, 20)
#: From a hundred peerings to ten thousand.
SIZES: Final = (Size(10, 10), THOUSAND, Size(1000, 200))


class SweepCost(TypedDict):
    """What one sweep asked for, and its wall time in seconds."""

    peerings: int
    verdicts: dict[str, int]
    aiven_reads: int
    peering_lists: int
    reads: int
    registry_requests: int
    seconds: float


@contextmanager
def populated(directory: Path, size: Size = THOUSAND, clock: Clock | None = None) -> Iterator[Deployment]:
    """The app with peerings that are connected already, in the cloud and in the registry."""
    scenario = Scenario.model_validate(size._asdict())
    with deploy(directory, scenario, clock=clock) as deployment:
        world, landscape = deployment.cloud.world, deployment.cloud.landscape
        vnets = [v for v in world.vnets.values() if v.subscription_id in landscape.subscriptions]
        vpcs, records = list(world.project_vpcs.values()), list[Record]()
        for number, vnet in enumerate(vnets):
            for place in range(EACH):
                vpc = vpcs[(number + place * (size.project_vpcs // EACH)) % size.project_vpcs]
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
    signed_in = [request for request in deployment.cloud.requests if request.service == "entra"]
    remote = [request for request in deployment.cloud.requests if request.service not in ("table", "entra")]
    return SweepCost(
        peerings=sum(1 for _ in listed(deployment)),
        verdicts=dict(Counter(peering.get("verdict", "none") for peering in listed(deployment))),
        aiven_reads=len([r for r in remote if r.service == "aiven"]),
        peering_lists=len([r for r in remote if r.path.endswith("/virtualNetworkPeerings")]),
        reads=len(remote),
        registry_requests=len(deployment.cloud.requests) - len(remote) - len(signed_in),
        seconds=seconds,
    )


def sweep_cost(size: Size) -> SweepCost:
    """The second check of healthy peerings: the first one has news of all of them."""
    with tempfile.TemporaryDirectory() as directory, populated(Path(directory), size, SystemClock()) as deployment:
        sweep(deployment)
        return sweep(deployment)


def exponent(smaller: SweepCost, larger: SweepCost) -> float:
    """How the time grows with the number of peerings: 1 is linear."""
    return math.log(larger["seconds"] / smaller["seconds"]) / math.log(larger["peerings"] / smaller["peerings"])
