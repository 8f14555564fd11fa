"""Rights and names that are left behind: of peerings that share a VNet, of roles that Azure does not let go at once."""

import time
from pathlib import Path
from typing import Any, Final, cast

import pytest

from local.cloud import Scenario
from local.cloud.arm.roles import READER
from local.cloud.world.directory import purge_application
from local.cloud.world.world import PLATFORM_APP, Application, RoleDefinition
from local.deployment import Deployment, deploy
from peering.rights import PLATFORM_ACTIONS
from tests.workflows.by_hand import made_by_hand
from tests.workflows.obstacles import Place
from tests.workflows.plans import plan

ARM, GRAPH = r"management\.azure\.com", r"graph\.microsoft\.com"
_TWO: Final = Scenario.model_validate({"project_vpcs": 2})
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


def _second(deployment: Deployment) -> object:
    return list(deployment.cloud.world.vpcs)[1]


def test_a_start_keeps_what_a_removal_that_tries_again_was_to_delete(tmp_path: Path) -> None:
    with deploy(tmp_path, _TWO) as deployment:
        first = deployment.settle()["id"]
        # The removal has to delete the assignments again and again, and the start to wait before it connects.
        again = {"host": ARM, "method": "DELETE", "path": "/roleAssignments/", "status": 503, "times": 20}
        waiting = {"host": GRAPH, "method": "POST|PATCH", "path": "/applications|/servicePrincipals", "status": 503}
        deployment.clear_requests()
        deployment.knobs(faults=[again, {**waiting, "times": 30}])
        deployment.api.delete(f"/api/peerings/{first}").raise_for_status()
        while not any(one["method"] == "DELETE" and "roleAssignments" in one["path"] for one in deployment.writes()):
            time.sleep(0.02)
        second = deployment.start(vpc=_second(deployment))
        assert deployment.until(first, "removed")["state"] == "removed"
        status = deployment.until(second)
        assert status["state"] == "connected", status.get("problem")
        assert deployment.check(second)["health"]["verdict"] == "healthy"


def test_a_removal_keeps_the_role_that_a_start_under_way_asks_for(tmp_path: Path) -> None:
    with deploy(tmp_path, _TWO) as deployment:
        first = deployment.settle(platform_role_name="one")["id"]
        second = deployment.settle(vpc=_second(deployment), platform_role_name="two")["id"]
        held = {"host": ARM, "method": "PUT", "path": "/roleDefinitions/", "status": 503, "times": 25}
        deployment.knobs(faults=[held])
        deployment.start(vpc=_second(deployment), platform_role_name="one", user_role_name="new")
        assert deployment.remove(first)["state"] == "removed"
        assert deployment.until(second)["state"] == "connected"
        checked = deployment.check(second)
        assert (checked["health"]["verdict"], checked["operation"]) == ("healthy", "establish")
        assert "one" in _roles(deployment)


@pytest.mark.parametrize("case", ["of another VNet", "failed", "made by hand", "list lags", "at once"])
def test_the_last_removal_of_a_vnet_deletes_the_roles_of_what_it_deletes(tmp_path: Path, case: str) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 2, "vnets": 2})) as deployment:
        if case == "made by hand":
            _make_platform_role(deployment, "two")
        before, second = deployment.cloud_state(), _second(deployment)
        if case == "list lags":
            deployment.virtual_clock.advance_to(deployment.cloud.world.after(3 * 3600))
            deployment.knobs(list_stale=600)
        first = deployment.settle(platform_role_name="one")["id"]
        if case == "of another VNet":
            elsewhere = deployment.settle(vnet_id=deployment.cloud.vnet_ids[1], platform_role_name="one")["id"]
            assert deployment.remove(first)["state"] == "removed"
            first = elsewhere
        if case == "failed":
            refused = {"host": ARM, "method": "PUT", "path": "/roleDefinitions/", "status": 400, "times": 9999}
            deployment.knobs(faults=[refused])
        other = deployment.settle(vpc=second, platform_role_name="two")
        assert other["state"] == ("failed" if case == "failed" else "connected")
        slow = {"host": ARM, "method": "DELETE", "path": f"/virtualNetworkPeerings/aiven-{second}", "status": 503}
        deployment.knobs(faults=[{**slow, "times": 25}] if case == "at once" else [])
        if case == "at once":
            deployment.api.delete(f"/api/peerings/{other['id']}").raise_for_status()
        assert deployment.remove(first)["state"] == "removed"
        if case != "at once":
            deployment.api.delete(f"/api/peerings/{other['id']}").raise_for_status()
        assert deployment.until(other["id"], "removed")["state"] == "removed"
        assert deployment.cloud_state() == before


def _make_platform_role(deployment: Deployment, name: str) -> None:
    """Create a custom role as this app would, but under another GUID."""
    world, scope = deployment.cloud.world, f"/subscriptions/{deployment.cloud.landscape.subscription}"
    tenant, actions = deployment.cloud.landscape.customer_tenant, [*PLATFORM_ACTIONS]
    world.roles.append(
        RoleDefinition(world.guid(), name, "", built_in=False, tenant_id=tenant, scopes=[scope], actions=actions)
    )


