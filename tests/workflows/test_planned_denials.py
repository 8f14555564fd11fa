"""A plan reads policies and deny assignments as far as it may, and says no more than they do."""

from pathlib import Path
from typing import Any

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from tests.workflows.by_hand import made_by_hand
from tests.workflows.obstacles import Place
from tests.workflows.plans import codes, plan
from tests.workflows.remote_requests import answer

PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
AHEAD, PAST = {"expiresOn": "2999-01-01T00:00:00Z"}, {"expiresOn": "2020-01-01T00:00:00.1234567Z"}
AHEAD_ANYWHERE, PAST_ANYWHERE = {"expiresOn": "2999-01-01T00:00:00"}, {"expiresOn": "2020-01-01"}
AUTHORIZATION = "/providers/Microsoft.Authorization"


def subscription(deployment: Deployment) -> str:
    """The customer's subscription, as a scope."""
    return f"/subscriptions/{deployment.cloud.landscape.subscription}"


def test_the_assignments_name_is_told(deployment: Deployment) -> None:
    scope, vnet = subscription(deployment), str(deployment.request()["vnet_id"])
    deployment.event(kind="assign-policy", scope=scope, title="Only the hub may peer")
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=["*/write"], title="A stack")
    planned = plan(deployment)
    assert codes(planned) == ["deny-assignment", "policy-denied"]
    details = " ".join(obstacle["detail"] for obstacle in planned["obstacles"])
    assert f"Only the hub may peer ({scope}{AUTHORIZATION}/policyAssignments/no-peerings)" in details
    assert "A stack" in details


def test_what_audits_or_is_not_enforced_or_exempted_is_no_obstacle(deployment: Deployment) -> None:
    scope, vnet = subscription(deployment), str(deployment.request()["vnet_id"])
    deployment.event(kind="assign-policy", scope=scope, name="a", effect="audit")
    deployment.event(kind="assign-policy", scope=scope, name="b", enforced=False)
    deployment.event(kind="assign-policy", scope=scope, name="c", not_scopes=[vnet])
    deployment.event(kind="assign-policy", scope=scope, name="d", resource_type="Microsoft.Compute/disks")
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"], planned["warnings"]) == ("create", [], [])
    deployment.event(kind="assign-policy", scope=scope, name="e")
    exempted = {"policyAssignmentId": f"{scope}{AUTHORIZATION}/policyAssignments/e"}
    name = f"{vnet}{AUTHORIZATION}/policyExemptions/x"
    for until, expected in (
        *(({}, []), (AHEAD, []), (AHEAD_ANYWHERE, [])),
        *((PAST, ["policy-denied"]), (PAST_ANYWHERE, ["policy-denied"])),
    ):
        answer(deployment, {"/policyExemptions": {"value": [{"id": name, "properties": exempted | until}]}})
        assert codes(plan(deployment)) == expected
    # The definition that is not exempted may be the one that denies.
    partly = exempted | {"policyDefinitionReferenceIds": ["tags"]}
    answer(deployment, {"/policyExemptions": {"value": [{"id": name, "properties": partly}]}})
    planned = plan(deployment)
    assert (codes(planned), len(planned["warnings"])) == ([], 1)
    answer(deployment, {})
    assert codes(plan(deployment)) == ["policy-denied"]


def test_what_holds_in_parts_of_a_scope_is_read_so(deployment: Deployment) -> None:
    scope, vnet = subscription(deployment), str(deployment.request()["vnet_id"])
    deployment.event(kind="assign-policy", scope=scope, name="a")
    kind = f"{scope}{AUTHORIZATION}"
    assigned = {"displayName": "Only the hub", "policyDefinitionId": f"{kind}/policyDefinitions/a"}
    group = vnet.partition("/providers/")[0]
    somewhere = {"name": "s", "selectors": [{"kind": "resourceLocation", "in": ["westeurope"]}]}
    for part, obstacles, warnings in (
        ({}, ["policy-denied"], 0),
        ({"notScopes": [f"{group}-another"]}, ["policy-denied"], 0),
        ({"notScopes": [group.upper()]}, [], 0),
        ({"resourceSelectors": [somewhere]}, [], 1),
        ({"overrides": [{"kind": "policyEffect", "value": "Audit"}]}, [], 0),
        ({"overrides": [{"kind": "policyEffect", "value": "Audit", "selectors": somewhere["selectors"]}]}, [], 1),
    ):
        assignment = {"id": f"{kind}/policyAssignments/a", "properties": assigned | part}
        answer(deployment, {"/policyAssignments": {"value": [assignment]}})
        planned = plan(deployment)
        assert (codes(planned), len(planned["warnings"])) == (obstacles, warnings)
    # What audits as it is written denies where the assignment says so.
    deployment.event(kind="assign-policy", scope=scope, name="b", effect="audit")
    for value, obstacles in (("Deny", ["policy-denied"]), ("Audit", []), ("Disabled", [])):
        overrides = [{"kind": "policyEffect", "value": value}]
        changed = {**assigned, "policyDefinitionId": f"{kind}/policyDefinitions/b", "overrides": overrides}
        one = {"id": f"{kind}/policyAssignments/b", "properties": changed}
        answer(deployment, {"/policyAssignments": {"value": [one]}})
        planned = plan(deployment)
        assert (codes(planned), planned["warnings"]) == (obstacles, [])


