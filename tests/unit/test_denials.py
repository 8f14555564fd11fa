"""Which policies and deny assignments are in a start's way, by what they say alone."""

from typing import Any

import pytest

from peering.denials import denied_actions, denies, parameters_of

PEERING = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
IS_PEERING = {"field": "type", "equals": PEERING.lower()}
IS_DISK = {"field": "type", "equals": "Microsoft.Compute/disks"}
FAR = {"field": f"{PEERING}/remoteVirtualNetwork.id", "notContains": "[subscription().id]"}
VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
EVERYBODY = "00000000-0000-0000-0000-000000000000"


def policy(condition: dict[str, Any], effect: str = "deny", mode: str = "All") -> dict[str, Any]:
    """A definition's properties."""
    return {"mode": mode, "policyRule": {"if": condition, "then": {"effect": effect}}}


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
    ],
)
def test_a_policy_denies_peerings(definition: dict[str, Any], expected: bool | None) -> None:
    assert denies(definition, {"effect": "Deny", "types": [PEERING]}, PEERING) is expected


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
def test_a_deny_assignment_takes_actions_away(properties: dict[str, Any], expected: list[str]) -> None:
    by_app = ["Microsoft.Authorization/roleAssignments/write"]
    by_others = [f"{PEERING}/write", "Microsoft.Network/virtualNetworks/peer/action"]
    assert denied_actions(properties, VNET, "app", by_app, by_others) == expected
