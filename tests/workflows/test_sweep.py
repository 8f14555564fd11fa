"""A sweep of a thousand peerings in twenty project VPCs and a hundred VNets asks for little."""

from pathlib import Path

import pytest

from bench.sweep import THOUSAND, listed, populated, sweep


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_call_for_each_project_vpc_a_list_for_each_vnet_and_few_calls_beside(tmp_path: Path) -> None:
    with populated(tmp_path) as deployment:
        cost = sweep(deployment)
        assert (cost["peerings"], cost["verdicts"]) == (1000, {"healthy": 1000})
        assert (cost["aiven_reads"], cost["peering_lists"]) == (THOUSAND.project_vpcs, THOUSAND.vnets)
        # Once each: the roles of a subscription for every piece, its assignments, the pages' ends.
        assert cost["reads"] <= THOUSAND.reads * 1.1
        assert deployment.writes() == []
        broken = next(p for p in listed(deployment))
        status = deployment.status(broken["id"])
        remote = next(v for v in deployment.cloud.world.project_vpcs.values() if v.id == broken["project_vpc_id"])
        deployment.event(kind="delete-vnet-peering", vnet_id=broken["vnet_id"], remote_id=remote.network.id)
        assert sweep(deployment)["verdicts"] == {"healthy": 999, "broken": 1}
        mended = deployment.until(broken["id"])
        assert (status["operation"], mended["operation"]) == ("establish", "repair")
        assert mended["health"]["verdict"] == "healthy"
