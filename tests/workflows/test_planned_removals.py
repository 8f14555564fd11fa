"""The plan of a removal tells all that would stop it, changes nothing, and a removal then ends at just that."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from local.cloud.world.world import READER, SECRETS_USER, RoleDefinition
from local.deployment import Deployment
from peering.problems import PROBLEMS
from tests.workflows.by_hand import made_by_hand
from tests.workflows.obstacles import Place
from tests.workflows.plans import planned_removal
from tests.workflows.remote_requests import answer

pytestmark = pytest.mark.both_kinds


def codes(planned: dict[str, Any]) -> list[str]:
    """The obstacles' codes; each one has its remedy."""
    assert all(obstacle["remedy"] and obstacle["detail"] for obstacle in planned["obstacles"])
    return sorted({obstacle["code"] for obstacle in planned["obstacles"]})


def _group(place: Place) -> str:
    return place.vnet_id.partition("/providers/")[0]


@pytest.mark.parametrize("kind", ["delete-vnet-peering", "delete-application"])
def test_what_others_have_deleted_is_planned_as_gone(deployment: Deployment, kind: str) -> None:
    status = deployment.settle(repair="off")
    facts = status["facts"]
    named = {"delete-application": {"app_id": facts["application_id"]}}
    of_side = {"vnet_id": facts["vnet_id"], "remote_id": facts["to_network_id"]}
    deployment.event(kind="delete-vnet-peering", **of_side)
    if kind in named:
        deployment.event(kind=kind, **named[kind])
    planned = planned_removal(deployment, status["id"])
    fates = {one["step"]: one["action"] for one in planned["steps"]}
    assert (fates["vnet_peering"], planned["waits"]) == ("gone", [])
    assert fates["application"] == ("gone" if kind in named else "delete")
    assert "unknown" not in fates.values()
    assert deployment.remove(status["id"])["state"] == "removed"


#: What may stand in the way, as it comes about in the world, and the problem that it is.
OBSTACLES: Final[dict[str, tuple[str, Callable[[Place], object]]]] = {
    "a lock against deletion on the VNet": (
        "scope-locked",
        lambda p: p.event("add-lock", scope=p.vnet_id, level="CanNotDelete"),
    ),
    "a lock on its resource group": (
        "scope-locked",
        lambda p: p.event("add-lock", scope=_group(p), level="ReadOnly"),
    ),
    "a lock on its subscription": (
        "scope-locked",
        lambda p: p.event("add-lock", scope=p.subscription, level="CanNotDelete"),
    ),
    "the subscription is disabled": (
        "subscription-disabled",
        lambda p: p.event("disable-subscription", subscription_id=p.landscape.subscription),
    ),
    "a deny assignment": (
        "deny-assignment",
        lambda p: p.event("add-deny-assignment", scope=p.vnet_id, actions=["*/delete"]),
    ),
    "a policy on role assignments": (
        "policy-denied",
        lambda p: p.event(
            "assign-policy", scope=p.subscription, resource_type="Microsoft.Authorization/roleAssignments"
        ),
    ),
    "a policy against deleting peerings": (
        "policy-denied",
        lambda p: p.event("assign-policy", scope=p.vnet_id, effect="denyAction"),
    ),
    "a policy against deleting role assignments": (
        "policy-denied",
        lambda p: p.event(
            "assign-policy",
            scope=_group(p),
            resource_type="Microsoft.Authorization/roleAssignments",
            effect="denyAction",
        ),
    ),
    "a policy against deleting roles": (
        "policy-denied",
        lambda p: p.event(
            "assign-policy",
            scope=p.subscription,
            resource_type="Microsoft.Authorization/roleDefinitions",
            effect="denyAction",
        ),
    ),
    "no right to remove roles": ("automation-not-authorized", lambda p: p.keep_only(p.subscription, READER)),
    "no right to delete roles, which are above the VNet": ("automation-not-authorized", Place.own_the_group_alone),
    "no right to delete applications": (
        "automation-graph-permission-missing",
        lambda p: p.permit("Application.Read.All"),
    ),
    "the application is disabled": ("application-disabled", lambda p: p.disable_own_application()),
    "no right in Aiven": (
        "aiven-not-permitted",
        lambda p: p.knobs(aiven_role="developer", organization_permission="none"),
    ),
    "no right to delete secrets": (
        "vault-access-denied",
        lambda p: p.keep_only(next(iter(p.world.vaults.values())).id, SECRETS_USER),
    ),
}


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=() if "Aiven" in what else pytest.mark.any_kind) for what in OBSTACLES]
)
def test_an_obstacle_is_planned_with_and_met_by_the_removal(deployment: Deployment, what: str) -> None:
    status = deployment.settle()
    identity, (code, appear) = status["id"], OBSTACLES[what]
    if code == "aiven-not-permitted" and "organization_vpc_id" in status["peering"]:
        code = "aiven-organization-not-permitted"
    appear(Place(deployment))
    deployment.clear_requests()
    planned = planned_removal(deployment, identity)
    assert (planned["result"], codes(planned)) == ("blocked", [code])
    assert deployment.writes() == []
    removed = deployment.remove(identity)
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", code)


