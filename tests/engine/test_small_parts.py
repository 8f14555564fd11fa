"""A small part of the races, the losses and the measures of the task hub: `make engine-races` and so on run all."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment
from local.genuine import GenuinePlatform
from tests.engine.deployments import genuine_deployment
from tests.engine.figures import Cell
from tests.engine.hub import LANES, growths
from tests.engine.kills import ALONE, kill_cells
from tests.engine.losses import loss_cells
from tests.engine.races import RACES, race, rotations
from tests.engine.sweeps import sweep_cells

pytestmark = [pytest.mark.engine, pytest.mark.engine_part, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def deployment(genuine_platform: GenuinePlatform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One app for all of them: its first start takes longer than the rest."""
    directory = tmp_path_factory.mktemp("small-parts")
    with genuine_deployment(genuine_platform, directory, vnets=8, project_vpcs=3) as deployed:
        yield deployed


def wrong(cells: list[Cell]) -> list[Cell]:
    """The cells that ended otherwise."""
    return [one for one in cells if one.wrong]


@pytest.mark.parametrize("name", RACES)
def test_the_answers_of_requests_that_meet_are_what_happened(deployment: Deployment, name: str) -> None:
    assert wrong(race(deployment, name, deployment.cloud.vnet_ids[:2])) == []


def test_a_rotation_that_meets_a_repair_is_told_so(deployment: Deployment) -> None:
    assert wrong(rotations(deployment, deployment.cloud.vnet_ids[:2])) == []


def test_operations_that_lose_a_call_end_as_they_should(deployment: Deployment) -> None:
    operations = ["start", "repair", "rotate", "remove"]
    assert wrong(loss_cells(deployment, operations, every=23, most=3)) == []


def test_a_sweep_that_loses_a_call_notes_verdicts(deployment: Deployment) -> None:
    assert wrong(sweep_cells(deployment, every=9, most=3)) == []


def test_a_start_survives_the_end_of_the_engine(genuine_platform: GenuinePlatform, deployment: Deployment) -> None:
    assert wrong(kill_cells(genuine_platform.storage, deployment, 1, [ALONE])) == []


def test_the_task_hub_does_not_grow(genuine_platform: GenuinePlatform, deployment: Deployment) -> None:
    assert len(deployment.cloud.vnet_ids) > LANES
    found = growths(genuine_platform.storage, deployment, rounds=3, peerings=2)
    assert [one for one in found if one.is_wrong] == []