def test_what_depends_on_more_than_the_type_is_a_warning(deployment: Deployment) -> None:
    deployment.event(kind="assign-policy", scope=subscription(deployment), title="Only the hub may peer")
    far = {"field": f"{PEERINGS}/remoteVirtualNetwork.id", "notContains": "hub"}
    rule = {"if": {"allOf": [{"field": "type", "equals": PEERINGS}, far]}, "then": {"effect": "deny"}}
    answer(deployment, {"/policyDefinitions/no-peerings": {"properties": {"mode": "All", "policyRule": rule}}})
    planned = plan(deployment)
    assert planned["obstacles"] == []
    assert "Only the hub may peer" in planned["warnings"][0]


def test_an_initiative_is_read_with_its_parameters(deployment: Deployment) -> None:
    scope = subscription(deployment)
    kind = f"{scope}{AUTHORIZATION}"
    assigned = {
        "id": f"{kind}/policyAssignments/i",
        "properties": {
            "displayName": "Landing zone",
            "policyDefinitionId": f"{kind}/policySetDefinitions/i",
            "parameters": {"how": {"value": "Deny"}},
        },
    }
    part = {
        "policyDefinitionId": f"{kind}/policyDefinitions/p",
        "parameters": {"effect": {"value": "[parameters('how')]"}},
    }
    built_in = {"policyDefinitionId": f"{AUTHORIZATION}/policyDefinitions/of-microsoft"}
    rule = {"if": {"field": "type", "equals": PEERINGS}, "then": {"effect": "[parameters('effect')]"}}
    definition = {"mode": "All", "parameters": {"effect": {"defaultValue": "Audit"}}, "policyRule": rule}
    answer(
        deployment,
        {
            "/policyAssignments": {"value": [assigned]},
            "/policySetDefinitions/i": {"properties": {"policyDefinitions": [part, built_in]}},
            "/policyDefinitions/p": {"properties": definition},
        },
    )
    planned = plan(deployment)
    assert codes(planned) == ["policy-denied"]
    assert "Landing zone" in planned["obstacles"][0]["detail"]


def test_an_initiative_of_microsofts_is_not_read(deployment: Deployment) -> None:
    assigned = {
        "id": f"{subscription(deployment)}{AUTHORIZATION}/policyAssignments/i",
        "properties": {"policyDefinitionId": f"{AUTHORIZATION}/policySetDefinitions/of-microsoft"},
    }
    answer(deployment, {"/policyAssignments": {"value": [assigned]}})
    planned = plan(deployment)
    assert (codes(planned), planned["warnings"]) == ([], [])
    assert [one.path for one in deployment.cloud.requests if "policySetDefinitions" in one.path] == []


def test_what_may_not_be_read_is_no_obstacle(deployment: Deployment) -> None:
    scope, vnet = subscription(deployment), str(deployment.request()["vnet_id"])
    deployment.event(kind="assign-policy", scope=scope)
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=["*/write"])
    refused = {"error": {"code": "AuthorizationFailed", "message": "The client may not read."}}
    answer(deployment, {"/policyAssignments": refused, "/denyAssignments": refused}, status=403)
    planned = plan(deployment)
    assert codes(planned) == []
    assert "The app may not read of the VNet: its deny assignments, its policy assignments." in planned["warnings"][0]
    answer(deployment, {"/policyDefinitions/no-peerings": refused, "/denyAssignments": refused}, status=403)
    planned = plan(deployment)
    assert codes(planned) == []
    assert "the definitions of The policy assignment" in planned["warnings"][0]


