"""Deployed apps: one for each test, or one with many VNets for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy, peered_with
from peering.aiven_vpc import KINDS, Kind

#: What the tests of a life run under in the suite: a host that is friendly, and one that is not, by some seeds.
SEEDS: Final = (None, 1, 2, 3)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that are marked `both_kinds` for both kinds of VPCs, and `life` with hostile hosts, too.

    The genuine engine is as hostile as it is.
    """
    if metafunc.definition.get_closest_marker("both_kinds") is not None:
        metafunc.parametrize("aiven_vpc", KINDS, indirect=True, scope="module")
    if metafunc.definition.get_closest_marker("life") is None:
        return
    given = metafunc.config.getoption("--hostile")
    seeds = SEEDS if given is None else (given,)
    if metafunc.config.getoption("--engine") == "genuine":
        seeds = (None,)
    names = ["friendly" if seed is None else f"seed {seed}" for seed in seeds]
    metafunc.parametrize("hostile", seeds, indirect=True, scope="module", ids=names)


@pytest.fixture(scope="module")
def hostile(request: pytest.FixtureRequest) -> int | None:
    """The seed of what the host does to the app, if it does anything."""
    seed: int | None = getattr(request, "param", None)
    return seed


@pytest.fixture(scope="module", autouse=True)
def aiven_vpc(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Whose VPCs the deployments of a test have in Aiven: a project's, or an organization's."""
    kind: Kind = getattr(request, "param", "project")
    with peered_with(kind):
        yield kind


@pytest.fixture
def deployment(tmp_path: Path, hostile: int | None) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path, hostile=hostile) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, hostile: int | None, aiven_vpc: Kind) -> Iterator[Deployment]:
    """The app against a cloud without delays but with many VNets, for tests that leave one another alone."""
    scenario = Scenario.model_validate({"vnets": 40})
    with deploy(tmp_path_factory.mktemp("shared"), scenario, hostile=hostile) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def _vnets(shared: Deployment) -> Iterator[str]:
    customer = shared.cloud.landscape.subscription
    return iter([vnet.id for vnet in shared.cloud.world.vnets.values() if vnet.subscription_id == customer])


@pytest.fixture
def vnet_id(_vnets: Iterator[str]) -> str:
    """A VNet of the shared cloud that no other test uses."""
    return next(_vnets)
