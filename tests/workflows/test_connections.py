"""Connections live as long as the worker."""

from collections import Counter
from pathlib import Path

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from peering.runs import SWEEP

#: More than one connection to a host is for what is asked at the same time.
MOST_FOR_THE_FIRST = 10
MOST_FOR_A_LATER_ONE = 3


def test_a_later_start_uses_the_connections_of_the_first(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 2})) as deployment:
        opened = _opened(deployment, 0)
        assert len(opened) <= MOST_FOR_THE_FIRST, Counter(opened)
        later = _opened(deployment, 1)
        assert len(later) <= MOST_FOR_A_LATER_ONE, Counter(later)


def _opened(deployment: Deployment, vnet: int) -> list[str]:
    """The hosts of the connections that a start opens."""
    before = len(deployment.cloud.connections)
    assert deployment.settle(vnet_id=deployment.cloud.vnet_ids[vnet])["state"] == "connected"
    return deployment.cloud.connections[before:]


def test_a_check_of_all_reads_over_connections_of_its_own(tmp_path: Path) -> None:
    with deploy(tmp_path) as deployment:
        deployment.settle()
        manager = "management.azure.com"
        opened = [_opened_by_a_check_of_all(deployment) for _ in range(2)]
        assert manager in opened[0], "no start queues behind its reads"
        assert manager not in opened[1]


def _opened_by_a_check_of_all(deployment: Deployment) -> list[str]:
    before = len(deployment.cloud.connections)
    deployment.fire("check_all_peerings")
    deployment.until_ended(SWEEP)
    return deployment.cloud.connections[before:]
