"""What a page of the list costs when the registry holds ten thousand peerings."""

import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final, TypedDict
from uuid import UUID

from local.clock import SystemClock
from local.deployment import deploy
from local.host.task_hub import TaskHub
from peering.outcome import Facts
from peering.registry import INDEX, INDEX_KEY, Beginning, Ending, Registry, begin, empty, end, entity_key
from peering.request import PeeringRequest
from peering.spec import Caller

PROJECT_VPCS: Final = 100
EACH: Final = 100
_FACTS: Final = 24
_PAGE: Final = 100


class ListingCost(TypedDict):
    """Seconds for a page of a hundred, in a registry of one project VPC and in one of ten thousand peerings."""

    few: float
    many: float
    pages: int


def _registry(number: int) -> tuple[str, Registry]:
    """A project VPC's registry, each peering with as many facts as a run gathers."""
    registry, vpc = empty(), str(UUID(int=number + 1))
    facts: Facts = {f"fact_{n}": "x" * 80 for n in range(_FACTS)}
    for place in range(EACH):
        vnet = f"/subscriptions/{UUID(int=place)}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
        given = {"project": "project", "project_vpc_id": vpc, "vnet_id": vnet}
        peering = PeeringRequest.model_validate(given, strict=False).peering()
        at = "2026-01-01T00:00:00+00:00"
        by = Caller(name="bench", id=None)
        begin(registry, Beginning(peering=peering, operation="establish", run="r", by=by, at=at))
        end(registry, Ending(id=peering["id"], run="r", state="connected", facts=facts, at=at))
    return entity_key("project", vpc), registry


def _page_seconds(directory: Path, project_vpcs: int) -> tuple[float, int]:
    """Median seconds for a page, and how many pages there are."""
    clock, state = SystemClock(), directory / "app"
    state.mkdir(parents=True)
    hub = TaskHub(state / "task-hub.db")
    with hub.transaction():
        registries = dict(_registry(number) for number in range(project_vpcs))
        for key, registry in registries.items():
            hub.put_entity(f"@registry@{key}", json.dumps(registry), clock.now())
        hub.put_entity(f"@{INDEX}@{INDEX_KEY}", json.dumps(sorted(registries)), clock.now())
    hub.close()
    times = []
    with deploy(directory, clock=clock) as deployment:
        url = f"/api/peerings?limit={_PAGE}"
        while url:
            started = time.perf_counter()
            page = deployment.api.get(url).raise_for_status().json()
            times.append(time.perf_counter() - started)
            if len(page["peerings"]) != _PAGE:
                raise AssertionError(f"a page has {len(page['peerings'])} peerings")
            url = page.get("next", "")
    return median(times), len(times)


def listing_cost() -> ListingCost:
    """Pages of a small registry and of one with ten thousand peerings, in the same run."""
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        small, _ = _page_seconds(Path(few), 1)
        large, pages = _page_seconds(Path(many), PROJECT_VPCS)
    return ListingCost(few=small, many=large, pages=pages)
