"""Objects that another owner created or uses are neither deleted nor overwritten; working ones are not removed."""

from pathlib import Path

import pytest

from local.clock import VirtualClock
from local.cloud import Scenario
from local.deployment import Deployment, deploy
from tests.workflows.by_hand import ByHand, made_by_hand
from tests.workflows.cloud_objects import the_connection, vnet_of
from tests.workflows.plans import actions, codes, plan
from tests.workflows.remote_requests import deletions
from tests.workflows.sides import lose_side, peer_with_third, sides
from tests.workflows.waiting import soon

pytestmark = pytest.mark.both_kinds


@pytest.mark.parametrize("state", ["Connected", "Disconnected"])
def test_a_start_under_a_name_that_is_taken_ends_before_anything_is_made(deployment: Deployment, state: str) -> None:
    name = peer_with_third(deployment, state)
    before = deployment.cloud_state()
    status = deployment.settle(peering_name=name)
    assert (status["state"], status["problem"]["code"]) == ("failed", "peering-name-taken")
    assert deployment.writes() == []
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("state", ["Connected", "Disconnected"])
def test_a_name_that_is_taken_is_an_obstacle_in_the_dry_run(deployment: Deployment, state: str) -> None:
    name = peer_with_third(deployment, state)
    planned = plan(deployment, peering_name=name)
    assert (planned["result"], codes(planned)) == ("blocked", ["peering-name-taken"])


@pytest.mark.parametrize("state", ["Connected", "Disconnected"])
@pytest.mark.parametrize("on_failure", ["keep", "rollback"])
def test_a_start_that_failed_for_its_name_takes_nothing_of_others_with_it(
    deployment: Deployment, state: str, on_failure: str
) -> None:
    name = peer_with_third(deployment, state)
    before = deployment.cloud_state()
    status = deployment.settle(peering_name=name, onFailure=on_failure)
    assert status["problem"]["code"] == "peering-name-taken"
    if status["state"] == "failed":
        assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}


@pytest.mark.parametrize("state", ["Connected", "Disconnected"])
def test_a_removal_leaves_a_peering_alone_that_took_the_name_after_a_failed_start(
    deployment: Deployment, state: str
) -> None:
    deployment.knobs(outcome="ERROR")
    identity = deployment.settle(peering_name="to-Third-VNet")["id"]
    peer_with_third(deployment, state)
    theirs = sides(deployment)
    assert deployment.remove(identity)["state"] == "removed"
    assert sides(deployment) == theirs
    assert deployment.cloud_state()["peeringConnections"] == []


def test_a_removal_takes_its_own_side_and_not_the_one_that_took_its_name(deployment: Deployment) -> None:
    status = deployment.settle(peering_name="to-Third-VNet")
    network = status["facts"]["to_network_id"]
    deployment.event(kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=network)
    peer_with_third(deployment)
    theirs = sides(deployment)
    assert deployment.remove(status["id"])["state"] == "removed"
    assert sides(deployment) == theirs


def test_a_rollback_removes_nothing_that_was_connected_before(deployment: Deployment) -> None:
    first = deployment.settle(onFailure="rollback")
    assert first["state"] == "connected"
    peer_with_third(deployment)
    third = vnet_of(deployment).id.rpartition("/")[0] + "/Third-VNet"
    deployment.event(kind="change-address-space", vnet_id=third, prefixes=[first["facts"]["project_network_cidr"]])
    before = deployment.cloud_state()
    deployment.clear_requests()
    again = deployment.settle(onFailure="rollback")
    assert (again["state"], again["problem"]["code"]) == ("failed", "address-space-overlaps-peered-vnet")
    assert deletions(deployment) == []
    assert deployment.cloud_state() == before


def test_a_rollback_removes_nothing_whose_peering_is_broken_for_the_moment(deployment: Deployment) -> None:
    first = deployment.settle(onFailure="rollback")
    vnet, network = first["facts"]["vnet_id"], first["facts"]["to_network_id"]
    deployment.event(kind="delete-vnet-peering", vnet_id=vnet, remote_id=network)
    applications = deployment.cloud_state()["applications"]
    deployment.knobs(outcome="ERROR")
    again = deployment.settle(onFailure="rollback")
    assert (again["state"], again["problem"]["code"]) == ("failed", "connection-error")
    assert deployment.cloud_state()["applications"] == applications
    deployment.knobs(outcome="")
    assert deployment.settle()["state"] == "connected"


