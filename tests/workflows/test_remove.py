"""Removing a peering: in order, only what this app created, and nothing that others need."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from local.cloud import Scenario
from local.cloud.scenario import Fault
from local.cloud.server.wire import Request
from local.deployment import Deployment, deploy
from peering.naming import last_part, secret_name
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import the_connection
from tests.workflows.waiting import NEVER

pytestmark = pytest.mark.both_kinds


@pytest.mark.engine_part
def test_everything_is_as_it_was_before(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    assert deployment.cloud_state() != before
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    assert deployment.cloud_state() == before
    vault = next(iter(deployment.cloud.world.vaults.values()))
    assert secret_name(status["id"]) in vault.deleted
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}
    assert deployment.api.delete(f"/api/peerings/{status['id']}").status_code == 404


@pytest.mark.parametrize(
    "answer",
    [{"status": 404, "code": "RoleDefinitionDoesNotExist"}, {"status": 400, "code": "RoleDefinitionHasAssignments"}],
    ids=["not there", "assigned"],
)
@pytest.mark.any_kind
def test_a_role_that_azure_does_not_let_go_at_once_goes_in_the_end(
    deployment: Deployment, answer: dict[str, object]
) -> None:
    before, identity = deployment.cloud_state(), deployment.settle()["id"]
    where = {"method": "DELETE", "host": r"management\.azure\.com", "path": "/roleDefinitions/"}
    deployment.knobs(faults=[{**where, **answer, "times": 3}])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_a_removal_creates_a_principal_again_that_it_needs_for_its_side(deployment: Deployment) -> None:
    before, status = deployment.cloud_state(), deployment.settle()
    application, tenant = status["facts"]["application_id"], deployment.cloud.landscape.customer_tenant
    deployment.event(kind="delete-service-principal", app_id=application, tenant_id=tenant)
    deployment.host.restart_worker("Nobody is signed in any more.")
    planned = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").json()
    assert (planned["result"], planned["obstacles"]) == ("remove", [])
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    assert deployment.cloud_state() == before


def test_it_goes_in_order(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.clear_requests()
    deployment.remove(status["id"])
    kinds = (
        "virtualNetworkPeerings",
        "peering-connection",
        "roleAssignments",
        "roleDefinitions",
        "servicePrincipals",
        "applications",
        "secrets",
    )
    deleted = [request["path"] for request in deployment.writes() if request["method"] == "DELETE"]
    paths = [path for path in deleted if "deletedItems" not in path]
    order = [
        next(kind for kind in reversed(kinds) if kind in path) if "roleAssignments" not in path else "roleAssignments"
        for path in paths
    ]
    first = [
        order.index(kind)
        for kind in ("virtualNetworkPeerings", "peering-connection", "roleAssignments", "applications", "secrets")
    ]
    assert first == sorted(first)
    created = status["facts"]["application_id"]
    assert [r["app_id"] == created for r in deployment.writes() if "virtualNetworkPeerings" in r["path"]] == [True]


@pytest.mark.life
def test_it_can_be_set_up_again(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.remove(identity)
    status = deployment.settle()
    assert (status["id"], status["state"]) == (identity, "connected"), status.get("problem")


def test_with_realistic_delays_it_waits_until_all_is_gone(tmp_path: Path) -> None:
    with deploy(tmp_path, "realistic") as deployment:
        before = deployment.cloud_state()
        status = deployment.settle()
        assert deployment.remove(status["id"])["state"] == "removed"
        # Aiven lists the connection as DELETED for a while longer.
        deployment.virtual_clock.advance_to(deployment.cloud.world.after(60))
        assert deployment.cloud_state() == before


def test_what_another_peering_shares_stays_until_that_goes_too(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 3, "project_vpcs": 2})) as deployment:
        before = deployment.cloud_state()
        second = list(deployment.cloud.world.vpcs)[1]
        first, same_vnet = deployment.settle(), deployment.settle(vpc=second)
        assert deployment.remove(first["id"])["state"] == "removed"
        checked = deployment.check(same_vnet["id"])
        assert (checked["health"]["verdict"], checked["operation"]) == ("healthy", "establish")
        assert deployment.remove(same_vnet["id"])["state"] == "removed"
        assert deployment.cloud_state() == before


@pytest.mark.any_kind
def test_a_role_that_another_peering_has_recreated_meanwhile_is_that_one_s(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 2})) as deployment:
        identity, world = deployment.settle()["id"], deployment.cloud.world
        role = next(r for r in world.roles if "(platform)" in r.role_name)
        held = next(a for a in world.assignments if a.role == role.name)
        other = next(v.id for v in world.vnets.values() if v.id != held.scope)
        made: list[str] = []

        def recreate(request: Request) -> None:
            looked_for = request.method == "GET" and request.path.endswith(f"/roleDefinitions/{role.name}")
            if looked_for and not made and world.roles.first("name", role.name) is None:
                made.append(role.name)
                world.roles.append(role)
                world.assignments.append(replace(held, name=str(uuid4()), scope=other))

        deployment.cloud.before_each_request(recreate)
        removed = deployment.remove(identity)
        assert (removed["state"], removed.get("problem")) == ("removed", None)
        assert made
        assert role in world.roles
        # It did not restart because of it.
        deleted = [w for w in deployment.writes() if w["method"] == "DELETE" and w["path"].endswith(role.name)]
        assert len(deleted) == 1


@pytest.mark.life
def test_a_peering_that_was_made_by_hand_beside_ours_survives(deployment: Deployment) -> None:
    vnets = [v.id for v in deployment.cloud.world.vnets.values()]
    ours = deployment.settle()
    application = made_by_hand(deployment.cloud, vnets[1])
    assert deployment.remove(ours["id"])["state"] == "removed"
    world = deployment.cloud.world
    (connection,) = [c for _, c in world.connections()]
    assert (connection.state, connection.app_id) == ("ACTIVE", application.app_id)
    platform = {p.id for p in world.principals if p.tenant_id == deployment.cloud.landscape.customer_tenant}
    kept = [a for a in world.assignments if a.scope == vnets[1]]
    assert len(kept) == 2
    assert {a.principal_id for a in kept} <= platform
    world.knobs.approved = 0
    assert connection.state == "ACTIVE"


@pytest.mark.life
def test_another_owner_s_connection_for_the_pair_is_not_touched(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, str(deployment.request()["vnet_id"]))
    before = deployment.cloud_state()
    status = deployment.settle()
    assert status["state"] == "existing"
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("gone", ["delete-vnet", "delete-project-vpc"])
@pytest.mark.life
def test_a_side_that_is_gone_does_not_keep_the_rest_from_going(deployment: Deployment, gone: str) -> None:
    status = deployment.settle()
    vpc = deployment.cloud.landscape.vpc.id
    named = {"vnet_id": status["facts"]["vnet_id"]} if gone == "delete-vnet" else {"project_vpc_id": vpc}
    deployment.event(kind=gone, **named)
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")
    held = deployment.cloud_state()
    assert not [a for a in held["applications"] if a["uniqueName"]]
    assert not held["secrets"]


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("name", ["peer_resource_group", "peer_azure_app_id"])
def test_a_connection_that_is_shown_in_part_is_neither_gone_nor_anothers(
    deployment: Deployment, name: str, skip: int
) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    shown = {"host": "api.aiven.io", "method": "GET", "path": "/vpcs?/", "without": name, "status": 200}
    deployment.knobs(faults=[{**shown, "skip": skip, "times": 4}])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.any_kind
@pytest.mark.parametrize("times", [1, 6, NEVER])
@pytest.mark.parametrize(
    ("name", "elsewhere", "kept", "fact"),
    [
        ("peer_resource_group", {}, "roleAssignments", "platform_role_assignment_id"),
        ("peer_azure_tenant_id", {"account": str(uuid4())}, "servicePrincipals", "platform_principal_id"),
    ],
    ids=["resource group", "tenant"],
)
def test_a_connection_of_anothers_that_is_shown_in_part_keeps_what_it_needs(
    tmp_path: Path, name: str, elsewhere: dict[str, str], kept: str, fact: str, times: int
) -> None:
    with deploy(tmp_path, Scenario(project_vpcs=2)) as deployment:
        status = deployment.settle()
        shown = _requested_by_another(deployment, **elsewhere)
        deployment.knobs(faults=[{**shown, "without": name, "times": times}])
        assert deployment.remove(status["id"])["state"] == "removed"
        wanted = last_part(status["facts"][fact])
        assert wanted in {one.get("name", one["id"]) for one in deployment.cloud_state()[kept]}


@pytest.mark.any_kind
@pytest.mark.parametrize("name", ["peer_resource_group", "peer_azure_tenant_id"])
def test_a_connection_of_anothers_that_is_shown_in_part_for_a_while_keeps_nothing_that_it_does_not_need(
    tmp_path: Path, name: str
) -> None:
    with deploy(tmp_path, Scenario(project_vpcs=2)) as deployment:
        before = deployment.cloud_state()
        identity = deployment.settle()["id"]
        # In a VNet of the same name.
        shown = _requested_by_another(deployment, group="elsewhere", tenant_id=str(uuid4()))
        deployment.knobs(faults=[{**shown, "without": name, "times": 4}])
        assert deployment.remove(identity)["state"] == "removed"
        after = deployment.cloud_state()
        assert {**after, "peeringConnections": []} == before


def _requested_by_another(deployment: Deployment, **elsewhere: str) -> dict[str, object]:
    """Request a connection like ours for another application in another VPC; returns which answers show it."""
    first, second = deployment.cloud.world.vpcs.values()
    (own,) = first.connections
    foreign = replace(own, app_id=str(uuid4()), id=deployment.cloud.world.guid())
    second.connections.append(replace(foreign, **elsewhere))  # type: ignore[arg-type]
    return {"host": r"api\.aiven\.io", "method": "GET", "path": f"/vpcs/{second.id}"}


def test_a_connection_that_is_shown_in_part_at_last_is_not_taken_for_deleted(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    world, own, looks = deployment.cloud.world, the_connection(deployment), list[str]()
    shown = {"host": r"api\.aiven\.io", "path": "/vpcs?/", "without": "peer_azure_app_id", "times": 6}

    def hide_until_the_application_goes(request: Request) -> None:
        looks.extend([request.path] if request.host == "api.aiven.io" else [])
        if request.method == "DELETE" and "/applications/" in request.path and own.created > world.now:
            own.created = world.now
            world.knobs.faults = [Fault.model_validate(shown)]
        elif len(looks) == 2:
            own.created = world.after(3600)

    deployment.cloud.before_each_request(hide_until_the_application_goes)
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_without_its_application_the_vnet_peering_has_to_be_deleted_by_hand(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.event(kind="delete-application", app_id=status["facts"]["application_id"])
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "application-missing")
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    assert deployment.remove(status["id"])["state"] == "removed"


@pytest.mark.life
@pytest.mark.engine_part
def test_a_start_that_fails_is_taken_back_on_request(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(outcome="ERROR")
    status = deployment.settle(onFailure="rollback")
    assert (status["state"], status["problem"]["code"]) == ("rolled-back", "connection-error")
    assert deployment.cloud_state() == before
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}
    deployment.knobs(outcome="")
    assert deployment.settle()["state"] == "connected"


def test_a_start_that_fails_is_kept_by_default(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    status = deployment.settle()
    assert status["state"] == "failed"
    assert [a for a in deployment.cloud_state()["applications"] if a["uniqueName"]]
