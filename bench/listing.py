"""What the list of peerings and one peering cost, however many the registry holds."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final, TypedDict
from uuid import UUID

from bench.apart import Apart, apart
from local.cloud import Scenario
from local.registry import connected, fill
from peering.record import Record
from peering.request import PeeringRequest
from tests.arbitrary_facts import arbitrary_facts

#: Peerings in the largest registry, in the one that its list is compared with, and in the one that its GET is.
MANY: Final = 10_000
FEW: Final = 100
ONE: Final = 1
#: Rows that Table Storage gives at a time.
ROWS_IN_A_PAGE: Final = 1000
_IN_A_PROJECT_VPC: Final = 100
_FACTS: Final = 24
_ROUNDS: Final = 100
#: Requests before those that count: a worker's first ones import what they need.
_BEFORE: Final = 10
_PAGE: Final = "/api/peerings?limit=50"
_FILTERED: Final = "/api/peerings?limit=50&state=connected"


class ListingCost(TypedDict):
    """Medians in seconds: a page of fifty, and one peering, each of a small and of the large registry.

    `pages_read` are the pages of a thousand rows that a filtered list of the large registry reads.
    """

    few: float
    many: float
    one: float
    one_of_many: float
    pages_read: int


def records(count: int) -> Iterator[Record]:
    """So many peerings, each with as many facts as a run gathers."""
    facts = arbitrary_facts({f"fact_{n}": "x" * 80 for n in range(_FACTS)})
    for number in range(count):
        vnet = f"/subscriptions/{UUID(int=number)}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet"
        vpc = str(UUID(int=number // _IN_A_PROJECT_VPC + 1))
        given = {"project": "project", "project_vpc_id": vpc, "vnet_id": vnet}
        yield connected(PeeringRequest.model_validate(given, strict=False).peering(), facts)


def _url_of_one(app: Apart) -> str:
    """A peering in the middle of the registry."""
    pages = list(app.api.get("/api/peerings?limit=50").raise_for_status().json()["peerings"])
    return f"/api/peerings/{pages[len(pages) // 2]['id']}"


def _medians(*asks: Callable[[], object]) -> list[float]:
    """Median seconds of requests that are made in turn, so that what slows the machine down slows all of them."""
    times: list[list[float]] = [[] for _ in asks]
    for _ in range(_BEFORE + _ROUNDS):
        for ask, taken in zip(asks, times, strict=True):
            started = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - started)
    return [median(taken[_BEFORE:]) for taken in times]


def _pages_read(app: Apart) -> int:
    """The pages of rows that one filtered list reads; the next one has them from memory."""
    before = len(app.cloud.requests)
    page = app.api.get(_FILTERED).raise_for_status().json()
    if not page["peerings"]:
        raise AssertionError("the filtered list is empty")
    return len([r for r in app.cloud.requests[before:] if r.path == "/peerings()"])


def listing_cost() -> ListingCost:
    """Lists and single peerings of three registries, asked for in turn."""
    with ExitStack() as stack:
        apps = dict[int, Apart]()
        for count in (ONE, FEW, MANY):
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            apps[count] = stack.enter_context(apart(Path(directory), Scenario.model_validate({})))
            fill(apps[count].cloud, records(count))

        def getting(count: int, url: str) -> Callable[[], object]:
            return lambda: apps[count].api.get(url).raise_for_status()

        few, many = _medians(getting(FEW, _PAGE), getting(MANY, _PAGE))
        one, of_many = _medians(*(getting(count, _url_of_one(apps[count])) for count in (ONE, MANY)))
        return ListingCost(few=few, many=many, one=one, one_of_many=of_many, pages_read=_pages_read(apps[MANY]))
