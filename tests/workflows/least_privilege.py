"""The rights that the deployment templates give, and no more."""

from local.cloud.world.world import ACCESS_ADMINISTRATOR, PLATFORM_APP, RoleDefinition
from local.deployment import Deployment
from tests.infra.bicep_condition import condition_of_template
from tests.infra.predicted import of_type


def template_role(deployment: Deployment, name: str) -> RoleDefinition:
    """Make the custom role that a template makes in the subscription, such as `platform`."""
    (actions,) = {
        tuple(one["properties"]["permissions"][0]["actions"])
        for one in of_type("default", "Microsoft.Authorization/roleDefinitions")
        if f"({name})" in one["properties"]["roleName"]
    }
    world, found = deployment.cloud.world, deployment.cloud.landscape
    role = RoleDefinition(
        world.guid(),
        f"Aiven VNet peering ({name}) {found.subscription}",
        "",
        built_in=False,
        tenant_id=found.customer_tenant,
        scopes=[f"/subscriptions/{found.subscription}"],
        actions=list(actions),
    )
    world.roles.append(role)
    return role


def give_least(deployment: Deployment) -> None:
    """Take everything that the templates do not give, and make beforehand what they make."""
    world, found = deployment.cloud.world, deployment.cloud.landscape
    subscription, me = f"/subscriptions/{found.subscription}", found.automation.id
    for assignment in [a for a in world.assignments if a.principal_id == me and a.scope == subscription]:
        world.assignments.remove(assignment)
    roles = [template_role(deployment, name) for name in ("platform", "application")]
    deployment.event(
        kind="assign-role",
        principal_id=me,
        scope=f"{subscription}/resourceGroups/Net-Prod",
        role=ACCESS_ADMINISTRATOR,
        condition=condition_of_template(*(role.name for role in roles)),
    )
    platform = world.application(PLATFORM_APP)
    assert platform is not None
    world.add_principal(platform, found.customer_tenant)
    found.automation.graph_roles = ["Application.ReadWrite.OwnedBy"]