def test_a_lock_is_named_with_what_it_keeps(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.event(kind="add-lock", scope=Place(deployment).vnet_id, level="CanNotDelete", name="keep")
    (obstacle,) = planned_removal(deployment, identity)["obstacles"]
    assert "/locks/keep" in obstacle["detail"]
    assert "VNet peering" in obstacle["detail"]
    deployment.event(kind="remove-lock", scope=Place(deployment).vnet_id, name="keep")
    planned = planned_removal(deployment, identity)
    assert (planned["result"], planned["obstacles"], planned["waits"]) == ("remove", [], [])
    assert deployment.remove(identity)["state"] == "removed"


def test_what_is_handed_back_is_not_held_by_a_lock(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, Place(deployment).vnet_id)
    identity = deployment.settle(adopt=True)["id"]
    deployment.event(kind="add-lock", scope=Place(deployment).vnet_id, level="CanNotDelete")
    planned = planned_removal(deployment, identity)
    assert (planned["result"], planned["obstacles"]) == ("hand back", [])
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.any_kind
def test_what_is_gone_is_not_handed_back(deployment: Deployment) -> None:
    application = made_by_hand(deployment.cloud, Place(deployment).vnet_id)
    status = deployment.settle(adopt=True, repair="off")
    deployment.event(kind="delete-application", app_id=application.app_id)
    world = deployment.cloud.world
    lost = status["facts"]["platform_role_assignment_id"].rpartition("/")[2]
    world.assignments.remove(next(one for one in world.assignments if one.name == lost))
    fates = {one["step"]: one["action"] for one in planned_removal(deployment, status["id"])["steps"]}
    gone = {name for name, fate in fates.items() if fate == "gone"}
    assert gone == {"application", "user_service_principal", "application_credential", "platform_role_assignment"}
    assert (fates["vnet_peering"], fates["peering_connection"]) == ("hand back", "hand back")


@pytest.mark.any_kind
def test_a_policy_against_deletion_is_named_with_what_it_keeps_and_holds_no_longer_than_it_is_there(
    deployment: Deployment,
) -> None:
    identity, place = deployment.settle()["id"], Place(deployment)
    deployment.event(kind="assign-policy", scope=place.vnet_id, effect="denyAction", title="Peerings stay", name="stay")
    (obstacle,) = planned_removal(deployment, identity)["obstacles"]
    assert (
        f"Peerings stay ({place.vnet_id}/providers/Microsoft.Authorization/policyAssignments/stay)"
        in (obstacle["detail"])
    )
    assert "virtualNetworkPeerings/delete" in obstacle["detail"]
    removed = deployment.remove(identity)
    assert "Peerings stay" in removed["problem"]["detail"]
    assert removed["problem"]["remedy"] == obstacle["remedy"]
    deployment.event(kind="remove-policy", scope=place.vnet_id, name="stay")
    assert planned_removal(deployment, identity)["result"] == "remove"
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.parametrize(
    "harmless",
    [
        {"enforced": False},
        {"resource_type": "Microsoft.Compute/disks"},
        # No role is deleted on a VNet.
        {"resource_type": "Microsoft.Authorization/roleDefinitions"},
        {"effect": "deny"},
    ],
)
@pytest.mark.any_kind
def test_a_policy_that_denies_nothing_of_it_does_not_hold_a_removal(
    deployment: Deployment, harmless: dict[str, object]
) -> None:
    identity = deployment.settle()["id"]
    place = Place(deployment)
    deployment.event(**{"kind": "assign-policy", "scope": place.vnet_id, "effect": "denyAction", **harmless})
    planned = planned_removal(deployment, identity)
    assert (planned["result"], planned["obstacles"]) == ("remove", [])
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.any_kind
def test_a_policy_that_depends_on_more_than_the_type_is_a_warning(deployment: Deployment) -> None:
    identity, place = deployment.settle()["id"], Place(deployment)
    deployment.event(kind="assign-policy", scope=place.subscription, effect="denyAction", title="Ours stay")
    kind = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
    far = {"field": f"{kind}/remoteVirtualNetwork.id", "notContains": "hub"}
    then = {"effect": "denyAction", "details": {"actionNames": ["delete"]}}
    rule = {"if": {"allOf": [{"field": "type", "equals": kind}, far]}, "then": then}
    answer(deployment, {"/policyDefinitions/no-peerings": {"properties": {"mode": "All", "policyRule": rule}}})
    planned = planned_removal(deployment, identity)
    assert (planned["result"], planned["obstacles"]) == ("remove", [])
    (warning,) = planned["warnings"]
    assert "Ours stay" in warning
    assert "virtualNetworkPeerings/delete" in warning


def test_policies_that_the_app_may_not_read_are_a_warning(deployment: Deployment) -> None:
    status = deployment.settle()
    refused = {"host": r"management\.azure\.com", "path": "/policyAssignments$", "method": "GET", "times": 9999}
    deployment.knobs(faults=[{**refused, "status": 403, "code": "AuthorizationFailed"}])
    planned = planned_removal(deployment, status["id"])
    assert (planned["result"], planned["obstacles"]) == ("remove", [])
    (warning,) = planned["warnings"]
    assert "its policy assignments" in warning


def test_a_right_that_was_taken_by_hand_is_planned_as_gone(deployment: Deployment) -> None:
    status = deployment.settle(repair="off")
    world, facts = deployment.cloud.world, status["facts"]
    guids = {facts[name].rpartition("/")[2] for name in ("user_role_assignment_id", "user_role_id")}
    world.assignments[:] = [one for one in world.assignments if one.name not in guids]
    world.roles[:] = [one for one in world.roles if one.name not in guids]
    planned = planned_removal(deployment, status["id"])
    fates = {one["step"]: one["action"] for one in planned["steps"] if "role" in one["step"]}
    assert fates == {
        "user_role_assignment": "gone",
        "user_role": "gone",
        "platform_role_assignment": "delete",
        "platform_role": "delete",
    }


def test_a_role_that_a_removal_has_to_create_first_is_planned_for(deployment: Deployment) -> None:
    identity = deployment.settle(privilege="setup-only")["id"]
    world = deployment.cloud.world
    world.roles.remove(next(one for one in world.roles if one.role_name.startswith("Aiven VNet peering (application)")))
    roles = "Microsoft.Authorization/roleDefinitions"
    deployment.event(kind="assign-policy", scope=Place(deployment).subscription, resource_type=roles)
    assert codes(planned_removal(deployment, identity)) == ["policy-denied"]
    removed = deployment.remove(identity)
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "policy-denied")


