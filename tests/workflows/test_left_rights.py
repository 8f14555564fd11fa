"""Rights and names that are left behind: of peerings that share a VNet, of roles that Azure does not let go at once."""

from pathlib import Path
from typing import Any

import pytest

from local.cloud import Scenario
from local.cloud.arm.roles import READER
from local.deployment import Deployment, deploy
from tests.workflows.obstacles import Place
from tests.workflows.plans import plan

ARM, GRAPH = r"management\.azure\.com", r"graph\.microsoft\.com"
STILL_ASSIGNED = {"host": ARM, "method": "DELETE", "path": "/roleDefinitions/", "status": 400}
HAS_ASSIGNMENTS = {**STILL_ASSIGNED, "code": "RoleDefinitionHasAssignments"}


def _deleted(planned: dict[str, Any]) -> set[str]:
    """The ids of what a plan says would be deleted, in lower case."""
    return {step["id"].lower() for step in planned["steps"] if step["action"] == "delete" and step["id"]}


def _planned_removal(deployment: Deployment, identity: str) -> dict[str, Any]:
    return dict(deployment.api.delete(f"/api/peerings/{identity}?dryRun=true").json())


def _roles(deployment: Deployment) -> set[str]:
    return {one.role_name for one in deployment.cloud.world.roles if not one.built_in}


def _ids(deployment: Deployment) -> set[str]:
    """The ids of all custom roles and assignments in the customer's subscription, in lower case."""
    world, kind = deployment.cloud.world, "/providers/Microsoft.Authorization"
    scope = f"/subscriptions/{deployment.cloud.landscape.subscription}"
    own = [one for one in world.roles if scope in one.scopes]
    roles = {f"{scope}{kind}/roleDefinitions/{one.name}".lower() for one in own}
    held = [one for one in world.assignments if one.scope.startswith(scope)]
    return roles | {f"{one.scope}{kind}/roleAssignments/{one.name}".lower() for one in held}


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("first", [0, 1])
def test_peerings_of_one_vnet_with_different_roles_leave_none(tmp_path: Path, first: int, renamed: bool) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 2})) as deployment:
        before, second = deployment.cloud_state(), list(deployment.cloud.world.vpcs)[1]
        one = deployment.settle(platform_role_name="one")
        if renamed:
            assert deployment.settle(vpc=second, platform_role_name="one")["state"] == "connected"
        other = deployment.settle(vpc=second, platform_role_name="two")
        assert [status["state"] for status in (one, other)] == ["connected"] * 2
        order = [one["id"], other["id"]] if first == 0 else [other["id"], one["id"]]
        for identity in order:
            planned, there = _planned_removal(deployment, identity), _ids(deployment)
            assert deployment.remove(identity)["state"] == "removed"
            assert _deleted(planned) & there == there - _ids(deployment)
            if identity == order[0]:
                checked = deployment.check(order[1])["health"]
                assert (checked["verdict"], checked["problems"]) == ("healthy", [])
        assert deployment.cloud_state() == before


def test_a_role_that_is_assigned_elsewhere_is_kept_and_planned_to_be(deployment: Deployment) -> None:
    world, scope = deployment.cloud.world, f"/subscriptions/{deployment.cloud.landscape.subscription}"
    identity = deployment.settle(platform_role_name="one", user_role_name="two")["id"]
    role = next(one for one in world.roles if one.role_name == "one")
    world.assign(world.guid(), f"{scope}/resourceGroups/another", role, world.guid())
    changed = plan(deployment, platform_role_name="three", user_role_name="two")
    deleted = [step["name"] for step in changed["steps"] if step["action"] == "delete"]
    assert deleted == ["assignment of one"]
    fates = {one["step"]: (one["action"], one["why"]) for one in _planned_removal(deployment, identity)["steps"]}
    assert fates["platform_role"] == ("keep", "It is assigned elsewhere.")
    assert fates["user_role"][0] == fates["platform_role_assignment"][0] == "delete"
    assert deployment.settle(platform_role_name="three", user_role_name="two")["state"] == "connected"
    assert deployment.remove(identity)["state"] == "removed"
    assert _roles(deployment) == {"one"}


@pytest.mark.parametrize("times", [1, 3])
def test_a_surplus_role_that_azure_still_counts_as_assigned_is_deleted_later(
    deployment: Deployment, times: int
) -> None:
    deployment.settle(user_role_name="one")
    deployment.knobs(faults=[{**HAS_ASSIGNMENTS, "times": times}])
    assert deployment.settle(user_role_name="two")["state"] == "connected"
    assert "one" not in _roles(deployment)


def test_a_surplus_role_that_azure_counts_for_ever_is_left_to_the_removal(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle(user_role_name="one")["id"]
    deployment.knobs(faults=[{**HAS_ASSIGNMENTS, "times": 9999}])
    status = deployment.settle(user_role_name="two")
    assert status["state"] == "connected", status.get("problem")
    assert "still counts" in status["facts"]["rights_kept"]
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_the_plan_names_the_assignment_that_setup_only_releases(deployment: Deployment) -> None:
    deployment.settle()
    planned, there = plan(deployment, privilege="setup-only"), _ids(deployment)
    assert [step["step"] for step in planned["steps"] if step["action"] == "delete"] == ["release_rights"]
    assert deployment.settle(privilege="setup-only")["state"] == "connected"
    assert _deleted(planned) == there - _ids(deployment)
    assert _deleted(plan(deployment, privilege="setup-only")) == set()


def test_the_plan_warns_of_a_right_that_the_app_lacks_to_delete_what_is_not_requested(deployment: Deployment) -> None:
    deployment.settle(user_role_name="one")
    place = Place(deployment)
    place.keep_only(place.subscription, READER)
    planned = plan(deployment, user_role_name="one", privilege="setup-only")
    assert [step["action"] for step in planned["steps"] if step["step"] == "release_rights"] == ["delete"]
    assert [one for one in planned["warnings"] if "roleAssignments/delete" in one and one.endswith("stay.")]


def test_a_deleted_application_that_may_not_be_purged_keeps_its_name_and_no_removal(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    purge = {"host": GRAPH, "method": "DELETE", "path": "/directory/deletedItems/", "status": 403, "times": 9999}
    deployment.knobs(faults=[{**purge, "code": "Authorization_RequestDenied"}])
    removed = deployment.remove(identity)
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    deployment.knobs(faults=[])
    # The start restores it.
    assert deployment.settle()["state"] == "connected"


def test_an_application_that_graph_hides_while_it_is_looked_for_does_not_stay(deployment: Deployment) -> None:
    before, status = deployment.cloud_state(), deployment.settle(repair="off")
    side = {"vnet_id": status["facts"]["vnet_id"], "remote_id": status["facts"]["to_network_id"]}
    deployment.event(kind="delete-vnet-peering", **side)
    hidden = {"host": GRAPH, "method": "GET", "path": "/applications", "status": 404, "times": 26}
    deployment.knobs(faults=[{**hidden, "code": "Request_ResourceNotFound"}])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before
