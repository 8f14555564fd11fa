"""Plans of starts of peerings that exist: what is there as it is asked for is found, the rest is created."""

from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import Scenario
from local.cloud.arm.roles import READER
from local.cloud.world.world import RoleDefinition
from local.deployment import Deployment, deploy
from tests.workflows.obstacles import Place
from tests.workflows.plans import codes, plan

_AUTHORIZATION: Final = "/providers/Microsoft.Authorization"


def test_what_is_there_as_it_is_asked_for_needs_no_right_to_be_made(deployment: Deployment) -> None:
    deployment.settle()
    origins = deployment.settle()["objects"]
    assert {name: one["origin"] for name, one in origins.items() if name.endswith("assignment")} == {
        "user_role_assignment": "created",
        "platform_role_assignment": "created",
    }
    place = Place(deployment)
    place.keep_only(place.subscription, READER)
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("find", [])
    assert deployment.settle()["state"] == "connected"
    other = {"role": "Network Contributor"}
    assert codes(plan(deployment, **other)) == ["automation-not-authorized"]
    assert deployment.settle(**other)["problem"]["code"] == "automation-not-authorized"


def test_a_limit_of_assignments_is_planned_for_another_role_too(deployment: Deployment) -> None:
    deployment.settle()
    Place(deployment).crowd()
    other = {"role": "Network Contributor"}
    assert codes(plan(deployment)) == []
    planned = plan(deployment, **other)
    assert codes(planned) == ["role-limit-reached"]
    assert planned["obstacles"][0]["detail"].endswith("of 4000 role assignments in the subscription.")
    assert deployment.settle(**other)["problem"]["code"] == "role-limit-reached"


@pytest.mark.parametrize(
    ("options", "created"),
    [
        ({"role": "Network Contributor"}, {"user_role_assignment"}),
        ({"platform_role_name": "another"}, {"platform_role", "platform_role_assignment"}),
    ],
)
def test_another_role_is_planned_to_be_assigned(
    deployment: Deployment, options: dict[str, object], created: set[str]
) -> None:
    deployment.settle()
    planned, before = plan(deployment, **options), _rights(deployment)
    assert {step["step"] for step in planned["steps"] if step["action"] == "create"} == created
    status = deployment.settle(**options)
    assert status["state"] == "connected"
    # What is deleted is what was planned to be.
    deleted = _deleted(planned)
    assert deleted == before - _rights(deployment)
    assert sorted(one.split("/")[-2] for one in deleted) == ["roleassignments", "roledefinitions"]
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


def test_what_a_failure_does_is_an_option_like_the_others(deployment: Deployment) -> None:
    deployment.settle()
    planned = plan(deployment, on_failure="rollback")
    assert planned["changes"] == [{"option": "on_failure", "old": "keep", "new": "rollback"}]
    assert deployment.settle(on_failure="rollback")["peering"]["on_failure"] == "rollback"
    assert plan(deployment, on_failure="rollback")["changes"] == []


@pytest.mark.parametrize("there", ["on the VNet", "on another VNet"])
def test_what_another_peering_needs_is_not_planned_to_be_deleted(tmp_path: Path, there: str) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 2, "project_vpcs": 2})) as deployment:
        _, second = deployment.cloud.vnet_ids
        vpcs = list(deployment.cloud.world.vpcs)
        assert deployment.settle()["state"] == "connected"
        other = {"vpc": vpcs[1]} if there == "on the VNet" else {"vnet_id": second}
        assert deployment.settle(**other)["state"] == "connected"
        before = _rights(deployment)
        deleted = _deleted(plan(deployment, platform_role_name="another"))
        assert deployment.settle(platform_role_name="another")["state"] == "connected"
        assert deleted == before - _rights(deployment)
        assert len(deleted) == (0 if there == "on the VNet" else 1)


def _deleted(planned: dict[str, Any]) -> set[str]:
    """The ids of what a plan says would be deleted, in lower case."""
    return {step["id"].lower() for step in planned["steps"] if step["action"] == "delete"}


def _rights(deployment: Deployment) -> set[str]:
    """The ids of all roles and assignments, in lower case."""
    world, scope = deployment.cloud.world, f"/subscriptions/{deployment.cloud.landscape.subscription}"
    roles = {f"{scope}{_AUTHORIZATION}/roleDefinitions/{one.name}".lower() for one in world.roles}
    return roles | {f"{one.scope}{_AUTHORIZATION}/roleAssignments/{one.name}".lower() for one in world.assignments}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"kind": "add-lock", "level": "CanNotDelete"}, "lock"),
        ({"kind": "add-deny-assignment", "actions": ["Microsoft.Authorization/roleAssignments/delete"]}, "deny"),
    ],
)
def test_a_right_that_may_not_be_deleted_is_a_finding_and_no_failure(
    deployment: Deployment, event: dict[str, object], told: str
) -> None:
    scope = deployment.settle()["facts"]["vnet_id"]
    deployment.event(scope=scope, **event)
    status = deployment.settle(role="Network Contributor")
    assert status["state"] == "connected", status.get("problem")
    (found,) = deployment.check(status["id"])["health"]["problems"]
    assert found["code"] == "surplus-rights"
    assert told in found["detail"].partition("It was not removed:")[2]


def test_a_role_that_no_list_shows_yet_is_planned_to_be_deleted_by_its_id(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"role_definitions_stale": 120})) as deployment:
        deployment.settle(user_role_name="one")
        planned = plan(deployment, user_role_name="two")
        assert (planned["result"], planned["obstacles"]) == ("update", [])
        assert deployment.settle(user_role_name="two")["state"] == "connected"


def test_a_list_without_roles_does_not_take_what_another_peering_needs(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 2})) as deployment:
        deployment.settle(platform_role_name="one")
        second = list(deployment.cloud.world.vpcs)[1]
        deployment.settle(vpc=second, platform_role_name="two")
        before = _rights(deployment)
        lists_no_role = {"host": r"management\.azure\.com", "path": "/roleDefinitions$", "method": "GET", "times": 9999}
        deployment.knobs(faults=[{**lists_no_role, "status": 200, "body": {"value": []}}])
        assert _deleted(plan(deployment, platform_role_name="one")) == set()
        assert deployment.settle(platform_role_name="one")["state"] == "connected"
        assert before - _rights(deployment) == set()


def test_what_the_apps_own_role_excludes_it_lacks(deployment: Deployment) -> None:
    place = Place(deployment)
    place.keep_only(place.subscription)
    write = "Microsoft.Authorization/roleAssignments/write"
    world, tenant = deployment.cloud.world, deployment.cloud.landscape.customer_tenant
    kept = RoleDefinition(
        *(world.guid(), "all but assignments", ""),
        built_in=False,
        tenant_id=tenant,
        scopes=[place.subscription],
        actions=["*"],
        not_actions=[write],
    )
    world.roles.append(kept)
    world.assign(world.guid(), place.subscription, kept, deployment.cloud.landscape.automation.id)
    (obstacle,) = plan(deployment)["obstacles"]
    assert (obstacle["code"], write in obstacle["detail"]) == ("automation-not-authorized", True)