@pytest.mark.parametrize(
    "options", [{"user_role_name": "own", "privilege": "setup-only"}, {"role": "Network Contributor"}]
)
def test_the_application_loses_its_old_right_also_beside_another_peering(
    tmp_path: Path, options: dict[str, object]
) -> None:
    with deploy(tmp_path, _TWO) as deployment:
        identity = deployment.settle()["id"]
        assert deployment.settle(vpc=_second(deployment))["state"] == "connected"
        planned, there = plan(deployment, **options), _ids(deployment)
        assert deployment.settle(**options)["state"] == "connected"
        assert _deleted(planned) == there - _ids(deployment) != set()
        checked = deployment.check(identity)["health"]
        assert (checked["verdict"], checked["problems"]) == ("healthy", [])


@pytest.mark.parametrize("whose", ["platform", "application"])
def test_what_was_assigned_to_a_principal_that_is_gone_goes_too(deployment: Deployment, whose: str) -> None:
    before, world = deployment.cloud_state(), deployment.cloud.world
    status = deployment.settle(platform_role_name="one", repair="off")
    if whose == "platform":
        tenant = deployment.cloud.landscape.customer_tenant
        deployment.event(kind="delete-service-principal", app_id=PLATFORM_APP, tenant_id=tenant)
        assert deployment.settle(platform_role_name="two")["state"] == "connected"
    else:
        facts, vpc = status["facts"], next(iter(world.vpcs))
        deployment.event(kind="delete-connection", project_vpc_id=vpc, vnet_id=facts["vnet_id"])
        side = {"vnet_id": facts["vnet_id"], "remote_id": facts["to_network_id"]}
        deployment.event(kind="delete-vnet-peering", **side)
        deployment.event(kind="delete-application", app_id=facts["application_id"])
        purge_application(
            world, cast("Application", world.deleted_applications.first("app_id", facts["application_id"]))
        )
        assert deployment.settle(platform_role_name="one")["state"] == "connected"
    planned, there = _planned_removal(deployment, status["id"]), _ids(deployment)
    assert deployment.remove(status["id"])["state"] == "removed"
    assert _deleted(planned) & there == there - _ids(deployment)
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 400, "code": "RoleDefinitionHasAssignments"}])
def test_a_role_of_an_earlier_peering_is_not_forgotten_between_two_tries(
    tmp_path: Path, fault: dict[str, object]
) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 3})) as deployment:
        _, second, third = deployment.cloud.world.vpcs
        made_by_hand(deployment.cloud, str(deployment.request()["vnet_id"]))
        first = deployment.settle(vpc=second, platform_role_name="one")["id"]
        assert deployment.remove(first)["state"] == "removed"
        assert "one" in _roles(deployment)
        deployment.knobs(faults=[{**STILL_ASSIGNED, **fault, "times": 1}])
        assert deployment.settle(vpc=third, platform_role_name="two")["state"] == "connected"
        assert "one" not in _roles(deployment)


def test_why_a_right_is_kept_is_told_until_it_is_gone(deployment: Deployment) -> None:
    identity, refused = deployment.settle(user_role_name="one")["id"], {"host": ARM, "method": "DELETE", "status": 400}
    deployment.knobs(faults=[{**refused, "path": "/roleAssignments/", "times": 1}])
    # The deletion of the old right is refused, that of the new one is not.
    status = deployment.settle(user_role_name="two", privilege="setup-only")
    assert (status["state"], status["facts"]["rights_settled"]) == ("connected", "not removed")
    found = [one for one in deployment.check(identity)["health"]["problems"] if one["code"] == "surplus-rights"]
    assert ["It was not removed:" in one["detail"] for one in found] == [True]
    world = deployment.cloud.world
    for held in [one for one in world.assignments if one.principal_id == status["facts"]["user_principal_id"]]:
        world.assignments.remove(held)
    assert deployment.settle(user_role_name="two", privilege="setup-only")["facts"]["rights_kept"] is None


def test_what_may_not_be_read_among_deleted_applications_ends_no_removal(deployment: Deployment) -> None:
    before, identity = deployment.cloud_state(), deployment.settle()["id"]
    hidden = {"host": GRAPH, "method": "GET", "path": "/directory/deletedItems/", "status": 403, "times": 9999}
    deployment.knobs(faults=[{**hidden, "code": "Authorization_RequestDenied"}])
    removed = deployment.remove(identity)
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    assert deployment.cloud_state() == before


def test_a_removal_that_could_not_purge_does_it_when_it_is_repeated(deployment: Deployment) -> None:
    before, identity = deployment.cloud_state(), deployment.settle()["id"]
    deployment.knobs(
        faults=[{"host": GRAPH, "method": "DELETE", "path": "/deletedItems/", "status": 503, "times": 9999}]
    )
    assert deployment.remove(identity)["problem"]["code"] == "remote-unavailable"
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_the_plan_of_a_removal_asks_aiven_who_else_needs_the_platform(tmp_path: Path) -> None:
    with deploy(tmp_path, _TWO) as deployment:
        vnet = str(deployment.request()["vnet_id"])
        made_by_hand(deployment.cloud, vnet)
        network = next(iter(deployment.cloud.world.vpcs.values())).network.id
        deployment.event(kind="delete-vnet-peering", vnet_id=vnet, remote_id=network)
        identity = deployment.settle(vpc=_second(deployment))["id"]
        planned, there = _planned_removal(deployment, identity), _ids(deployment)
        assert deployment.remove(identity)["state"] == "removed"
        assert _deleted(planned) & there == there - _ids(deployment)
