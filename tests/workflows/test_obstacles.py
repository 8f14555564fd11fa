"""What stands in the way is told before anything is made: all of it at once, each with its remedy."""

from collections.abc import Callable

import pytest

from local.cloud.world import READER, SECRETS_USER, USER_ACCESS_ADMINISTRATOR
from local.deployment import Deployment
from tests.workflows.test_dry_run import codes, plan


def keep_only(deployment: Deployment, *roles: str) -> None:
    """Take from the app's identity all roles but these on the customer's subscription."""
    world, me = deployment.cloud.world, deployment.cloud.landscape.automation.id
    scope = f"/subscriptions/{deployment.cloud.landscape.subscription}"
    for assignment in [a for a in world.assignments if a.principal_id == me and a.scope == scope]:
        if assignment.role not in roles:
            world.assignments.remove(assignment)


def lose_roles(deployment: Deployment) -> None:
    """The app may look at the VNet, but assign nothing."""
    keep_only(deployment, READER)


def overlap(deployment: Deployment) -> None:
    """The VNet gets addresses of the project VPC."""
    vnet = deployment.request()["vnet_id"]
    deployment.event(kind="change-address-space", vnet_id=vnet, prefixes=["10.0.0.0/24", "10.240.4.0/24"])


def overlap_next_door(deployment: Deployment) -> None:
    """A network that is peered with the VNet gets them."""
    vnet = deployment.request()["vnet_id"]
    deployment.event(kind="add-vnet-peering-to-overlapping-network", vnet_id=vnet, prefixes=["10.240.4.0/24"])


def permit(deployment: Deployment, *permissions: str) -> None:
    """Give the app's identity these Graph permissions and no others."""
    deployment.cloud.landscape.automation.graph_roles = list(permissions)


def forbid(deployment: Deployment, **policy: object) -> None:
    """Give the tenant an app management policy that the app may read."""
    permit(deployment, "Application.ReadWrite.All", "Policy.Read.ApplicationConfiguration")
    deployment.knobs(**policy)


def lose_vault_role(deployment: Deployment) -> None:
    """The app may read secrets, but write none."""
    world, me = deployment.cloud.world, deployment.cloud.landscape.automation.id
    vault = next(iter(world.vaults.values()))
    for assignment in [a for a in world.assignments if a.principal_id == me and a.scope == vault.id]:
        world.assignments.remove(assignment)
    reader = world.role(SECRETS_USER)
    assert reader is not None
    world.assign(world.guid(), vault.id, reader, me)


OBSTACLES: dict[str, tuple[Callable[[Deployment], None], list[str]]] = {
    "no right to assign roles or make them": (lose_roles, ["automation-not-authorized"] * 2),
    "no right to make the platform's principal": (
        lambda d: permit(d, "Application.ReadWrite.OwnedBy"),
        ["platform-principal-forbidden"],
    ),
    "no right to make applications": (
        lambda d: permit(d, "Application.Read.All"),
        ["automation-graph-permission-missing", "platform-principal-forbidden"],
    ),
    "no right to write secrets": (lose_vault_role, ["vault-access-denied"]),
    "no right in Aiven": (lambda d: d.knobs(aiven_role="developer"), ["aiven-not-permitted"]),
    "passwords may not last so long": (
        lambda d: forbid(d, password_lifetime_days=90),
        ["secret-policy"],
    ),
    "passwords are forbidden": (
        lambda d: forbid(d, password_addition_forbidden=True),
        ["secret-policy"],
    ),
    "addresses overlap": (overlap, ["address-spaces-overlap"]),
    "a neighbour's addresses overlap": (overlap_next_door, ["address-space-overlaps-peered-vnet"]),
    "the VNet is gone": (lambda d: d.event(kind="delete-vnet", vnet_id=d.request()["vnet_id"]), ["vnet-not-found"]),
    "the project VPC is gone": (
        lambda d: d.event(kind="delete-project-vpc", project_vpc_id=d.request()["project_vpc_id"]),
        ["project-vpc-not-found"],
    ),
}


@pytest.mark.parametrize("what", OBSTACLES)
def test_an_obstacle_is_planned_with_and_nothing_is_made(deployment: Deployment, what: str) -> None:
    prepare, expected = OBSTACLES[what]
    prepare(deployment)
    planned = plan(deployment)
    assert (planned["result"], codes(planned)) == ("blocked", expected)
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", planned["obstacles"][0]["code"])
    assert deployment.writes() == []


def test_all_obstacles_are_told_at_once(deployment: Deployment) -> None:
    lose_roles(deployment)
    overlap(deployment)
    permit(deployment, "Application.ReadWrite.OwnedBy", "Policy.Read.ApplicationConfiguration")
    deployment.knobs(password_lifetime_days=90, aiven_role="developer")
    assert set(codes(plan(deployment))) == {
        "automation-not-authorized",
        "platform-principal-forbidden",
        "aiven-not-permitted",
        "secret-policy",
        "address-spaces-overlap",
    }


def test_a_project_vpc_that_is_being_built_is_waited_for(deployment: Deployment) -> None:
    vpc = deployment.request()["project_vpc_id"]
    deployment.event(kind="set-project-vpc-state", project_vpc_id=vpc, state="APPROVED")
    planned = plan(deployment)
    assert [wait["code"] for wait in planned["waits"]] == ["project-vpc-not-active"]
    assert planned["obstacles"] == []


def test_a_limit_that_is_near_is_a_warning_and_one_that_is_reached_an_obstacle(deployment: Deployment) -> None:
    world, vnet = deployment.cloud.world, deployment.cloud.landscape
    role = world.role(USER_ACCESS_ADMINISTRATOR)
    assert role is not None
    scope = f"/subscriptions/{vnet.subscription}"
    while len(world.assignments) < 3700:
        world.assign(world.guid(), scope, role, world.guid())
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("create", [])
    assert "role assignments in the subscription" in planned["warnings"][0]
    while len(world.assignments) < 4010:
        world.assign(world.guid(), scope, role, world.guid())
    assert codes(plan(deployment)) == ["role-limit-reached"]
