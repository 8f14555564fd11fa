"""What others change between the looks of a start and its steps is seen by the step, and left as it is."""

from typing import Any

import pytest

from local.cloud.world.records import RoleDefinition
from local.cloud.world.world import PLATFORM_APP
from local.deployment import Deployment
from peering.rights import USER_ACTIONS
from tests.workflows.cloud_objects import platform, rights, the_connection, vnet_of
from tests.workflows.meanwhile import Meanwhile
from tests.workflows.recorded_runs import runs
from tests.workflows.sides import lose_side, peer_with_third, sides

ARM, GRAPH, AIVEN = r"management\.azure\.com", r"graph\.microsoft\.com", r"api\.aiven\.io"


def problem_of(status: dict[str, Any]) -> tuple[str, str | None]:
    """The state of a peering, and the code of its problem."""
    return status["state"], status.get("problem", {}).get("code")


def test_a_role_that_got_the_name_meanwhile_is_neither_used_nor_changed(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    world, found = deployment.cloud.world, deployment.cloud.landscape
    scopes = [f"/subscriptions/{found.subscription}"]
    theirs = RoleDefinition(
        *(world.guid(), "Peers", "", False, found.customer_tenant), scopes=scopes, actions=["Microsoft.Network/*"]
    )
    meanwhile.before["platform_role"] = [lambda: world.roles.append(theirs)]
    status = deployment.settle(platform_role_name="Peers")
    assert problem_of(status) == ("failed", "role-name-taken")
    assert theirs.actions == ["Microsoft.Network/*"]
    assert [a for a in world.assignments if a.role == theirs.name] == []


def test_a_role_whose_answer_lacks_its_id_is_looked_up(deployment: Deployment) -> None:
    deployment.knobs(faults=[{"host": ARM, "method": "PUT", "path": "/roleDefinitions/", "without": "id", "times": 2}])
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)
    ids = {status["facts"][f"{whose}_role_id"].rpartition("/")[2] for whose in ("user", "platform")}
    assert len(ids) == 2
    assert ids <= {role.name for role in deployment.cloud.world.roles if not role.built_in}


def test_the_same_assignment_of_another_owner_is_the_one_that_counts(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    world, vnet = deployment.cloud.world, vnet_of(deployment)
    name = world.guid()

    def assign() -> None:
        (application,) = [one for one in world.applications if one.unique_name]
        principal = world.principal(application.app_id, deployment.cloud.landscape.customer_tenant)
        (role,) = [role for role in world.roles if not role.built_in and role.actions == list(USER_ACTIONS)]
        assert principal is not None
        world.assign(name, vnet.id, role, principal.id)

    meanwhile.before["user_role_assignment"] = [assign]
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)
    assert status["facts"]["user_role_assignment_id"].endswith(f"/{name}")
    assert rights(deployment, status) == 1


def test_an_assignment_that_azure_says_is_there_and_does_not_show_is_waited_for(deployment: Deployment) -> None:
    there = {"host": ARM, "method": "PUT", "path": "/roleAssignments/", "status": 409, "code": "RoleAssignmentExists"}
    deployment.knobs(faults=[there])
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)
    held = {a.name for a in deployment.cloud.world.assignments}
    assert {status["facts"][f"{w}_role_assignment_id"].rpartition("/")[2] for w in ("user", "platform")} <= held
    assert rights(deployment, status) == 1


def test_a_vnet_that_goes_meanwhile_takes_no_connection_with_it(deployment: Deployment, meanwhile: Meanwhile) -> None:
    deployment.settle(repair="off")
    lose_side(deployment)
    vnet = vnet_of(deployment).id
    meanwhile.before["stale_connection"] = [lambda: deployment.event(kind="delete-vnet", vnet_id=vnet)]
    deployment.clear_requests()
    status = deployment.settle(repair="off")
    assert problem_of(status) == ("failed", "vnet-not-found")
    assert the_connection(deployment).state == "ACTIVE"
    assert [one for one in deployment.writes() if one["method"] == "DELETE"] == []


@pytest.mark.both_kinds
def test_a_connection_that_is_deleted_meanwhile_is_requested_again_once_it_is_gone(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    deployment.knobs(deleted=60)
    vpc, vnet = next(iter(deployment.cloud.world.vpcs.values())), vnet_of(deployment)

    def delete() -> None:
        state = {"kind": "set-connection-state", "state": "DELETING"}
        deployment.event(**state, project_vpc_id=vpc.id, vnet_id=vnet.id)

    meanwhile.lost.add("peering_connection")
    meanwhile.before["peering_connection"] = [lambda: None, delete]
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)
    assert the_connection(deployment).state == "ACTIVE"
    asked = [one for one in deployment.writes() if one["path"].endswith("/peering-connections")]
    assert [one["method"] for one in asked] == ["POST", "POST"]


