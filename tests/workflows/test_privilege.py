"""`setup-only`: the application has its role on the VNet only while something is set up, repaired or removed."""

import pytest

from local.cloud.server.wire import Request
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
    mended = shared.check(status["id"])
    ran = [step["name"] for step in mended["steps"] if step["state"] == "done"]
    assert {"user_role_assignment", "vnet_peering", "release_rights"} <= set(ran)
    assert mended["health"]["verdict"] == "healthy", mended["health"]
    assert rights(shared, status) == 0
    assert shared.remove(status["id"])["state"] == "removed"
    assert not shared.cloud.world.vnets[vnet_id.lower()].peerings


def test_a_role_that_somebody_gave_back_is_taken_away(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    world = shared.cloud.world
    role = world.role(status["facts"]["user_role_id"])
    assert role is not None
    user = status["facts"]["user_principal_id"]
    world.assign(status["facts"]["user_role_assignment_id"].rpartition("/")[2], vnet_id, role, user)
    mended = shared.check(status["id"])
    assert mended["operation"] == "repair"
    assert (mended["health"]["verdict"], rights(shared, status)) == ("healthy", 0)


@pytest.mark.life
def test_a_rotation_needs_no_role(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, privilege="setup-only")
    rotated = shared.rotate(status["id"])
    assert rotated["runs"][-1]["state"] == "rotated"
    assert rights(shared, status) == 0


_DELETE = {"host": r"management\.azure\.com", "method": "DELETE", "path": "/roleAssignments/"}


def test_a_refusal_that_repeats_the_request_is_kept_without_its_token(deployment: Deployment) -> None:
    deployment.knobs(faults=[{**_DELETE, "status": 403, "code": "AuthorizationFailed", "echo": True, "times": 3}])
    status = deployment.settle(privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    assert "A fault that was asked for" in status["facts"]["rights_kept"]
    assert "Bearer ey" not in str(deployment.record(status["id"]))
    deployment.knobs(faults=[])
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert rights(deployment, status) == 0


def test_rights_that_azure_does_not_find_but_shows_are_taken_away_all_the_same(deployment: Deployment) -> None:
    deployment.knobs(faults=[{**_DELETE, "status": 404, "code": "RoleAssignmentNotFound", "times": 3}])
    status = deployment.settle(privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    assert (rights(deployment, status), status["facts"]["rights_kept"]) == (0, None)


def test_rights_that_are_gone_already_are_released(deployment: Deployment) -> None:
    world = deployment.cloud.world

    def take_away(request: Request) -> None:
        if request.method == "DELETE" and "/roleAssignments/" in request.path:
            for one in [a for a in world.assignments if a.name in request.path]:
                world.assignments.remove(one)

    deployment.cloud.before_each_request(take_away)
    deployment.knobs(faults=[{**_DELETE, "status": 404, "code": "RoleAssignmentNotFound"}])
    status = deployment.settle(privilege="setup-only")
    assert (status["state"], status["facts"]["rights_kept"]) == ("connected", None)