def _delete_adopted_application(place: Place) -> None:
    place.event("delete-application", app_id=place.project_vpc.connections[0].app_id)


def _delete_adopted_principal(place: Place) -> None:
    owner, tenant = place.project_vpc.connections[0].app_id, place.landscape.customer_tenant
    place.event("delete-service-principal", app_id=owner, tenant_id=tenant)


def _delete_adopted_side(place: Place) -> None:
    # Aiven has not noticed it yet.
    place.knobs(detect=10**9)
    place.event("delete-vnet-peering", vnet_id=place.vnet_id, remote_id=place.project_vpc.network.id)


#: What others may delete of an adopted peering, and the objects that are gone then.
HANDED_BACK: Final[dict[str, tuple[Callable[[Place], object], set[str]]]] = {
    "nothing": (lambda _: None, set()),
    "the application": (
        _delete_adopted_application,
        {"application", "user_service_principal", "application_credential"},
    ),
    "its service principal": (_delete_adopted_principal, {"user_service_principal"}),
    "the connection": (lambda p: p.project_vpc.connections.clear(), {"peering_connection"}),
    "the VNet peering": (_delete_adopted_side, {"vnet_peering"}),
    "the platform's service principal": (
        lambda p: p.event(
            "delete-service-principal", app_id=p.platform_application, tenant_id=p.landscape.customer_tenant
        ),
        {"platform_service_principal"},
    ),
}


