"""A sweep of hundreds of peerings asks for little, and for no more than the throttles leave."""

from datetime import timedelta
from pathlib import Path

import pytest

from bench.sweep import SIZES, THOUSAND, Size, listed, populated, sweep
from orchestrators.in_batches import PATIENCE
from peering.aiven_vpc import AivenVpc

TOO_MANY = 429
SEEN = ("aiven", 200)


@pytest.mark.both_kinds
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_call_for_each_project_vpc_a_list_for_each_vnet_and_few_calls_beside(tmp_path: Path) -> None:
    with populated(tmp_path) as deployment:
        cost = sweep(deployment)
        assert (cost["peerings"], cost["verdicts"]) == (1000, {"healthy": 1000})
        assert (cost["aiven_reads"], cost["peering_lists"]) == (THOUSAND.project_vpcs, THOUSAND.vnets)
        assert cost["reads"] <= THOUSAND.reads
        assert deployment.writes() == []
        broken = next(p for p in listed(deployment.api))
        status = deployment.status(broken["id"])
        remote = next(v for v in deployment.cloud.world.vpcs.values() if v.id == AivenVpc.of(broken).id)
        deployment.event(kind="delete-vnet-peering", vnet_id=broken["vnet_id"], remote_id=remote.network.id)
        assert sweep(deployment)["verdicts"] == {"healthy": 999, "broken": 1}
        repaired = deployment.until(broken["id"])
        assert (status["operation"], repaired["operation"]) == ("establish", "repair")
        assert repaired["health"]["verdict"] == "healthy"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_a_throttle_leaves_is_not_exceeded_and_every_vnet_has_its_turn(tmp_path: Path) -> None:
    # More VNets than one piece holds, and fewer reads at a time than one piece asks for.
    size = Size(60, 10, 1)
    with populated(tmp_path, size) as deployment:
        deployment.knobs(arm_limits=0.2)
        cost = sweep(deployment)
        assert cost["verdicts"] == {"healthy": 600}
        # Who is put off asks for nothing else meanwhile; who comes back in small numbers asks for the roles again.
        assert cost["reads"] <= 1.3 * size.reads
        assert [request for request in deployment.cloud.requests if request.status == TOO_MANY] == []


@pytest.mark.both_kinds
@pytest.mark.timeout(300)
def test_a_project_vpc_that_is_to_be_asked_for_later_is_looked_at_later(tmp_path: Path) -> None:
    with populated(tmp_path, SIZES[0]) as deployment:
        deployment.knobs(aiven_requests_per_minute=4)
        begun = deployment.clock.now()
        cost = sweep(deployment)
        assert cost["verdicts"] == {"healthy": 100}
        assert deployment.clock.now() - begun >= timedelta(minutes=2)
        # Those that were seen are not asked for again.
        seen = [request.path for request in deployment.cloud.requests if (request.service, request.status) == SEEN]
        assert len(seen) == len(set(seen)) == SIZES[0].project_vpcs


@pytest.mark.timeout(300)
def test_patience_with_a_throttle_ends_in_a_verdict_that_says_so(tmp_path: Path) -> None:
    with populated(tmp_path, SIZES[0]) as deployment:
        fault = {
            "host": r"management\.azure\.com",
            "path": "/virtualNetworkPeerings$",
            "status": TOO_MANY,
            "times": 9999,
        }
        deployment.knobs(faults=[{**fault, "retry_after": 20}])
        begun = deployment.clock.now()
        assert sweep(deployment)["verdicts"] == {"unknown": 100}
        assert deployment.clock.now() - begun < 2 * PATIENCE
        checked = deployment.status(next(listed(deployment.api))["id"])["health"]
        assert [problem["code"] for problem in checked["problems"]] == ["remote-throttled"]
