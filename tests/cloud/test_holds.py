"""Locks, disabled subscriptions, policies and deny assignments apply to every identity, and are reported."""

import httpx
import pytest

from local.cloud.arm.network import PEER_ACTION
from local.cloud.world.world import OWNER
from tests.cloud.callers import Callers, code_of


@pytest.mark.parametrize(("level", "read_only"), [("ReadOnly", True), ("CanNotDelete", False)])
def test_a_lock_holds_for_everything_inside(cloud: Callers, level: str, read_only: bool) -> None:
    group = cloud.vnet.id.rpartition("/providers/")[0]
    assignment = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{cloud.cloud.world.guid()}"
    cloud.happen("add-lock", scope=group, level=level, name="held")
    listed = cloud.arm("GET", f"{cloud.vnet.id}/providers/Microsoft.Authorization/locks").json()["value"]
    assert [(lock["name"], lock["properties"]["level"]) for lock in listed] == [("held", level)]
    assert code_of(cloud.arm("DELETE", assignment)) == (409, "ScopeLocked")
    assert (code_of(cloud.arm("PUT", assignment, {})) == (409, "ScopeLocked")) is read_only
    cloud.happen("remove-lock", scope=group, name="held")
    assert cloud.arm("DELETE", assignment).status_code == 204


def test_a_disabled_subscription_can_be_read_alone(cloud: Callers) -> None:
    subscription = cloud.cloud.landscape.subscription
    assignment = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{cloud.cloud.world.guid()}"
    cloud.happen("disable-subscription", subscription_id=subscription)
    assert cloud.arm("GET", f"/subscriptions/{subscription}").json()["state"] == "Disabled"
    assert code_of(cloud.arm("DELETE", assignment)) == (409, "ReadOnlyDisabledSubscription")
    cloud.happen("enable-subscription", subscription_id=subscription)
    assert cloud.arm("DELETE", assignment).status_code == 204


def put_peering(cloud: Callers, name: str = "ours") -> httpx.Response:
    """Put a peering of the first VNet with the second one."""
    first, second = list(cloud.cloud.world.vnets.values())[:2]
    body = {"properties": {"remoteVirtualNetwork": {"id": second.id}}}
    return cloud.arm("PUT", f"{first.id}/virtualNetworkPeerings/{name}", body)


@pytest.fixture
def owner(cloud: Callers) -> Callers:
    """The cloud, with the automation identity as owner of the subscription."""
    landscape = cloud.cloud.landscape
    scope = f"/subscriptions/{landscape.subscription}"
    cloud.happen("assign-role", principal_id=landscape.automation.id, scope=scope, role=OWNER)
    return cloud


def test_a_policy_forbids_peerings_and_says_which_it_is(owner: Callers) -> None:
    scope = f"/subscriptions/{owner.cloud.landscape.subscription}"
    owner.happen("assign-policy", scope=scope, title="Only the hub may peer", name="hub-only")
    refusal = put_peering(owner)
    assert code_of(refusal) == (403, "RequestDisallowedByPolicy")
    error = refusal.json()["error"]
    (violated,) = error["additionalInfo"]
    assert (error["target"], violated["type"]) == ("ours", "PolicyViolation")
    assert (
        violated["info"]["policyAssignmentId"]
        == f"{scope}/providers/Microsoft.Authorization/policyAssignments/hub-only"
    )
    assert violated["info"]["policyAssignmentDisplayName"] == "Only the hub may peer"
    owner.happen("remove-policy", scope=scope, name="hub-only")
    assert put_peering(owner).status_code == 201


@pytest.mark.parametrize(
    "harmless",
    [{"effect": "audit"}, {"enforced": False}, {"not_scopes": ["group"]}, {"resource_type": "Microsoft.Sql/servers"}],
)
def test_a_policy_that_is_not_meant_for_it_lets_a_peering_through(owner: Callers, harmless: dict[str, object]) -> None:
    group = owner.vnet.id.rpartition("/providers/")[0]
    given = {**harmless, **({"not_scopes": [group]} if "not_scopes" in harmless else {})}
    owner.happen("assign-policy", scope=f"/subscriptions/{owner.cloud.landscape.subscription}", **given)
    assert put_peering(owner).status_code == 201


def test_a_policy_does_not_come_before_the_right_and_not_after_a_deletion(owner: Callers) -> None:
    assert put_peering(owner).status_code == 201
    scope = f"/subscriptions/{owner.cloud.landscape.subscription}"
    owner.happen("assign-policy", scope=scope)
    assert owner.arm("DELETE", f"{owner.vnet.id}/virtualNetworkPeerings/ours").status_code == 202
    owner.happen("remove-role-assignments", principal_id=owner.cloud.landscape.automation.id, scope=scope)
    assert code_of(put_peering(owner)) == (403, "AuthorizationFailed")


