"""An estate: VNets of several subscriptions, connected to project VPCs of several Aiven projects, all at once."""

from pathlib import Path
from typing import Final

import pytest

from local.cloud import Scenario
from local.cloud.world.landscape import ORGANIZATION
from local.deployment import Deployment, deploy
from peering.aiven_vpc import Kind

#: A small edition of 60 VNets of two subscriptions in five projects.
_ESTATE: Final = Scenario(vnets=6, subscriptions=2, project_vpcs=3, projects=3)


def pairs(deployment: Deployment) -> list[dict[str, object]]:
    """Each VNet of the customer with a project VPC, in turn."""
    world, ours = deployment.cloud.world, deployment.cloud.landscape.subscriptions
    vpcs = list(world.vpcs.values())
    vnets = [vnet for vnet in world.vnets.values() if vnet.subscription_id in ours]
    return [{**vpc.named.names, "vnet_id": vnet.id} for vnet, vpc in zip(vnets, vpcs * len(vnets), strict=False)]


@pytest.mark.both_kinds
def test_an_estate_is_connected_checked_repaired_and_removed(tmp_path: Path, aiven_vpc: Kind) -> None:
    with deploy(tmp_path, _ESTATE) as deployment:
        before = deployment.cloud_state()
        identities = [deployment.start(**pair) for pair in pairs(deployment)]
        for identity in identities:
            status = deployment.until(identity, "connected", "failed")
            assert status["state"] == "connected", status.get("problem")
        owner = {"project": "local-project-2"} if aiven_vpc == "project" else {"organization_id": ORGANIZATION}
        listed = deployment.api.get("/api/peerings", params=owner).json()["peerings"]
        assert sorted(one["id"] for one in listed) == sorted(identities[1::3] if aiven_vpc == "project" else identities)
        second = deployment.cloud.landscape.subscriptions[1]
        listed = deployment.api.get("/api/peerings", params={"subscription_id": second}).json()["peerings"]
        assert sorted(one["id"] for one in listed) == sorted(identities[1::2])
        facts = deployment.status(identities[1])["facts"]
        deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
        verdicts = {deployment.check(identity)["health"]["verdict"] for identity in identities}
        assert verdicts == {"healthy"}
        assert all(deployment.remove(identity)["state"] == "removed" for identity in identities)
        assert deployment.cloud_state() == before