def test_an_app_with_rights_on_the_resource_group_alone_reads_the_policies_of_the_vnet(deployment: Deployment) -> None:
    deployment.settle()
    Place(deployment).own_the_group_alone()
    deployment.event(kind="assign-policy", scope=subscription(deployment), title="Only the hub may peer")
    # Its definition is the subscription's.
    (warning,) = plan(deployment, allow_forwarded_traffic=True)["warnings"]
    assert "the definitions of The policy assignment Only the hub may peer" in warning


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("path", ["/locks", "/denyAssignments", "/policyAssignments"])
def test_what_a_gateway_refuses_is_not_taken_for_unreadable(deployment: Deployment, path: str, status: int) -> None:
    answer(deployment, {path: "<html>no</html>"}, status=status)
    planned = plan(deployment)
    assert [one["code"] for one in planned["waits"]] == ["remote-unavailable"]


def test_an_existing_peering_only_gets_warnings_of_what_would_deny_its_recreation(deployment: Deployment) -> None:
    deployment.settle()
    deployment.event(kind="assign-policy", scope=subscription(deployment), title="Only the hub may peer")
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("find", [])
    assert "Only the hub may peer" in planned["warnings"][0]
    assert deployment.settle()["state"] == "connected"


def test_a_change_of_a_peering_that_is_there_meets_what_denies_it(deployment: Deployment) -> None:
    deployment.settle()
    deployment.event(kind="assign-policy", scope=subscription(deployment), title="Only the hub may peer")
    changed = plan(deployment, allow_forwarded_traffic=True)
    assert (changed["result"], codes(changed)) == ("blocked", ["policy-denied"])
    status = deployment.settle(allow_forwarded_traffic=True)
    assert (status["state"], status["problem"]["code"]) == ("failed", "policy-denied")


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ({"kind": "add-lock", "level": "CanNotDelete", "name": "keep"}, "scope-locked"),
        ({"kind": "assign-policy", "effect": "denyAction"}, "policy-denied"),
        ({"kind": "add-deny-assignment", "actions": [f"{PEERINGS}/delete"]}, "deny-assignment"),
    ],
)
def test_a_start_that_must_delete_its_old_side_first_meets_what_keeps_it(
    deployment: Deployment, held: dict[str, Any], code: str
) -> None:
    status = deployment.settle()
    vnet = status["facts"]["vnet_id"]
    deployment.event(kind="delete-connection", project_vpc_id=deployment.cloud.landscape.vpc.id, vnet_id=vnet)
    deployment.event(**held, scope=subscription(deployment) if held["kind"] == "assign-policy" else vnet)
    assert codes(plan(deployment)) == [code]
    failed = deployment.settle()
    assert (failed["state"], failed["problem"]["code"]) == ("failed", code)


def test_a_deny_assignment_on_roles_alone_is_an_obstacle_where_one_has_to_be_made(deployment: Deployment) -> None:
    write = "Microsoft.Authorization/roleDefinitions/write"
    vnet = str(deployment.request()["vnet_id"])
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=[write])
    assert codes(plan(deployment)) == []
    deployment.event(kind="add-deny-assignment", scope=subscription(deployment), actions=[write])
    assert codes(plan(deployment)) == ["deny-assignment"]


def test_what_forbids_deletion_is_a_warning_and_lets_a_start_through(deployment: Deployment) -> None:
    scope = subscription(deployment)
    deployment.event(kind="assign-policy", scope=scope, effect="denyAction", title="Peerings stay")
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("create", [])
    (warning,) = planned["warnings"]
    assert "Peerings stay" in warning
    assert "blocks the removal of the peering" in warning
    assert deployment.settle()["state"] == "connected"


def test_a_policy_that_denies_roles_is_no_obstacle_where_the_roles_are_there(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 2})) as deployment:
        deployment.settle()
        second = list(deployment.cloud.world.vpcs)[1]
        roles = "Microsoft.Authorization/roleDefinitions"
        deployment.event(kind="assign-policy", scope=subscription(deployment), resource_type=roles)
        assert codes(plan(deployment, vpc=second)) == []
        assert codes(plan(deployment, vpc=second, platform_role_name="Another")) == ["policy-denied"]


