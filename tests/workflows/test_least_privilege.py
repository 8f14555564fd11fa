"""The whole life with no more rights than the deployment templates give: on the VNets' resource group alone."""

from dataclasses import replace

from local.deployment import Deployment
from tests.workflows.least_privilege import give_least


def test_it_lives_and_goes_and_leaves_what_was_made_beforehand(deployment: Deployment) -> None:
    give_least(deployment)
    before = deployment.cloud_state()
    planned = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    assert (planned["result"], planned["obstacles"], planned["warnings"]) == ("create", [], [])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    found = {name for name, origin in status["objects"].items() if origin["origin"] == "found"}
    assert found == {"user_role", "platform_role", "platform_service_principal"}
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    going = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").json()
    kept = {step["step"] for step in going["steps"] if step["action"] == "keep"}
    assert (going["result"], going["obstacles"], kept) == ("remove", [], found)
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")
    assert deployment.cloud_state() == before


def test_where_graph_lists_nothing_each_object_is_asked_for_by_its_key(deployment: Deployment) -> None:
    lists = {
        "host": "graph.microsoft.com",
        "method": "GET",
        "path": "/(applications|servicePrincipals)$",
        "status": 403,
    }
    deployment.knobs(faults=[{**lists, "code": "Authorization_RequestDenied", "times": 999}])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert deployment.remove(status["id"])["state"] == "removed"


def test_a_role_that_the_condition_does_not_name_is_told_by_its_own_problem(deployment: Deployment) -> None:
    give_least(deployment)
    request = deployment.request(role="Network Contributor")
    planned = deployment.api.post("/api/peerings?dryRun=true", json=request).json()
    assert (planned["result"], planned["obstacles"]) == ("create", [])
    (warning,) = planned["warnings"]
    assert "does not name the role Network Contributor" in warning
    status = deployment.settle(role="Network Contributor")
    assert (status["state"], status["problem"]["code"]) == ("failed", "role-assignment-condition")


def test_an_application_that_graph_made_without_an_owner_is_told_and_a_start_goes_on_with_one(
    deployment: Deployment,
) -> None:
    give_least(deployment)
    deployment.knobs(upsert_without_owner=True)
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "automation-graph-permission-missing")
    assert "owner" in status["problem"]["remedy"]
    world, name = deployment.cloud.world, status["peering"]["application_name"]
    (application,) = [one for one in world.applications if one.display_name == name]
    application.owner = deployment.cloud.landscape.automation.id
    assert deployment.settle()["state"] == "connected"


def test_a_custom_role_that_is_called_like_the_built_in_one_is_not_taken_for_it(deployment: Deployment) -> None:
    world, found = deployment.cloud.world, deployment.cloud.landscape
    built_in = next(role for role in world.roles if role.role_name == "Network Contributor")
    scopes = [f"/subscriptions/{found.subscription}"]
    mine = replace(built_in, name=world.guid(), built_in=False, tenant_id=found.customer_tenant, scopes=scopes)
    custom = replace(mine, actions=["*/read"])
    world.roles[:] = [custom, *world.roles]
    status = deployment.settle(role="Network Contributor")
    assert status["state"] == "connected"
    assert status["facts"]["user_role_id"].endswith(built_in.name)
