"""A check of many peerings: what it asks of the remotes, and how long it takes."""

import math
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypedDict

import httpx
import psutil

from bench.apart import apart, cpu_seconds
from local.cloud import LocalCloud, Scenario
from local.cloud.world.population import establish
from local.deployment import Deployment, deploy
from local.registry import connected, fill
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts
from peering.naming import peering_id
from peering.record import Record
from peering.request import PeeringRequest
from peering.runs import SWEEP

#: Each VNet is peered with so many project VPCs.
EACH: Final = 10
#: The network and its peerings; the third covers what is asked once for many VNets: the role assignments in a
#: subscription, its roles, and the ends of lists.
READS_OF_A_VNET: Final = 3
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
        """What a check of all may ask of the remotes; each peering has an application and a secret of its own."""
        return self.project_vpcs + READS_OF_A_VNET * self.vnets + 2 * self.peerings / 15 + self.peerings / 25

    @property
    def scenario(self) -> Scenario:
        """The cloud."""
        return Scenario.model_validate(self._asdict())


THOUSAND: Final = Size(100, 20)
#: From a hundred peerings to ten thousand.
SIZES: Final = (Size(10, 10), THOUSAND, Size(1000, 200))


class Sweep(TypedDict):
    """What one sweep asked for, the verdicts after it, and its seconds: wall time, and the processor's."""

    peerings: int
    verdicts: dict[str, int]
    aiven_reads: int
    peering_lists: int
    reads: int
    registry_requests: int
    seconds: float
    cpu_seconds: float


class SweepCost(TypedDict):
    """What sweeps cost: one that has news of all peerings, and one that has none.

    Wall time and the processor's of the app's process, in seconds; reads over what they may be; the most events of a
    history, and the app's peak memory in bytes.
    """

    news_seconds: float
    seconds: float
    cpu_seconds: float
    reads: float
    news_requests: int
    requests: int
    events: int
    peak_memory: int


class Swept(Protocol):
    """A running app with its cloud, as a sweep needs it."""

    @property
    def cloud(self) -> LocalCloud:
        """The cloud."""
        ...

    @property
    def api(self) -> httpx.Client:
        """A client of the app's API."""
        ...

    def fire(self, function: str) -> None:
        """Run a timer-triggered function now."""
        ...

    def until_ended(self, identity: str, seconds: float) -> object:
        """Wait until an orchestration has ended."""
        ...


@contextmanager
def populated(directory: Path, size: Size = THOUSAND) -> Iterator[Deployment]:
    """The app in this process, with peerings that are connected already, in the cloud and in the registry."""
    with deploy(directory, size.scenario) as deployment:
        populate(deployment.cloud, size)
        yield deployment


def populate(cloud: LocalCloud, size: Size) -> None:
    """Connect peerings, in the cloud and in the registry: those of the first VNets, where there are more."""
    world, landscape = cloud.world, cloud.landscape
    vnets = [v for v in world.vnets.values() if v.subscription_id in landscape.subscriptions][: size.vnets]
    vpcs, records = list(world.vpcs.values()), list[Record]()
    for number, vnet in enumerate(vnets):
        for place in range(EACH):
            vpc = vpcs[(number + place * (size.project_vpcs // EACH)) % size.project_vpcs]
            made = establish(world, landscape, vnet, vpc).facts
            records.append(_record(cloud, vnet.id, vpc.named, made))
    fill(cloud, records)


def _record(cloud: LocalCloud, vnet_id: str, vpc: AivenVpc, made: Facts) -> Record:
    """The record of a peering, as a run would leave it that has connected it."""
    request = PeeringRequest.model_validate({**vpc.names, "vnet_id": vnet_id}, strict=False)
    peering = request.peering()
    facts: Facts = {**made, "vnet_id": vnet_id, "tenant_id": cloud.landscape.customer_tenant, "found": []}
    facts |= {"user_rights": "standing", "credential": "secret", "existing": "none"}
    if peering["id"] != peering_id(vpc.owner, vpc.id, vnet_id):
        raise AssertionError("the registry and the cloud disagree about the peering's id")
    return connected(peering, facts)


def listed(api: httpx.Client) -> Iterator[dict[str, str]]:
    """All peerings of the list, page after page."""
    url = "/api/peerings?limit=100"
    while url:
        page = api.get(url).raise_for_status().json()
        yield from page["peerings"]
        url = page.get("next", "")


def sweep(swept: Swept, process: psutil.Process | None = None) -> Sweep:
    """One scheduled check of everything.

    Args:
        swept: the app.
        process: whose time on the processor is told; this one's by default.
    """
    process = process or psutil.Process()
    before, used, started = len(swept.cloud.requests), cpu_seconds(process), time.perf_counter()
    swept.fire("check_all_peerings")
    swept.until_ended(SWEEP, _MOST_SECONDS)
    seconds, used = time.perf_counter() - started, cpu_seconds(process) - used
    asked = swept.cloud.requests[before:]
    remote = [request for request in asked if request.service not in ("table", "entra")]
    peerings = list(listed(swept.api))
    return Sweep(
        peerings=len(peerings),
        verdicts=dict(Counter(peering.get("verdict", "none") for peering in peerings)),
        aiven_reads=len([r for r in remote if r.service == "aiven"]),
        peering_lists=len([r for r in remote if r.path.endswith("/virtualNetworkPeerings")]),
        reads=len(remote),
        registry_requests=len([r for r in asked if r.service == "table"]),
        seconds=seconds,
        cpu_seconds=used,
    )


def sweep_cost(size: Size) -> SweepCost:
    """Two checks of healthy peerings: the first has news of all of them, the second of none.

    Raises:
        AssertionError: not all were found healthy.
    """
    with tempfile.TemporaryDirectory() as directory, apart(Path(directory), size.scenario, "bench.unpaced") as swept:
        populate(swept.cloud, size)
        news, quiet = sweep(swept, swept.process), sweep(swept, swept.process)
        if not news["verdicts"] == quiet["verdicts"] == {"healthy": size.peerings}:
            raise AssertionError(f"not all are healthy: {news['verdicts']}, {quiet['verdicts']}")
        return SweepCost(
            news_seconds=news["seconds"],
            seconds=quiet["seconds"],
            cpu_seconds=quiet["cpu_seconds"],
            reads=quiet["reads"] / size.reads,
            news_requests=news["registry_requests"],
            requests=quiet["registry_requests"],
            events=swept.most_events,
            peak_memory=swept.peak_memory,
        )


def exponent(costs: Mapping[Size, SweepCost], smaller: Size, larger: Size) -> float:
    """How the time grows with the number of peerings: 1 is linear."""
    seconds = costs[larger]["seconds"] / costs[smaller]["seconds"]
    return math.log(seconds) / math.log(larger.peerings / smaller.peerings)