def test_a_connection_that_leads_to_the_network_under_its_new_id_is_not_deleted(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.check(status["id"])
    rebuild_network(deployment)
    before = deployment.cloud_state()
    deployment.clear_requests()
    checked = deployment.check(status["id"])
    assert deletions(deployment) == []
    assert the_connection(deployment).state == "ACTIVE"
    deployment.settle()
    assert deletions(deployment) == []
    after = deployment.cloud_state()
    assert after["peeringConnections"] == before["peeringConnections"]
    assert after["virtualNetworkPeerings"] == before["virtualNetworkPeerings"]
    assert checked["state"] == "connected"


def rebuild_network(deployment: Deployment) -> None:
    """The platform recreates the project VPC's network under another id, and moves both sides over."""
    world, mine = deployment.cloud.world, vnet_of(deployment)
    (vpc,) = world.vpcs.values()
    old = vpc.network
    new = world.add_vnet(old.subscription_id, old.group, f"{old.name}-rebuilt", old.prefixes[0])
    new.peerings = old.peerings
    for side in new.peerings:
        side.vnet_id = new.id
    vpc.network = new
    mine.peerings[0].remote_id = new.id


def test_a_connection_that_another_owner_has_requested_meanwhile_is_not_deleted(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    theirs = made_elsewhere(deployment)
    lose_side(deployment)
    deployment.knobs(deleted=600, latency=0.05)
    deployment.start()
    soon(deployment, lambda: deletions(deployment) != [])
    deployment.clear_requests()
    connection = the_connection(deployment)
    assert connection.state == "DELETING"
    vpc = str(deployment.cloud.landscape.vpc.id)
    deployment.event(kind="set-connection-application", project_vpc_id=vpc, vnet_id=connection.vnet_id, app_id=theirs)
    connection.state = "PENDING_PEER"
    deployment.knobs(latency=0)
    status = deployment.until(identity)
    assert status["state"] != "connected"
    assert deletions(deployment) == []
    assert (the_connection(deployment).app_id, the_connection(deployment).state) == (theirs, "PENDING_PEER")


def made_elsewhere(deployment: Deployment) -> str:
    """Another owner's application."""
    tenant = deployment.cloud.landscape.customer_tenant
    return deployment.cloud.world.add_application(tenant, "theirs", "AzureADMultipleOrgs").app_id


def test_a_repair_leaves_the_traffic_switched_off_and_a_request_switches_it_on(deployment: Deployment) -> None:
    status = deployment.settle()
    network, vpc = status["facts"]["to_network_id"], deployment.cloud.landscape.vpc.id
    deployment.check(status["id"])
    deployment.event(
        kind="set-vnet-peering-options",
        vnet_id=status["facts"]["vnet_id"],
        remote_id=network,
        options={"allowVirtualNetworkAccess": False},
    )
    deployment.event(kind="change-project-cidr", project_vpc_id=vpc, cidr="10.99.0.0/20")
    (side,) = vnet_of(deployment).peerings
    checked = deployment.check(status["id"])
    assert (checked["runs"][-1]["operation"], side.remote_prefixes) == ("repair", ["10.99.0.0/20"])
    assert side.options["allowVirtualNetworkAccess"] is False
    assert [p["code"] for p in checked["health"]["problems"]] == ["traffic-not-allowed"]
    assert deployment.settle()["state"] == "connected"
    assert side.options["allowVirtualNetworkAccess"] is True


def test_what_the_app_may_not_change_is_an_obstacle_to_taking_it_over(tmp_path: Path) -> None:
    scenario = {"graph_role": "Application.ReadWrite.OwnedBy", "platform_principal": True}
    with deploy(tmp_path, Scenario.model_validate(scenario)) as deployment:
        made_by_hand(deployment.cloud, vnet_of(deployment).id)
        planned = plan(deployment, adopt=True)
        assert (planned["result"], codes(planned)) == ("blocked", ["automation-graph-permission-missing"])
        before = deployment.cloud_state()
        assert deployment.settle(adopt=True)["problem"]["code"] == "automation-graph-permission-missing"
        assert deployment.cloud_state() == before


@pytest.mark.any_kind
def test_the_owners_of_an_application_that_are_not_shown_once_are_asked_for_again(tmp_path: Path) -> None:
    scenario = {"graph_role": "Application.ReadWrite.OwnedBy", "platform_principal": True}
    with deploy(tmp_path, Scenario.model_validate(scenario)) as deployment:
        application = made_by_hand(deployment.cloud, vnet_of(deployment).id)
        application.owner = deployment.cloud.landscape.automation.id
        left_out = {"host": "graph.microsoft.com", "path": "/owners$", "without": "value"}
        deployment.knobs(faults=[left_out])
        assert deployment.settle(adopt=True)["state"] == "connected"


def test_with_the_permission_for_its_own_applications_the_app_needs_no_other_for_its_own(tmp_path: Path) -> None:
    scenario = {"graph_role": "Application.ReadWrite.OwnedBy", "platform_principal": True}
    with deploy(tmp_path, Scenario.model_validate(scenario)) as deployment:
        assert codes(plan(deployment)) == []
        assert deployment.settle()["state"] == "connected"
        assert codes(plan(deployment)) == []
        assert deployment.settle()["state"] == "connected"


def test_the_dry_run_says_what_would_be_recreated(deployment: Deployment) -> None:
    deployment.settle()
    lose_side(deployment)
    did = actions(plan(deployment))
    assert {step for step, action in did.items() if action == "recreate"} == {"peering_connection", "vnet_peering"}
    assert {action for step, action in did.items() if step not in ("peering_connection", "vnet_peering")} == {"find"}


def test_another_owner_s_connection_without_its_vnet_peering_is_nothing_to_adopt(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    lose_side(deployment)
    planned = plan(deployment, adopt=True)
    assert (planned["result"], codes(planned)) == ("blocked", ["nothing-to-adopt"])
    before = deployment.cloud_state()
    deployment.clear_requests()
    status = deployment.settle(adopt=True)
    assert (status["state"], status["problem"]["code"]) == ("failed", "nothing-to-adopt")
    assert deployment.writes() == []
    assert deployment.cloud_state() == before


def test_taking_over_what_could_not_be_taken_over_is_possible_once_it_can(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    deployment.knobs(list_blind=1)
    assert deployment.settle(adopt=True)["problem"]["code"] == "nothing-to-adopt"
    deployment.knobs(list_blind=0)
    assert (plan(deployment)["result"], plan(deployment, adopt=True)["result"]) == ("leave", "adopt")
    assert deployment.settle()["state"] == "existing"
    status = deployment.settle(adopt=True)
    assert status["state"] == "connected", status.get("problem")
    assert {action for _, action in actions(plan(deployment, adopt=True)).items()} <= {"adopt", "find"}


def test_a_removal_after_a_takeover_that_failed_leaves_everything_as_it_was(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    before = deployment.cloud_state()
    deployment.knobs(list_blind=1)
    identity = deployment.settle(adopt=True)["id"]
    deployment.knobs(list_blind=0)
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


def test_a_network_with_the_project_vpcs_addresses_is_not_taken_for_it(deployment: Deployment) -> None:
    status = deployment.settle()
    facts = status["facts"]
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    deployment.event(
        kind="delete-connection", project_vpc_id=deployment.cloud.landscape.vpc.id, vnet_id=facts["vnet_id"]
    )
    peer_with_third(deployment)
    third = vnet_of(deployment).id.rpartition("/")[0] + "/Third-VNet"
    deployment.event(kind="change-address-space", vnet_id=third, prefixes=[facts["project_network_cidr"]])
    theirs = sides(deployment)
    assert deployment.remove(status["id"])["state"] == "removed"
    assert sides(deployment) == theirs


@pytest.mark.parametrize("adopt", [False, True])
def test_a_side_that_is_still_shown_disconnected_is_told_by_whose_connection_it_is(
    deployment: Deployment, adopt: bool
) -> None:
    if adopt:
        article = ByHand(deployment.cloud, VirtualClock(), vnet_id=str(deployment.request()["vnet_id"]))
        article.step_11(article.steps_2_to_9()).raise_for_status()
    put = {"host": r"management\.azure\.com", "method": "PUT", "path": "/virtualNetworkPeerings/", "status": 400}
    deployment.knobs(faults=[{**put, "code": "RemotePeeringIsDisconnected", "times": 9999}])
    status = deployment.settle(adopt=adopt)
    code = "nothing-to-adopt" if adopt else "remote-peering-disconnected"
    assert (status["state"], status["problem"]["code"]) == ("failed", code)
