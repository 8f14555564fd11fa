"""Reads of a start or a removal that a remote refuses, or answers with nothing: what is not known is not assumed."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.cloud.scenario import Scenario
from local.cloud.world.world import Connection
from local.deployment import Deployment, deploy
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import the_connection, vnet_of
from tests.workflows.meanwhile import Meanwhile
from tests.workflows.plans import codes, plan
from tests.workflows.sides import sides
from tests.workflows.waiting import while_waiting

ARM, GRAPH, AIVEN = r"management\.azure\.com", r"graph\.microsoft\.com", r"api\.aiven\.io"
#: For as long as a test takes.
ALWAYS = 10_000


def ended(status: dict[str, Any]) -> tuple[str, str | None]:
    """The state of a peering, and the code of its problem."""
    return status["state"], status.get("problem", {}).get("code")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 400, "code": "BadRequest"}, "remote-refused"),
        # Azure refuses the token, and does not say whose the subscription is.
        ({"status": 401, "code": "InvalidAuthenticationTokenTenant"}, "peer-network-unknown"),
    ],
)
def test_a_tenant_that_neither_aiven_nor_azure_names_is_not_assumed(
    deployment: Deployment, answer: dict[str, Any], code: str
) -> None:
    (vpc,) = deployment.cloud.world.vpcs.values()
    deployment.knobs(null_state_info=True)
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    subscription = f"^/subscriptions/{vpc.network.id.split('/')[2]}$"
    deployment.knobs(faults=[{"host": ARM, "method": "GET", "path": subscription, "times": ALWAYS, **answer}])
    status = deployment.settle(adopt=True, allow_forwarded_traffic=True)
    assert ended(status) == ("failed", code)
    assert vnet_of(deployment).peerings[0].options["allowForwardedTraffic"] is False


def test_a_built_in_role_that_azure_does_not_list_is_waited_for(deployment: Deployment) -> None:
    path = "^/subscriptions/.*/roleDefinitions$"
    empty = {"host": ARM, "method": "GET", "path": path, "status": 200, "body": {"value": []}, "times": 3}
    deployment.knobs(faults=[empty])
    assert ended(deployment.settle(role="Network Contributor")) == ("connected", None)


def test_the_principal_of_an_adopted_application_that_the_looks_missed_is_used_as_it_is(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    world, tenant = deployment.cloud.world, deployment.cloud.landscape.customer_tenant
    application = made_by_hand(deployment.cloud, vnet_of(deployment).id)
    principal = world.principal(application.app_id, tenant)
    assert principal is not None
    meanwhile.before["look_ahead"] = [lambda: world.principals.remove(principal)]
    meanwhile.before["user_service_principal"] = [lambda: world.principals.append(principal)]
    status = deployment.settle(adopt=True)
    assert ended(status) == ("connected", None)
    assert status["facts"]["user_principal_id"] == principal.id
    assert principal.tags == []


def test_a_start_that_is_cancelled_before_it_has_made_anything_leaves_nothing(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    deployment.knobs(faults=[{"host": AIVEN, "status": 503, "code": "unavailable", "times": ALWAYS}], latency=0.05)
    identity = deployment.start()
    while_waiting(deployment, identity, "project_vpc")
    deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
    deployment.knobs(faults=[], latency=0)
    assert deployment.until(identity)["state"] == "stopped"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("status", [400, 409])
def test_a_policy_definition_that_is_refused_otherwise_ends_no_plan_silently(
    deployment: Deployment, status: int
) -> None:
    deployment.event(kind="assign-policy", scope=vnet_of(deployment).id)
    refused = {"host": ARM, "method": "GET", "path": "/policyDefinitions/", "status": status, "code": "BadRequest"}
    deployment.knobs(faults=[{**refused, "times": ALWAYS}])
    planned = plan(deployment)
    assert codes(planned) == ["remote-refused"]


@pytest.mark.parametrize("late", [False, True])
def test_deleted_applications_that_graph_does_not_show_end_no_removal_silently(
    deployment: Deployment, late: bool
) -> None:
    identity = deployment.settle()["id"]
    refused = {"host": GRAPH, "method": "GET", "path": "/directory/deletedItems/", "status": 400, "code": "BadRequest"}
    deployment.knobs(faults=[{**refused, "times": 1 if late else ALWAYS}])
    status = deployment.remove(identity)
    assert ended(status) == ("removal-failed", "remote-refused")
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"


def test_a_connection_that_aiven_does_not_list_once_is_deleted_after_all(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    identity = deployment.settle()["id"]
    (vpc,), hidden = deployment.cloud.world.vpcs.values(), list[Connection]()

    def hide() -> None:
        hidden.extend(vpc.connections)
        vpc.connections.clear()

    meanwhile.before["belongings"] = [hide]
    meanwhile.before["last_look"] = [lambda: vpc.connections.extend(hidden)]
    assert deployment.remove(identity)["state"] == "removed"
    assert (len(hidden), deployment.cloud_state()["peeringConnections"]) == (1, [])
    assert meanwhile.called.count("belongings") > 1


def test_the_side_of_a_connection_that_is_anothers_by_now_stays(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    the_connection(deployment).app_id = str(uuid4())
    assert deployment.remove(identity)["state"] == "removed"
    assert the_connection(deployment).state == "ACTIVE"
    assert len(sides(deployment)) == 1


def test_an_application_that_is_restored_during_the_removal_is_deleted_again(
    deployment: Deployment, meanwhile: Meanwhile
) -> None:
    status = deployment.settle()
    application = status["facts"]["application_id"]
    meanwhile.before["last_look"] = [lambda: deployment.event(kind="restore-application", app_id=application)]
    # It would be deleted for good before the last look.
    purge = {"host": GRAPH, "method": "DELETE", "path": "/directory/deletedItems/", "status": 403}
    deployment.knobs(faults=[{**purge, "code": "Authorization_RequestDenied"}])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert meanwhile.called.count("last_look") > 1
    left = [*deployment.cloud.world.applications, *deployment.cloud.world.deleted_applications]
    assert application not in [one.app_id for one in left]


def test_the_plan_of_a_removal_needs_no_ownership_of_an_application_that_is_gone(tmp_path: Path) -> None:
    scenario = {"graph_role": "Application.ReadWrite.OwnedBy", "platform_principal": True}
    with deploy(tmp_path, Scenario.model_validate(scenario)) as deployment:
        status = deployment.settle()
        deployment.event(kind="delete-application", app_id=status["facts"]["application_id"])
        planned = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").json()
        assert codes(planned) == ["application-missing"]


def test_looks_that_the_platform_loses_are_done_one_by_one(deployment: Deployment, meanwhile: Meanwhile) -> None:
    meanwhile.lost.add("look_ahead")
    assert deployment.settle()["state"] == "connected"
    assert [meanwhile.called.count(name) for name in ("look_ahead", "project_vpc", "vnet")] == [1, 1, 1]