@pytest.mark.parametrize("what", HANDED_BACK)
def test_what_others_have_deleted_is_not_planned_to_be_handed_back(deployment: Deployment, what: str) -> None:
    disappear, gone = HANDED_BACK[what]
    made_by_hand(deployment.cloud, Place(deployment).vnet_id)
    identity = deployment.settle(adopt=True, repair="off")["id"]
    disappear(Place(deployment))
    planned = planned_removal(deployment, identity)
    fates = {one["step"]: one["action"] for one in planned["steps"]}
    assert (planned["result"], planned["obstacles"], planned["waits"]) == ("hand back", [], [])
    rights = {"user_role", "user_role_assignment", "platform_role", "platform_role_assignment"}
    assert {step for step, fate in fates.items() if fate == "gone"} - rights == gone
    assert {fates[step] for step in fates.keys() - gone - rights} <= {"hand back", "delete"}
    assert deployment.remove(identity)["state"] == "removed"


def _unassign_adopted(place: Place) -> None:
    owner = place.project_vpc.connections[0].app_id
    principal = place.world.principal(owner, place.landscape.customer_tenant)
    assert principal is not None
    for held in [*place.world.assignments.by("principal", principal.id)]:
        if held.scope.lower() == place.vnet_id.lower():
            place.world.assignments.remove(held)


#: What others may delete of an adopted peering, and what a repair or another start creates in its place.
REPLACED: Final[dict[str, tuple[Callable[[Place], object], dict[str, str]]]] = {
    "the application's right": (_unassign_adopted, {"user_role": "keep", "user_role_assignment": "keep"}),
    "its service principal": (
        _delete_adopted_principal,
        {"user_service_principal": "keep", "user_role": "keep", "user_role_assignment": "keep"},
    ),
    "the VNet peering": (_delete_adopted_side, {"vnet_peering": "hand back"}),
}


@pytest.mark.any_kind
@pytest.mark.parametrize("what", REPLACED)
def test_what_replaces_an_adopted_object_stays_and_record_and_plan_say_so(deployment: Deployment, what: str) -> None:
    disappear, replaced = REPLACED[what]
    made_by_hand(deployment.cloud, Place(deployment).vnet_id)
    adopted = deployment.settle(adopt=True, repair="off")
    before = {step: origin["at"] for step, origin in adopted["objects"].items()}
    disappear(Place(deployment))
    deployment.knobs(detect=60)
    deployment.host.restart_worker("Nobody is signed in any more.")
    status = deployment.settle(adopt=True, repair="off")
    assert status["state"] == "connected", status.get("problem")
    created = {step for step, origin in status["objects"].items() if origin["origin"] == "created"}
    assert created - {"application_credential", "peering_connection"} == set(replaced)
    assert all(status["objects"][step]["at"] > before[step] for step in replaced)
    planned = planned_removal(deployment, status["id"])
    fates = {one["step"]: one["action"] for one in planned["steps"]}
    assert {step: fates[step] for step in replaced} == replaced
    kept = ("roleDefinitions", "roleAssignments", "virtualNetworkPeerings", "peeringConnections")
    held = {kind: deployment.cloud_state()[kind] for kind in kept}
    assert deployment.remove(status["id"])["state"] == "removed"
    assert {kind: deployment.cloud_state()[kind] for kind in kept} == held


