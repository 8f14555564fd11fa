"""The row of a peering stays within what a row holds, however much there is to say."""

from pathlib import Path

import pytest

from local.cloud import Scenario
from local.cloud.world.records import VNetPeering
from local.deployment import deploy
from peering.outcome import MOST_ALSO

#: Azure's limit of peerings of a VNet is 500.
PEERINGS = 490


@pytest.mark.parametrize("overlapping", [40, 120])
def test_a_start_that_is_refused_again_and_again_ends_as_such_every_time(tmp_path: Path, overlapping: int) -> None:
    with deploy(tmp_path, Scenario()) as deployment:
        world = deployment.cloud.world
        hub = world.add_vnet(deployment.cloud.landscape.subscription, "g" * 90, "v" * 64, "10.99.0.0/24")
        for number in range(PEERINGS):
            name, now = f"{'n' * 60}-{number:03d}", world.now
            remote = f"{hub.id.rpartition('/')[0]}/{name}"
            prefix = f"172.{16 + number // 250}.{number % 250}.0/24"
            if number < overlapping:
                prefix = f"10.240.{number // 16}.{number % 16 * 16}/28"
            hub.peerings.append(
                VNetPeering(name, hub.id, remote, "", world.guid(), "Connected", now, now, now, [prefix])
            )
        for _ in range(12):
            status = deployment.settle(vnet_id=hub.id)
            problem = status["problem"]
            assert (status["state"], problem["code"]) == ("failed", "address-space-overlaps-peered-vnet")
            assert len(problem["also"]) == min(overlapping - 1, MOST_ALSO)
            assert ("more are not listed" in problem["detail"]) == (overlapping > MOST_ALSO)
        earlier, *_, last = status["runs"]
        assert "also" not in earlier["problem"]
        assert len(last["problem"]["also"]) == len(problem["also"])
        (in_full, *_) = deployment.api.get(f"/api/peerings/{status['id']}/runs").json()["runs"]
        assert len(in_full["problem"]["also"]) == len(problem["also"])
