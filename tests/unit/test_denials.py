"""Which policies and deny assignments are in a start's way, by what they say alone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from peering.denials import (
    Definition,
    Parameters,
    denied_actions,
    denied_by,
    exempted_assignments,
    is_in_force,
    parameters_of,
)

PEERING = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
IS_PEERING = {"field": "type", "equals": PEERING.lower()}
IS_DISK = {"field": "type", "equals": "Microsoft.Compute/disks"}
FAR = {"field": f"{PEERING}/remoteVirtualNetwork.id", "notContains": "[subscription().id]"}
VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
EVERYBODY = "00000000-0000-0000-0000-000000000000"


def policy(condition: dict[str, Any], effect: str = "deny", mode: str = "All", **then: object) -> dict[str, Any]:
    """A definition's properties."""
    return {"mode": mode, "policyRule": {"if": condition, "then": {"effect": effect, **then}}}


def against_deletion(condition: dict[str, Any], names: object, effect: str = "DenyAction") -> dict[str, Any]:
    """The properties of a definition that denies actions of these names."""
    return policy(condition, effect, details={"actionNames": names})


def verdict(properties: dict[str, Any], action: str, parameters: Parameters, **assigned: object) -> bool | None:
    """Whether a definition denies an action; None if it may."""
    found = denied_by([Definition(properties, parameters, "ours")], [action], assigned)
    return False if action not in found else found[action] or None


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (policy(IS_PEERING), True),
        (policy(IS_DISK), False),
        (policy({"field": "type", "in": [PEERING, "x"]}), True),
        (policy({"field": "type", "notIn": ["x"]}), True),
        (policy({"field": "type", "notEquals": PEERING}), False),
        (policy({"field": "type", "like": "Microsoft.Network/virtualNetworks/*"}), True),
        (policy({"not": IS_PEERING}), False),
        (policy({"allOf": [IS_PEERING, FAR]}), None),
        (policy({"allOf": [IS_DISK, FAR]}), False),
        (policy({"anyOf": [IS_PEERING, FAR]}), True),
        (policy({"anyOf": [IS_DISK, FAR]}), None),
        (policy(FAR), None),
        (policy(IS_PEERING, "audit"), False),
        (policy(IS_PEERING, "[parameters('effect')]"), True),
        (policy(IS_PEERING, "[parameters('other')]"), None),
        (policy(IS_DISK, "[parameters('other')]"), False),
        (policy({"field": "type", "in": "[parameters('types')]"}), True),
        (policy({"field": "type", "in": "[parameters('other')]"}), None),
        (policy({"field": "type", "equals": "[concat('a', 'b')]"}), None),
        (policy(IS_PEERING, mode="Indexed"), False),
        (policy(IS_PEERING, mode="Microsoft.KeyVault.Data"), False),
        (against_deletion(IS_PEERING, ["delete"]), False),
    ],
)
def test_a_policy_denies_peerings(definition: dict[str, Any], expected: bool | None) -> None:
    assert verdict(definition, f"{PEERING}/write", {"effect": "Deny", "types": [PEERING]}) is expected


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (against_deletion(IS_PEERING, ["Delete"]), True),
        (against_deletion(IS_PEERING, ["delete"], "[parameters('effect')]"), True),
        (against_deletion(IS_PEERING, "[parameters('names')]"), True),
        (against_deletion(IS_PEERING, "[parameters('other')]"), None),
        (against_deletion(IS_DISK, "[parameters('other')]"), False),
        (against_deletion(IS_PEERING, ["delete"], "[parameters('other')]"), None),
        (against_deletion({"allOf": [IS_PEERING, FAR]}, ["delete"]), None),
        (against_deletion(IS_PEERING, []), False),
        (against_deletion(IS_DISK, ["delete"]), False),
        (policy(IS_PEERING, "denyAction"), False),
        (policy(IS_PEERING), False),
    ],
)
def test_a_policy_denies_the_deletion_of_peerings(definition: dict[str, Any], expected: bool | None) -> None:
    assert verdict(definition, f"{PEERING}/delete", {"effect": "DenyAction", "names": ["delete"]}) is expected


def override(effect: str, **selector: object) -> dict[str, object]:
    """An override of the effect, for what a selector names."""
    return {"kind": "policyEffect", "value": effect, "selectors": [selector] if selector else []}


BY_REFERENCE, BY_PLACE = {"kind": "policyDefinitionReferenceId"}, {"kind": "resourceLocation", "in": ["westeurope"]}


@pytest.mark.parametrize(
    ("own", "overrides", "expected"),
    [
        ("audit", [override("Deny")], True),
        ("deny", [override("Disabled")], False),
        ("audit", [override("Deny", **BY_REFERENCE, **{"in": ["OURS", "others"]})], True),
        ("audit", [override("Deny", **BY_REFERENCE, **{"in": ["others"]})], False),
        ("deny", [override("Audit", **BY_REFERENCE, notIn=["ours"])], True),
        ("deny", [override("Audit", **BY_REFERENCE, notIn=["others"])], False),
        ("audit", [override("Deny", **BY_PLACE)], None),
        ("deny", [override("Audit", **BY_PLACE)], None),
        ("deny", [override("Deny", **BY_PLACE)], True),
        ("deny", [{"kind": "policyVersion", "value": "2.*.*"}], None),
        ("append", [override("denyAction")], False),
    ],
)
def test_an_assignment_overrides_effects_of_the_definitions_that_it_names(
    own: str, overrides: list[dict[str, object]], expected: bool | None
) -> None:
    assert verdict(policy(IS_PEERING, own, details=[]), f"{PEERING}/write", {}, overrides=overrides) is expected


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([{"kind": "resourceType", "in": [PEERING.upper()]}], True),
        ([{"kind": "resourceType", "in": ["Microsoft.Storage/storageAccounts"]}], False),
        ([{"kind": "resourceType", "notIn": ["Microsoft.Storage/storageAccounts"]}], True),
        ([{"kind": "resourceType", "notIn": [PEERING]}], False),
        ([BY_PLACE], None),
        ([BY_PLACE, {"kind": "resourceType", "in": ["Microsoft.Storage/storageAccounts"]}], False),
    ],
)
def test_an_assignment_is_for_what_its_selectors_name(
    selectors: list[dict[str, object]], expected: bool | None
) -> None:
    chosen = [{"name": "some", "selectors": selectors}]
    assert verdict(policy(IS_PEERING), f"{PEERING}/write", {}, resourceSelectors=chosen) is expected
    either = [*chosen, {"name": "all", "selectors": []}]
    assert verdict(policy(IS_PEERING), f"{PEERING}/write", {}, resourceSelectors=either) is True


