"""A check of many peerings: what it asks of the remotes, and how long it takes."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import quote

import httpx

from local.clock import SystemClock
from local.cloud import Scenario
from local.cloud.population import establish
from local.deployment import Deployment, deploy
from peering.naming import peering_id
from peering.outcome import Facts
from peering.registry import Beginning, Ending, entity_key
from peering.request import PeeringRequest
from peering.spec import Caller

PROJECT_VPCS: Final = 20
VNETS: Final = 100
#: Each VNet is peered with so many project VPCs.
EACH: Final = 10


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
def populated(directory: Path) -> Iterator[Deployment]:
    """The app with a thousand peerings that are connected already, in the cloud and in the registry."""
    scenario = Scenario.model_validate({"vnets": VNETS, "project_vpcs": PROJECT_VPCS})
    with deploy(directory, scenario, clock=SystemClock()) as deployment, _durable(deployment) as durable:
        world, landscape = deployment.cloud.world, deployment.cloud.landscape
        vnets = [v for v in world.vnets.values() if v.subscription_id == landscape.subscription]
        vpcs = list(world.project_vpcs.values())
        for number, vnet in enumerate(vnets):
            for place in range(EACH):
                vpc = vpcs[(number + place * (PROJECT_VPCS // EACH)) % PROJECT_VPCS]
                made = asdict(establish(world, landscape, vnet, vpc))
                _register(durable, deployment, vnet.id, vpc.id, made)
        _await_registry(deployment, len(vnets) * EACH)
        yield deployment


@contextmanager
def _durable(deployment: Deployment) -> Iterator[httpx.Client]:
    url = f"{deployment.host.url}/runtime/webhooks/durabletask/"
    with httpx.Client(base_url=url, params={"code": deployment.host.keys.system}, trust_env=False) as client:
        yield client


def _register(durable: httpx.Client, deployment: Deployment, vnet_id: str, vpc_id: str, made: dict[str, str]) -> None:
    """Tell the registry of a peering, as a run would that has connected it."""
    project, at = deployment.cloud.environment["AIVEN_PROJECT"], deployment.cloud.world.now.isoformat()
    request = PeeringRequest.model_validate(
        {"project": project, "project_vpc_id": vpc_id, "vnet_id": vnet_id}, strict=False
    )
    peering, key = request.peering(), entity_key(project, vpc_id)
    facts: Facts = {**made, "vnet_id": vnet_id, "tenant_id": deployment.cloud.landscape.customer_tenant, "found": []}
    facts |= {"user_rights": "standing", "credential": "secret", "existing": "none"}
    if peering["id"] != peering_id(project, vpc_id, vnet_id):
        raise AssertionError("the registry and the cloud disagree about the peering's id")
    by = Caller(name="bench", id=None)
    beginning = Beginning(peering=peering, operation="establish", run="bench", by=by, at=at)
    ending = Ending(id=peering["id"], run="bench", state="connected", facts=facts, at=at)
    for entity, operation, body in (
        (f"registry_index/{quote('all')}", "add", key),
        (f"registry/{quote(key)}", "begin", beginning),
        (f"registry/{quote(key)}", "end", ending),
    ):
        # An entity takes its input as JSON text, which is JSON again on its way there.
        durable.post(f"entities/{entity}", params={"op": operation}, json=json.dumps(body)).raise_for_status()


def _await_registry(deployment: Deployment, count: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        held = sum(1 for _ in listed(deployment))
        if held == count:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{held} of {count} peerings are in the registry")
        time.sleep(0.2)


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
    fire = f"{deployment.host.url}/admin/functions/check_all_peerings"
    headers = {"x-functions-key": deployment.host.keys.master}
    httpx.post(fire, headers=headers, json={}, trust_env=False).raise_for_status()
    with _durable(deployment) as durable:
        while durable.get("instances/health-sweep").json()["runtimeStatus"] not in ("Completed", "Failed"):
            time.sleep(0.05)
    seconds = time.perf_counter() - started
    requests = deployment.cloud.requests
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
    with tempfile.TemporaryDirectory() as directory, populated(Path(directory)) as deployment:
        return sweep(deployment)
