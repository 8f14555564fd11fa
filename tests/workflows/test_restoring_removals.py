"""A removal restores what its application needs to delete the VNet peering; its plan sees what would prevent that."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from local.cloud.world.world import Application, RoleDefinition
from local.deployment import Deployment, Status
from tests.workflows.cloud_objects import application_of
from tests.workflows.obstacles import Place

_DATA = "Microsoft.KeyVault/vaults/secrets"


def _end_passwords(place: Place, application: Application) -> None:
    place.event("expire-passwords", app_id=application.app_id)


def _lose_assignment(place: Place, application: Application) -> None:
    world = place.world
    principal = world.principal(application.app_id, place.landscape.customer_tenant)
    assert principal is not None
    for one in [one for one in world.assignments if one.principal_id == principal.id]:
        world.assignments.remove(one)


def _lose_role(place: Place, application: Application) -> None:
    _lose_assignment(place, application)
    (role,) = [one for one in place.world.roles if one.role_name.startswith("Aiven VNet peering (application)")]
    place.world.roles.remove(role)
    place.make_role(role.role_name)


def _only_delete_secrets(place: Place, application: Application) -> None:
    _end_passwords(place, application)
    (vault,), world = place.world.vaults.values(), place.world
    data = [f"{_DATA}/getSecret/action", f"{_DATA}/readMetadata/action", f"{_DATA}/delete"]
    tenant = place.landscape.customer_tenant
    role = RoleDefinition(world.guid(), "Deletes secrets", "", False, tenant, ["/"], ["*/read"], data_actions=data)
    world.roles.append(role)
    place.keep_only(vault.id)
    world.assign(world.guid(), vault.id, role, place.landscape.automation.id)


#: What was lost, and prevents that it is made again, with the problem.
OBSTACLES: Final[dict[str, tuple[str, dict[str, str], tuple[Callable[[Place, Application], object], ...]]]] = {
    "passwords are forbidden": (
        "secret-policy",
        {},
        (_end_passwords, lambda p, _: p.forbid(password_addition_forbidden=True)),
    ),
    "passwords may not last so long": (
        "secret-policy",
        {},
        (_end_passwords, lambda p, _: p.forbid(password_lifetime_days=90)),
    ),
    "no more assignments": ("role-limit-reached", {}, (_lose_assignment, lambda p, _: p.crowd())),
    "no more assignments, and it has none": (
        "role-limit-reached",
        {"privilege": "setup-only"},
        (lambda p, _: p.crowd(),),
    ),
    "another role has the name": ("role-name-taken", {}, (_lose_role,)),
    "secrets may be deleted alone": ("vault-access-denied", {}, (_only_delete_secrets,)),
}


def planned_removal(deployment: Deployment, status: Status) -> dict[str, Any]:
    """What a removal would do."""
    return dict(deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").raise_for_status().json())


@pytest.mark.parametrize("what", OBSTACLES)
def test_what_prevents_that_something_is_restored_is_planned_and_met(deployment: Deployment, what: str) -> None:
    code, options, appear = OBSTACLES[what]
    status = deployment.settle(**options)
    application = application_of(deployment, status["facts"]["application_id"])
    for one in appear:
        one(Place(deployment), application)
    deployment.host.restart_worker("Nobody is signed in any more.")
    planned = planned_removal(deployment, status)
    assert (planned["result"], [one["code"] for one in planned["obstacles"]]) == ("blocked", [code])
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", code)


@pytest.mark.parametrize("policy", [{"password_addition_forbidden": True}, {"password_lifetime_days": 90}])
def test_what_need_not_be_restored_is_no_obstacle(deployment: Deployment, policy: dict[str, Any]) -> None:
    before, status, place = deployment.cloud_state(), deployment.settle(), Place(deployment)
    place.forbid(**policy)
    place.crowd()
    planned = planned_removal(deployment, status)
    assert (planned["result"], planned["obstacles"]) == ("remove", [])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state()["applications"] == before["applications"]
