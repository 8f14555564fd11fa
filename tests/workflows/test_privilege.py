"""`setup-only`: the application has its role on the VNet only while something is set up, repaired or removed."""

import pytest

from local.cloud.world.world import NETWORK_CONTRIBUTOR
from local.deployment import Deployment
from tests.workflows.cloud_objects import rights


@pytest.mark.life
def test_the_role_is_there_for_the_setup_for_a_repair_and_for_the_removal_only(
    shared: Deployment, vnet_id: str
) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    assert rights(shared, status) == 0
    assert shared.check(status["id"])["health"]["verdict"] == "healthy"
    shared.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=status["facts"]["to_network_id"])
    repaired = shared.check(status["id"])
    ran = [step["name"] for step in repaired["steps"] if step["state"] == "done"]
    assert {"user_role_assignment", "vnet_peering", "release_rights"} <= set(ran)
    assert repaired["health"]["verdict"] == "healthy", repaired["health"]
    assert rights(shared, status) == 0
    assert shared.remove(status["id"])["state"] == "removed"
    assert not shared.cloud.world.vnets[vnet_id.lower()].peerings


def test_a_role_that_was_assigned_again_by_others_is_removed(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    world = shared.cloud.world
    role = world.role(status["facts"]["user_role_id"])
    assert role is not None
    user = status["facts"]["user_principal_id"]
    world.assign(status["facts"]["user_role_assignment_id"].rpartition("/")[2], vnet_id, role, user)
    repaired = shared.check(status["id"])
    assert repaired["operation"] == "repair"
    assert (repaired["health"]["verdict"], rights(shared, status)) == ("healthy", 0)


def test_a_role_that_another_owner_gives_is_reported_and_not_repaired(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    world = shared.cloud.world
    role = world.role(NETWORK_CONTRIBUTOR)
    assert role is not None
    world.assign(world.guid(), vnet_id, role, status["facts"]["user_principal_id"])
    checked = shared.check(status["id"])
    assert checked["operation"] == "establish"
    assert [problem["code"] for problem in checked["health"]["problems"]] == ["surplus-rights"]


@pytest.mark.life
def test_a_rotation_needs_no_role(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    rotated = shared.rotate(status["id"])
    assert rotated["runs"][-1]["state"] == "rotated"
    assert rights(shared, status) == 0