def test_a_policy_against_deletion_forbids_nothing_else(owner: Callers) -> None:
    scope = f"/subscriptions/{owner.cloud.landscape.subscription}"
    owner.happen("assign-policy", scope=scope, effect="denyAction", title="Peerings stay", name="stay")
    assert put_peering(owner).status_code == 201
    refusal = owner.arm("DELETE", f"{owner.vnet.id}/virtualNetworkPeerings/ours")
    assert code_of(refusal) == (403, "RequestDisallowedByPolicy")
    error = refusal.json()["error"]
    assert error["message"].startswith("Deletion of resource 'ours' was disallowed by policy.")
    assert error["additionalInfo"][0]["info"]["policyDefinitionEffect"] == "denyAction"
    assert put_peering(owner).status_code == 200
    owner.happen("remove-policy", scope=scope, name="stay")
    assert owner.arm("DELETE", f"{owner.vnet.id}/virtualNetworkPeerings/ours").status_code == 202


@pytest.mark.parametrize("kind", ["roleAssignments", "roleDefinitions"])
def test_a_policy_against_deletion_keeps_roles_and_assignments(owner: Callers, kind: str) -> None:
    world = owner.cloud.world
    held = next(a for a in world.assignments if a.scope.startswith("/subscriptions/"))
    where = {"roleAssignments": (held.scope, held.name), "roleDefinitions": (held.scope, world.guid())}
    scope, name = where[kind]
    owner.happen(
        "assign-policy",
        scope=f"/subscriptions/{owner.cloud.landscape.subscription}",
        resource_type=f"Microsoft.Authorization/{kind}",
        effect="denyAction",
    )
    refusal = owner.arm("DELETE", f"{scope}/providers/Microsoft.Authorization/{kind}/{name}")
    assert code_of(refusal) == (403, "RequestDisallowedByPolicy")


@pytest.mark.parametrize(
    ("effect", "then"),
    [
        ("deny", {"effect": "deny"}),
        ("denyAction", {"effect": "denyAction", "details": {"actionNames": ["delete"]}}),
    ],
)
def test_policies_are_listed_with_their_definitions(owner: Callers, effect: str, then: dict[str, object]) -> None:
    group = owner.vnet.id.rpartition("/providers/")[0]
    owner.happen("assign-policy", scope=group, effect=effect)
    path = "/providers/Microsoft.Authorization/policyAssignments"
    (listed,) = owner.arm("GET", f"{owner.vnet.id}{path}", **{"$filter": "atScope()"}).json()["value"]
    definition = owner.arm("GET", listed["properties"]["policyDefinitionId"]).json()["properties"]
    assert listed["properties"]["enforcementMode"] == "Default"
    assert definition["policyRule"]["if"]["equals"].endswith("/virtualNetworkPeerings")
    assert definition["policyRule"]["then"] == then
    above = f"/subscriptions/{owner.cloud.landscape.subscription}"
    assert len(owner.arm("GET", f"{above}{path}").json()["value"]) == 1
    assert owner.arm("GET", f"{above}{path}", **{"$filter": "atScope()"}).json()["value"] == []


def test_a_deny_assignment_denies_what_a_role_grants(owner: Callers) -> None:
    actions = ["Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"]
    owner.happen("add-deny-assignment", scope=owner.vnet.id, actions=actions, title="A stack")
    refusal = put_peering(owner)
    assert code_of(refusal) == (403, "DenyAssignmentAuthorizationFailed")
    assert "deny assignment with name 'A stack'" in refusal.json()["error"]["message"]
    (listed,) = owner.arm("GET", f"{owner.vnet.id}/providers/Microsoft.Authorization/denyAssignments").json()["value"]
    assert listed["properties"]["permissions"][0]["actions"] == actions
    owner.happen("remove-deny-assignments", scope=owner.vnet.id)
    assert put_peering(owner).status_code == 201


def test_a_deny_assignment_spares_whom_it_excludes(owner: Callers) -> None:
    but = [owner.cloud.landscape.automation.id]
    owner.happen("add-deny-assignment", scope=owner.vnet.id, actions=["*"], but=but)
    assert put_peering(owner).status_code == 201


def test_a_deny_assignment_keeps_the_platform_out_too(cloud: Callers) -> None:
    cloud.establish()
    cloud.happen("add-deny-assignment", scope=cloud.vnet.id, actions=[PEER_ACTION])
    cloud.vpc.network.peerings.clear()
    cloud.happen("set-connection-state", project_vpc_id=cloud.vpc.id, vnet_id=cloud.vnet.id, state="APPROVED")
    (connection,) = cloud.state()["peeringConnections"]
    assert connection["state"] == "INVALID_SPECIFICATION"