def _end_password(place: Place) -> None:
    place.event("expire-passwords", app_id=place.own_application)
    place.host.restart_worker("Nobody is signed in any more.")


def _lose_password(place: Place) -> None:
    place.event("remove-passwords", app_id=place.own_application)
    place.host.restart_worker("Nobody is signed in any more.")


def _unassign(place: Place) -> None:
    principal = place.world.principal(place.own_application, place.landscape.customer_tenant)
    assert principal is not None
    for held in [*place.world.assignments.by("principal", principal.id)]:
        place.world.assignments.remove(held)


def _lose_principal(place: Place) -> None:
    tenant = place.landscape.customer_tenant
    place.event("delete-service-principal", app_id=place.own_application, tenant_id=tenant)
    place.host.restart_worker("Nobody is signed in any more.")


def _have_the_name_of_the_role_taken(place: Place) -> None:
    _unassign(place)
    role = next(one for one in place.world.roles if one.role_name.startswith("Aiven VNet peering (application)"))
    place.world.roles.remove(role)
    place.make_role(role.role_name)


def _only_delete_secrets(place: Place) -> None:
    """The app may read and delete secrets, and set none."""
    world, vault = place.world, next(iter(place.world.vaults.values())).id
    secrets = "Microsoft.KeyVault/vaults/secrets"
    actions = [f"{secrets}/{one}" for one in ("getSecret/action", "readMetadata/action", "delete")]
    role = RoleDefinition(
        *(world.guid(), "Deleter", "", False, place.landscape.customer_tenant, ["/"], ["*/read"]), data_actions=actions
    )
    world.roles.append(role)
    place.keep_only(vault, role.name)


def _only_delete_by_policy(place: Place) -> None:
    vault = next(iter(place.world.vaults.values()))
    vault.policies = {place.landscape.automation.id: ["get", "list", "delete"]}


#: What prevents that something is made again, and the problem that it is where something has to be.
AGAIN: Final[dict[str, tuple[str, Callable[[Place], object]]]] = {
    "passwords are forbidden": ("secret-policy", lambda p: p.forbid(password_addition_forbidden=True)),
    "passwords may not last so long": ("secret-policy", lambda p: p.forbid(password_lifetime_days=90)),
    "no right to set secrets": ("vault-access-denied", _only_delete_secrets),
    "no access policy to set secrets": ("vault-access-policy-missing", _only_delete_by_policy),
    "the subscription is full": ("role-limit-reached", Place.crowd),
    "the name of the role is taken": ("role-name-taken", _have_the_name_of_the_role_taken),
}


@pytest.mark.any_kind
@pytest.mark.parametrize("code", sorted({code for code, _ in AGAIN.values()}))
def test_a_removal_is_not_told_to_ask_for_another_option_or_its_caller_to_repair(code: str) -> None:
    problem = PROBLEMS[code]
    assert not problem.remedy.startswith("Send the request with")
    assert problem.fixer != "the caller"


@pytest.mark.any_kind
@pytest.mark.parametrize(
    ("lose", "what", "options"),
    [
        (_end_password, "passwords are forbidden", {}),
        (_lose_password, "passwords may not last so long", {}),
        (_end_password, "no right to set secrets", {}),
        (_lose_password, "no access policy to set secrets", {}),
        (_unassign, "the subscription is full", {}),
        (_lose_principal, "the subscription is full", {}),
        (lambda _: None, "the subscription is full", {"privilege": "setup-only"}),
        (_unassign, "the subscription is full", {"role": "Network Contributor"}),
        (lambda _: None, "the name of the role is taken", {}),
    ],
)
def test_what_the_removal_first_creates_again_is_planned_for(
    deployment: Deployment, lose: Callable[[Place], object], what: str, options: dict[str, object]
) -> None:
    identity, place, (code, appear) = deployment.settle(**options)["id"], Place(deployment), AGAIN[what]
    lose(place)
    appear(place)
    deployment.clear_requests()
    planned = planned_removal(deployment, identity)
    assert (planned["result"], codes(planned)) == ("blocked", [code])
    assert deployment.writes() == []
    removed = deployment.remove(identity)
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", code)