@pytest.mark.both_kinds
def test_a_connection_without_its_application_is_looked_at_again(deployment: Deployment, meanwhile: Meanwhile) -> None:
    left_out = {"host": AIVEN, "method": "GET", "path": "/vpcs/", "without": "peer_azure_app_id"}
    meanwhile.before["pending_peer"] = [lambda: deployment.knobs(faults=[left_out])]
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)


def test_the_platforms_principal_that_is_disabled_meanwhile_ends_the_start(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    def disable() -> None:
        deployment.event(kind="disable-service-principal", **platform(deployment))

    meanwhile.lost.add("platform_service_principal")
    meanwhile.before["platform_service_principal"] = [lambda: None, disable]
    status = deployment.settle()
    assert problem_of(status) == ("failed", "platform-principal-disabled")
    principal = deployment.cloud.world.principal(PLATFORM_APP, deployment.cloud.landscape.customer_tenant)
    assert principal is not None
    assert principal.id in status["problem"]["detail"]


def test_a_service_principal_whose_answer_lacks_its_id_is_looked_up(deployment: Deployment) -> None:
    left_out = {"host": GRAPH, "method": "POST", "path": "/servicePrincipals$", "without": "id"}
    deployment.knobs(faults=[left_out])
    status = deployment.settle()
    assert problem_of(status) == ("connected", None)
    principal = deployment.cloud.world.principal(PLATFORM_APP, deployment.cloud.landscape.customer_tenant)
    assert principal is not None
    assert status["facts"]["platform_principal_id"] == principal.id


def test_a_peering_that_took_the_name_meanwhile_stays_as_it_is(deployment: Deployment, meanwhile: Meanwhile) -> None:
    meanwhile.before["vnet_peering"] = [lambda: peer_with_third(deployment)]
    status = deployment.settle(peering_name="to-Third-VNet")
    assert problem_of(status) == ("failed", "peering-name-taken")
    assert [(name, state) for name, state, _ in sides(deployment)] == [("to-Third-VNet", "Connected")]
    assert [one for one in deployment.writes() if "/virtualNetworkPeerings/" in one["path"]] == []


def test_a_side_whose_operation_fails_ends_the_start(deployment: Deployment, meanwhile: Meanwhile) -> None:
    vnet = vnet_of(deployment)

    def fail() -> None:
        deployment.event(kind="fail-vnet-peering", vnet_id=vnet.id, remote_id=vnet.peerings[0].remote_id)

    meanwhile.before["connected"] = [fail]
    status = deployment.settle()
    assert problem_of(status) == ("failed", "peering-failed")


@pytest.mark.parametrize("gone", [False, True])
def test_a_side_that_is_in_sync_or_gone_meanwhile_is_not_written(
    deployment: Deployment, meanwhile: Meanwhile, gone: bool
) -> None:
    status = deployment.settle()
    vnet, (vpc,) = vnet_of(deployment), deployment.cloud.world.vpcs.values()
    deployment.event(kind="change-project-cidr", project_vpc_id=vpc.id, cidr="10.241.0.0/20")

    def change() -> None:
        if gone:
            deployment.event(kind="delete-vnet-peering", vnet_id=vnet.id, remote_id=vnet.peerings[0].remote_id)
        else:
            vnet.peerings[0].remote_prefixes = ["10.241.0.0/20"]

    meanwhile.before["sync"] = [change]
    deployment.clear_requests()
    deployment.check(status["id"])
    repair = next(run for run in runs(deployment, status["id"]).values() if run["operation"] == "repair")
    assert repair["steps"]["sync"]["state"] == "done"
    if not gone:
        assert [one for one in deployment.writes() if "/virtualNetworkPeerings/" in one["path"]] == []
        assert deployment.status(status["id"])["health"]["verdict"] == "healthy"


@pytest.mark.parametrize("on_failure", ["keep", "rollback"])
@pytest.mark.both_kinds
def test_a_failed_start_that_is_cancelled_meanwhile_takes_nothing_back_itself(
    deployment: Deployment, meanwhile: Meanwhile, on_failure: str
) -> None:
    deployment.knobs(outcome="ERROR")

    def cancel() -> None:
        deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()

    meanwhile.before["enter_order_phase"] = [cancel]
    deployment.virtual_clock.held = True
    identity = deployment.start(onFailure=on_failure, **({"privilege": "setup-only"} if on_failure == "keep" else {}))
    deployment.virtual_clock.held = False
    status = deployment.until(identity)
    assert status["state"] == "stopped"
    cancelled, start = runs(deployment, identity).values()
    assert (start["outcome"], cancelled["outcome"]) == ("superseded", "done")
    assert the_connection(deployment).state == "ERROR"
    expected = 0 if on_failure == "keep" else 1
    assert rights(deployment, deployment.status(identity)) == expected
    # What the cancel does itself, and nothing of a rollback.
    assert (meanwhile.called.count("release_rights"), "belongings" in meanwhile.called) == (1 - expected, False)
