"""Adopting a manually created peering, and handing it back."""

import pytest

from local.cloud.world.world import PLATFORM_APP, Application, VNet
from local.deployment import Deployment
from tests.workflows.by_hand import made_by_hand

pytestmark = pytest.mark.both_kinds


def belongings(deployment: Deployment, vnet_id: str) -> dict[str, object]:
    """What there is of a VNet's peering, ids included, and the applications' credentials."""
    held, name = deployment.cloud_state(), vnet_id.rpartition("/")[2]
    return {
        "sides": [p for p in held["virtualNetworkPeerings"] if name in p["id"].split("/")],
        "connections": [c for c in held["peeringConnections"] if c["peer_vpc"] == name.lower()],
        "assignments": [a for a in held["roleAssignments"] if a["properties"]["scope"].endswith(f"/{name}")],
        "applications": [
            (a["appId"], sorted(p["displayName"] or "" for p in a["passwordCredentials"]))
            for a in held["applications"]
            if a["displayName"] == "by hand"
        ],
    }


@pytest.mark.life
def test_it_is_taken_over_as_it_is_and_handed_back_as_it_was(shared: Deployment, vnet_id: str) -> None:
    application = made_by_hand(shared.cloud, vnet_id)
    before = belongings(shared, vnet_id)
    status = shared.settle(vnet_id=vnet_id, adopt=True)
    assert status["state"] == "connected", status.get("problem")
    assert status["facts"]["application_id"] == application.app_id
    taken = belongings(shared, vnet_id)
    assert {k: v for k, v in taken.items() if k != "applications"} == {
        k: v for k, v in before.items() if k != "applications"
    }
    origins = {name: origin["origin"] for name, origin in status["objects"].items()}
    assert {name for name, origin in origins.items() if origin == "created"} == {"application_credential"}
    assert shared.check(status["id"])["health"]["verdict"] == "healthy"
    assert shared.remove(status["id"])["state"] == "removed"
    assert belongings(shared, vnet_id) == before


def test_what_it_was_made_with_stays_as_it_is_and_what_is_asked_for_is_put(shared: Deployment, vnet_id: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    vnet = shared.cloud.world.vnet(vnet_id)
    assert isinstance(vnet, VNet)
    vnet.peerings[0].options["allowForwardedTraffic"] = True
    status = shared.settle(vnet_id=vnet_id, adopt=True, allow_gateway_transit=True)
    assert status["state"] == "connected", status.get("problem")
    options = vnet.peerings[0].options
    assert (options["allowForwardedTraffic"], options["allowGatewayTransit"]) == (True, True)
    assert vnet.peerings[0].name == "by-hand"


@pytest.mark.life
def test_one_that_was_taken_over_is_rotated_and_repaired_without_its_own_password(
    shared: Deployment, vnet_id: str
) -> None:
    application = made_by_hand(shared.cloud, vnet_id)
    status = shared.settle(vnet_id=vnet_id, adopt=True)
    assert shared.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    assert _by_hand(application) == ["by hand"]
    network = status["facts"]["to_network_id"]
    shared.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=network)
    repaired = shared.check(status["id"])
    assert (repaired["health"]["verdict"], repaired["operation"]) == ("healthy", "repair"), repaired["health"]
    (connection,) = [c for _, c in shared.cloud.world.connections() if c.vnet == vnet_id.rpartition("/")[2].lower()]
    assert connection.app_id == application.app_id


def _by_hand(application: Application) -> list[str | None]:
    return [password.display_name for password in application.passwords if password.display_name == "by hand"]


def test_without_being_asked_nothing_is_taken_over(shared: Deployment, vnet_id: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    before = shared.cloud_state()
    status = shared.settle(vnet_id=vnet_id)
    assert (status["state"], status["problem"]["code"]) == ("existing", "connection-exists")
    assert "With `adopt: true` the request takes it over unchanged." in status["problem"]["detail"]
    assert shared.cloud_state() == before


@pytest.mark.parametrize("name", ["peer_resource_group", "peer_azure_app_id"])
def test_a_connection_that_is_shown_in_part_is_looked_at_again(shared: Deployment, vnet_id: str, name: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    shared.knobs(faults=[{"host": "api.aiven.io", "method": "GET", "path": "/vpcs?/", "without": name, "status": 200}])
    assert shared.settle(vnet_id=vnet_id, adopt=True)["state"] == "connected"


@pytest.mark.any_kind
@pytest.mark.parametrize(
    ("host", "path", "skip"),
    [
        ("graph.microsoft.com", "/applications$", 0),
        ("graph.microsoft.com", "/servicePrincipals$", 0),
        ("graph.microsoft.com", "/servicePrincipals$", 1),
        ("management.azure.com", "/roleAssignments$", 0),
    ],
)
def test_what_a_list_leaves_out_once_is_not_recreated_beside_what_is_adopted(
    shared: Deployment, vnet_id: str, host: str, path: str, skip: int
) -> None:
    made_by_hand(shared.cloud, vnet_id)
    before = shared.cloud_state()
    empty = {"host": host, "path": path, "method": "GET", "status": 200, "body": {"value": []}}
    shared.knobs(faults=[{**empty, "skip": skip}])
    status = shared.settle(vnet_id=vnet_id, adopt=True)
    assert status["state"] == "connected", status.get("problem")
    origins = {name: origin["origin"] for name, origin in status["objects"].items()}
    assert {name for name, origin in origins.items() if origin == "created"} <= {"application_credential"}
    assert shared.remove(status["id"])["state"] == "removed"
    assert shared.cloud_state() == before


def test_the_right_that_was_given_to_the_platform_stays_with_what_is_handed_back(
    shared: Deployment, vnet_id: str
) -> None:
    made_by_hand(shared.cloud, vnet_id)
    world, tenant = shared.cloud.world, shared.cloud.landscape.customer_tenant
    platform = world.principal(PLATFORM_APP, tenant)
    assert platform is not None
    for one in [one for one in world.assignments.by("principal", platform.id) if one.scope.lower() == vnet_id.lower()]:
        world.assignments.remove(one)
    status = shared.settle(vnet_id=vnet_id, adopt=True)
    assert status["objects"]["platform_role_assignment"]["origin"] == "created"
    plan = shared.api.delete(f"/api/peerings/{status['id']}?dryRun=true").json()
    kept = {step["step"]: step["why"] for step in plan["steps"] if step["action"] == "keep"}
    assert kept["platform_role_assignment"] == kept["platform_role"] == "The connection that is handed back needs it."
    held = [one.name for one in world.assignments.by("principal", platform.id)]
    assert shared.remove(status["id"])["state"] == "removed"
    assert [one.name for one in world.assignments.by("principal", platform.id)] == held