def test_a_policy_that_leaves_the_vnet_out_denies_the_roles_of_its_subscription_nonetheless(
    deployment: Deployment,
) -> None:
    scope, group = subscription(deployment), str(deployment.request()["vnet_id"]).partition("/providers/")[0]
    roles = "Microsoft.Authorization/roleDefinitions"
    deployment.event(kind="assign-policy", scope=scope, name="a", not_scopes=[scope], resource_type=roles)
    assert codes(plan(deployment)) == []
    deployment.event(kind="assign-policy", scope=scope, name="b", not_scopes=[group], resource_type=roles)
    deployment.event(kind="assign-policy", scope=scope, name="c", not_scopes=[group])
    assert codes(plan(deployment)) == ["policy-denied"]
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "policy-denied")
    assert [write for write in deployment.writes() if write["service"] != "table"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/locks", {}),
        ("/policyAssignments", {}),
        ("/denyAssignments", {}),
        ("/locks", {"value": [{"id": "/a/lock"}]}),
        ("/policyAssignments", {"value": [{"id": "/an/assignment", "properties": {}}]}),
        ("/denyAssignments", {"value": [{"id": "/an/assignment"}]}),
    ],
)
def test_an_answer_that_lacks_a_part_is_asked_for_again(
    deployment: Deployment, path: str, body: dict[str, Any]
) -> None:
    answer(deployment, {path: body})
    planned = plan(deployment)
    assert (codes(planned), [wait["code"] for wait in planned["waits"]]) == ([], ["remote-unavailable"])


@pytest.mark.parametrize("level", ["ReadOnly", "CanNotDelete"])
def test_a_lock_on_another_owners_peering_of_the_vnet_holds_nothing_of_a_start(tmp_path: Path, level: str) -> None:
    with deploy(tmp_path, Scenario.model_validate({"project_vpcs": 2})) as deployment:
        vnet = str(deployment.request()["vnet_id"])
        made_by_hand(deployment.cloud, vnet)
        deployment.event(kind="add-lock", scope=f"{vnet}/virtualNetworkPeerings/by-hand", level=level)
        second = list(deployment.cloud.world.vpcs)[1]
        planned = plan(deployment, vpc=second)
        assert (planned["result"], planned["obstacles"], planned["warnings"]) == ("create", [], [])
        status = deployment.settle(vpc=second)
        assert status["state"] == "connected", status.get("problem")
        assert deployment.remove(status["id"])["state"] == "removed"


def test_a_read_only_lock_lets_a_start_through_that_changes_nothing(deployment: Deployment) -> None:
    vnet = deployment.settle()["facts"]["vnet_id"]
    deployment.event(kind="add-lock", scope=vnet, level="ReadOnly", name="keep")
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("find", [])
    assert "/locks/keep" in planned["warnings"][0]
    assert deployment.settle()["state"] == "connected"
    assert codes(plan(deployment, allow_forwarded_traffic=True)) == ["scope-locked"]


@pytest.mark.parametrize(
    ("held", "code"),
    [
        ({"kind": "assign-policy", "resource_type": "Microsoft.Authorization/roleAssignments"}, "policy-denied"),
        ({"kind": "assign-policy", "resource_type": "Microsoft.Authorization/roleDefinitions"}, "policy-denied"),
        ({"kind": "add-deny-assignment", "actions": ["Microsoft.Authorization/*"]}, "deny-assignment"),
    ],
)
def test_a_peering_that_is_there_and_needs_another_role_meets_what_denies_it(
    deployment: Deployment, held: dict[str, Any], code: str
) -> None:
    deployment.settle()
    deployment.event(scope=subscription(deployment), **held)
    planned = plan(deployment, user_role_name="another")
    assert (planned["result"], set(codes(planned))) == ("blocked", {code})
    before = deployment.cloud_state()
    status = deployment.settle(user_role_name="another")
    assert (status["state"], status["problem"]["code"]) == ("failed", code)
    assert deployment.cloud_state() == before


def test_what_a_start_assigns_again_meets_what_denies_it(deployment: Deployment) -> None:
    status = deployment.settle(repair="off")
    facts, vpc = status["facts"], next(iter(deployment.cloud.world.vpcs))
    deployment.event(kind="delete-connection", project_vpc_id=vpc, vnet_id=facts["vnet_id"])
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    for kind, expected in (("roleDefinitions", []), ("roleAssignments", ["policy-denied"])):
        resource_type = f"Microsoft.Authorization/{kind}"
        deployment.event(kind="assign-policy", scope=facts["vnet_id"], name=f"no-{kind}", resource_type=resource_type)
        assert codes(plan(deployment)) == expected
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "policy-denied")


def test_exemptions_that_may_not_be_read_make_a_denial_a_doubt(deployment: Deployment) -> None:
    deployment.event(kind="assign-policy", scope=subscription(deployment), title="Only the hub may peer")
    refused = {"error": {"code": "AuthorizationFailed", "message": "The client may not read."}}
    answer(deployment, {"/policyExemptions": refused}, status=403)
    planned = plan(deployment)
    assert planned["obstacles"] == []
    assert "Only the hub may peer" in planned["warnings"][0]
