"""The whole life with no more rights than the deployment templates give: on the VNets' resource group alone."""

from local.cloud.world import ACCESS_ADMINISTRATOR, PLATFORM_APP, RoleDefinition
from local.deployment import Deployment
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS


def give_least(deployment: Deployment) -> None:
    """Take everything that the templates do not give, and make beforehand what they make."""
    world, found = deployment.cloud.world, deployment.cloud.landscape
    subscription, me = f"/subscriptions/{found.subscription}", found.automation.id
    for assignment in [a for a in world.assignments if a.principal_id == me and a.scope == subscription]:
        world.assignments.remove(assignment)
    administrator = world.role(ACCESS_ADMINISTRATOR)
    assert administrator is not None
    world.assign(world.guid(), f"{subscription}/resourceGroups/Net-Prod", administrator, me)
    for name, actions in (("platform", PLATFORM_ACTIONS), ("application", USER_ACTIONS)):
        title = f"Aiven VNet peering ({name}) {found.subscription}"
        tenant = found.customer_tenant
        world.roles.append(
            RoleDefinition(world.guid(), title, "", False, tenant, scopes=[subscription], actions=list(actions))
        )
    platform = world.application(PLATFORM_APP)
    assert platform is not None
    world.add_principal(platform, found.customer_tenant)
    found.automation.graph_roles = ["Application.ReadWrite.OwnedBy"]


def test_it_lives_and_goes_and_leaves_what_was_made_beforehand(deployment: Deployment) -> None:
    give_least(deployment)
    before = deployment.cloud_state()
    planned = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    assert (planned["result"], planned["obstacles"]) == ("create", [])
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
