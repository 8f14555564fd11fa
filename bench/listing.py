"""What a page of the list costs when the registry holds ten thousand peerings."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final, TypedDict
from uuid import UUID

from bench.registry import connected, fill
from local.clock import SystemClock
from local.deployment import deploy
from peering.outcome import Facts
from peering.registry import Record
from peering.request import PeeringRequest

PROJECT_VPCS: Final = 100
EACH: Final = 100
_FACTS: Final = 24
_PAGE: Final = 100


class ListingCost(TypedDict):
    """Seconds for a page of a hundred, in a registry of one project VPC and in one of ten thousand peerings."""

    few: float
    many: float
    pages: int


def _records(project_vpcs: int) -> Iterator[Record]:
    """The peerings of some project VPCs, each with as many facts as a run gathers."""
    facts: Facts = {f"fact_{n}": "x" * 80 for n in range(_FACTS)}
    for number in range(project_vpcs * EACH):
        vnet = f"/subscriptions/{UUID(int=number)}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet"
        given = {"project": "project", "project_vpc_id": str(UUID(int=number // EACH + 1)), "vnet_id": vnet}
        yield connected(PeeringRequest.model_validate(given, strict=False).peering(), facts)


def _page_seconds(directory: Path, project_vpcs: int) -> tuple[float, int]:
    """Median seconds for a page, and how many pages there are."""
    times = []
    with deploy(directory, clock=SystemClock()) as deployment:
        fill(deployment, _records(project_vpcs))
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