@pytest.mark.any_kind
@pytest.mark.parametrize("what", [what for what in AGAIN if "name" not in what])
def test_what_need_not_be_created_again_is_no_obstacle(deployment: Deployment, what: str) -> None:
    identity, (_, appear) = deployment.settle()["id"], AGAIN[what]
    appear(Place(deployment))
    planned = planned_removal(deployment, identity)
    assert (planned["result"], planned["obstacles"], planned["warnings"]) == ("remove", [], [])
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.any_kind
@pytest.mark.parametrize("what", AGAIN)
def test_without_a_vnet_peering_nothing_is_created_again(deployment: Deployment, what: str) -> None:
    status, place, (_, appear) = deployment.settle(repair="off"), Place(deployment), AGAIN[what]
    place.event("delete-vnet-peering", vnet_id=place.vnet_id, remote_id=status["facts"]["to_network_id"])
    _lose_password(place)
    _unassign(place)
    appear(place)
    planned = planned_removal(deployment, status["id"])
    assert (planned["result"], planned["obstacles"], planned["warnings"]) == ("remove", [], [])
    assert deployment.remove(status["id"])["state"] == "removed"


@pytest.mark.any_kind
def test_a_permission_that_handing_back_needs_is_planned_for(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, Place(deployment).vnet_id)
    identity = deployment.settle(adopt=True, repair="off")["id"]
    Place(deployment).permit("Application.Read.All")
    deployment.host.restart_worker("Its token has the old permissions.")
    assert codes(planned_removal(deployment, identity)) == ["automation-graph-permission-missing"]
    removed = deployment.remove(identity)
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "automation-graph-permission-missing")


@pytest.mark.any_kind
def test_a_permission_that_deleting_the_platforms_principal_needs_is_planned_for(deployment: Deployment) -> None:
    status, place = deployment.settle(repair="off"), Place(deployment)
    place.event("delete-vnet-peering", vnet_id=place.vnet_id, remote_id=status["facts"]["to_network_id"])
    place.event("delete-application", app_id=status["facts"]["application_id"])
    place.permit("Application.Read.All")
    deployment.host.restart_worker("Its token has the old permissions.")
    assert codes(planned_removal(deployment, status["id"])) == ["automation-graph-permission-missing"]
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "automation-graph-permission-missing")


@pytest.mark.any_kind
def test_a_condition_that_excludes_the_role_that_is_assigned_first_is_a_warning(deployment: Deployment) -> None:
    identity, place = deployment.settle(repair="off")["id"], Place(deployment)
    assert planned_removal(deployment, identity)["warnings"] == []
    request = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    condition = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}))"
        f" OR ({request} ForAnyOfAnyValues:GuidEquals {{11111111-1111-4111-8111-111111111111}}))"
    )
    for one in place.world.assignments.by("principal", place.landscape.automation.id):
        one.condition = condition
    deployment.host.restart_worker("What it has read is old.")
    (warning,) = planned_removal(deployment, identity)["warnings"]
    assert "does not name the role Aiven VNet peering (application)" in warning
    removed = deployment.remove(identity)
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "role-assignment-condition")


@pytest.mark.any_kind
def test_service_principals_that_cannot_be_read_are_not_planned_as_gone(deployment: Deployment) -> None:
    identity = deployment.settle(repair="off")["id"]
    unread = {"host": r"graph\.microsoft\.com", "method": "GET", "path": "/servicePrincipals$", "times": 10**6}
    deployment.knobs(faults=[{**unread, "status": 503}])
    fates = {one["step"]: one["action"] for one in planned_removal(deployment, identity)["steps"]}
    assert fates["platform_service_principal"] == fates["user_service_principal"] == "unknown"
