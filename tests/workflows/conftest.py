"""Deployed apps: one for each test, or one with many VNets for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app against a cloud without delays but with many VNets, for tests that leave one another alone."""
    with deploy(tmp_path_factory.mktemp("shared"), Scenario.model_validate({"vnets": 40})) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def _vnets(shared: Deployment) -> Iterator[str]:
    customer = shared.cloud.landscape.subscription
    return iter([vnet.id for vnet in shared.cloud.world.vnets.values() if vnet.subscription_id == customer])


@pytest.fixture
def vnet_id(_vnets: Iterator[str]) -> str:
    """A VNet of the shared cloud that no other test uses."""
    return next(_vnets)
