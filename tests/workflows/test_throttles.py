"""Many starts at once under the remotes' limits: each has its turn, and none fails for having had to wait."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.cloud import Scenario
from local.cloud.world.world import PLATFORM_APP
from local.deployment import Deployment, deploy
from peering.aiven_vpc import KINDS, Kind
from peering.outcome import THROTTLED
from tests.workflows.cloud_objects import the_connection

#: Requests a minute that Aiven takes of a user: fewer than the app counts upon, as if others asked in its name.
A_MINUTE = 24
STARTS = 8


@pytest.fixture
def throttled(tmp_path: Path) -> Iterator[Deployment]:
    """An app whose remotes take a fifth of what is documented."""
    scenario = Scenario.model_validate(
        {
            "vnets": STARTS,
            "aiven_requests_per_minute": A_MINUTE,
            "arm_limits": 0.2,
            "graph_tenant_size": "S",
            "approved": 60,
            "detect": 45,
        }
    )
    with deploy(tmp_path, scenario) as deployed:
        yield deployed


def start_all(deployment: Deployment) -> list[str]:
    """Start a peering for each VNet of the customer's, all at once."""
    vnets = deployment.cloud.vnet_ids
    with ThreadPoolExecutor(len(vnets)) as pool:
        return list(pool.map(lambda vnet: deployment.start(vnet_id=vnet), vnets))


@pytest.mark.both_kinds
def test_starts_at_once_are_paced_and_none_fails(throttled: Deployment) -> None:
    clock = throttled.virtual_clock
    began = clock.now()
    ended = [throttled.until(identity, seconds=120) for identity in start_all(throttled)]
    assert [status["state"] for status in ended] == ["connected"] * STARTS
    seconds = (clock.now() - began).total_seconds()
    taken = [r for r in throttled.cloud.requests if r.service == "aiven" and r.status != 429]
    # Some 8 requests for each start; up to 13 where the starts drift apart on a busy machine.
    assert len(taken) <= 14 * STARTS
    assert seconds <= 1.5 * max(len(taken) / (A_MINUTE / 60), 105)


@pytest.mark.both_kinds
def test_who_waits_for_its_turn_says_so(throttled: Deployment) -> None:
    throttled.knobs(aiven_requests_per_minute=1)
    identities = start_all(throttled)
    deadline = time.monotonic() + 30
    while THROTTLED not in (seen := waited_for(throttled, identities)):
        assert time.monotonic() < deadline, seen


def waited_for(deployment: Deployment, identities: list[str]) -> set[str]:
    """What the steps of some peerings wait for, by code."""
    steps = [step for identity in identities for step in deployment.status(identity)["steps"]]
    return {step["problem"]["code"] for step in steps if step["state"] == "waiting"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_removal_ends_among_more_vpcs_than_aiven_answers_in_a_minute(tmp_path: Path, kind: Kind) -> None:
    with deploy(tmp_path, Scenario(project_vpcs=20, projects=2, vpcs_of=kind)) as deployment:
        deployment.knobs(aiven_requests_per_minute=12)
        identity = deployment.settle()["id"]
        begun = deployment.clock.now()
        assert deployment.remove(identity)["state"] == "removed"
        assert deployment.clock.now() - begun < timedelta(minutes=30)


@pytest.mark.both_kinds
def test_a_removal_relies_on_nothing_that_aiven_told_before_it(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario(vnets=3, project_vpcs=2, projects=2)) as deployment:
        world, found = deployment.cloud.world, deployment.cloud.landscape
        first, second, third = deployment.cloud.vnet_ids
        deployment.remove(deployment.settle(vnet_id=first)["id"])
        identity = deployment.settle(vnet_id=second)["id"]
        # Another user of the platform connects a VNet of the tenant to the other project, out of this app's sight.
        _, other = world.vpcs.values()
        other.connections.append(replace(the_connection(deployment), vnet=third.rpartition("/")[2]))
        deployment.knobs(faults=[{"host": r"api\.aiven\.io", "path": "/v1/project$", "status": 429, "retry_after": 5}])
        assert deployment.remove(identity)["state"] == "removed"
        assert world.principal(PLATFORM_APP, found.customer_tenant) is not None