def test_details_of_another_effect_name_no_actions() -> None:
    overrides = [override("denyAction")]
    assert verdict(policy(IS_PEERING, "append", details=[]), f"{PEERING}/delete", {}, overrides=overrides) is False


SUBSCRIPTION, GROUP = "/subscriptions/s", "/subscriptions/s/resourceGroups/g"
ABOVE = "/providers/Microsoft.Management/managementGroups/m"


@pytest.mark.parametrize(
    ("scope", "left_out", "expected"),
    [
        (ABOVE, [], {VNET, SUBSCRIPTION}),
        (SUBSCRIPTION, [], {VNET, SUBSCRIPTION}),
        (SUBSCRIPTION, [GROUP.upper()], {SUBSCRIPTION}),
        (ABOVE, [SUBSCRIPTION], set()),
        (GROUP, [], {VNET}),
        (VNET, [], {VNET}),
    ],
)
def test_an_assignment_is_in_force_below_its_scope_alone(scope: str, left_out: list[str], expected: set[str]) -> None:
    name = f"{scope}/providers/Microsoft.Authorization/policyAssignments/p"
    assigned = {"id": name, "properties": {"notScopes": left_out}}
    assert {path for path in (VNET, SUBSCRIPTION) if is_in_force(assigned, path)} == expected


def test_an_exemption_holds_below_its_scope_alone_until_it_ends() -> None:
    now, given = datetime(2026, 1, 1, tzinfo=UTC), {"policyAssignmentId": "/An/Assignment"}
    in_group = f"{GROUP}/providers/Microsoft.Authorization/policyExemptions/e"
    exemption = {"id": in_group, "properties": given}
    assert exempted_assignments([exemption], VNET, now) == {"/an/assignment": True}
    assert exempted_assignments([exemption], SUBSCRIPTION, now) == {}
    ended = {"id": in_group, "properties": {**given, "expiresOn": "2025-12-31T23:59:59Z"}}
    assert exempted_assignments([ended], VNET, now) == {}
    partly = {"id": in_group, "properties": given | {"policyDefinitionReferenceIds": ["tags"]}}
    assert exempted_assignments([partly], VNET, now) == {"/an/assignment": False}
    assert exempted_assignments([partly, exemption], VNET, now) == {"/an/assignment": True}


def test_parameters_come_from_the_initiative_the_assignment_or_the_definition() -> None:
    declared = {"effect": {"defaultValue": "Audit"}, "types": {"defaultValue": ["x"]}, "free": {}}
    given = {"effect": {"value": "[parameters('how')]"}}
    assert parameters_of(declared, given, {"how": "Deny"}) == {"effect": "Deny", "types": ["x"]}
    assert parameters_of(declared, {}) == {"effect": "Audit", "types": ["x"]}


def denial(*actions: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - what ARM shows
    """A deny assignment's properties."""
    everybody = {"principals": [{"id": EVERYBODY}], "excludePrincipals": [], "scope": VNET}
    return {**everybody, "permissions": [{"actions": list(actions), "notActions": []}], **more}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (denial("*/write"), ["Microsoft.Authorization/roleAssignments/write", f"{PEERING}/write"]),
        (denial("Microsoft.Network/*"), [f"{PEERING}/write", "Microsoft.Network/virtualNetworks/peer/action"]),
        (denial("*/delete"), []),
        (denial("*/write", excludePrincipals=[{"id": "app"}]), [f"{PEERING}/write"]),
        (denial("*/write", principals=[{"id": "APP"}]), ["Microsoft.Authorization/roleAssignments/write"]),
        (denial("*/write", principals=[{"id": "another"}]), []),
        (denial("*/write", scope="/subscriptions/s", doNotApplyToChildScopes=True), []),
        (denial("*", permissions=[{"actions": ["*"], "notActions": ["Microsoft.*"]}]), []),
    ],
)
def test_a_deny_assignment_denies_actions(properties: dict[str, Any], expected: list[str]) -> None:
    by_app = ["Microsoft.Authorization/roleAssignments/write"]
    by_others = [f"{PEERING}/write", "Microsoft.Network/virtualNetworks/peer/action"]
    assert denied_actions(properties, VNET, "app", by_app, by_others) == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("/providers/Microsoft.Management/managementGroups/all", ["a"]),
        ("/", ["a"]),
        ("/subscriptions/S", ["a"]),
        (VNET, []),
    ],
)
def test_a_deny_assignment_reaches_what_its_scope_holds(scope: str, expected: list[str]) -> None:
    assert denied_actions(denial("a", scope=scope), "/subscriptions/s", "app", ["a"], []) == expected
