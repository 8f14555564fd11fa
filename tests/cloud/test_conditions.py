"""Conditions of role assignments: what the deployment template writes, and the language in which it does."""

import pytest

from local.cloud.arm import abac
from local.cloud.world.world import ACCESS_ADMINISTRATOR, NETWORK_CONTRIBUTOR, OWNER, READER
from tests.cloud.callers import Callers, code_of
from tests.infra.bicep_condition import condition_of_template

WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"
REQUEST = "@Request[Microsoft.Authorization/roleAssignments:"
RESOURCE = "@Resource[Microsoft.Authorization/roleAssignments:"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ActionMatches{'Microsoft.Authorization/roleAssignments/*'}", True),
        ("!(ActionMatches{'a/b'})", True),
        ("NOT ActionMatches{'*'}", False),
        (f"{REQUEST}PrincipalType] StringEquals 'ServicePrincipal'", True),
        (f"{REQUEST}PrincipalType] StringEquals 'serviceprincipal'", False),
        (f"{REQUEST}principaltype] StringEqualsIgnoreCase 'serviceprincipal'", True),
        (f"{REQUEST}RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{1-a, 1-B}}", True),
        (f"{REQUEST}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{1-a, 1-b}}", False),
        (f"{REQUEST}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{1-a, 1-c}}", True),
        ("@Principal[unknown:Attribute] StringNotEquals 'x'", False),
        ("ActionMatches{'a'} OR ActionMatches{'*'} AND ActionMatches{'a'}", False),
        ("(ActionMatches{'*'} || ActionMatches{'a'}) && ActionMatches{'*'}", True),
        ("", False),
        ("ActionMatches{'*'", False),
        ("ActionMatches{'*'} OR", False),
        ("ActionMatches{'*'} ActionMatches{'*'}", False),
        (f"{REQUEST}PrincipalType] StringResembles 'x'", False),
        ("true; drop", False),
    ],
)
def test_a_condition_is_read_and_one_that_cannot_be_denies(condition: str, expected: bool) -> None:
    known = {f"{REQUEST}PrincipalType]": "ServicePrincipal", f"{REQUEST}RoleDefinitionId]": "1-b"}
    assert abac.holds(condition, WRITE, known) is expected


@pytest.mark.parametrize(("whose", "action"), [(REQUEST, WRITE), (RESOURCE, DELETE)])
def test_the_templates_condition_allows_two_roles_for_service_principals(whose: str, action: str) -> None:
    condition = condition_of_template(READER, NETWORK_CONTRIBUTOR)

    def allows(role: str, kind: str) -> bool:
        return abac.holds(condition, action, {f"{whose}RoleDefinitionId]": role, f"{whose}PrincipalType]": kind})

    assert allows(READER, "ServicePrincipal")
    assert allows(NETWORK_CONTRIBUTOR.upper(), "ServicePrincipal")
    assert not allows(OWNER, "ServicePrincipal")
    assert not allows(READER, "User")
    assert abac.holds(condition, "Microsoft.Network/virtualNetworks/read", {})


@pytest.fixture
def limited(cloud: Callers) -> Callers:
    """The cloud, with an automation identity that may make readers of the VNets, and nothing else of anybody."""
    me, group = cloud.cloud.landscape.automation.id, cloud.vnet.id.rpartition("/providers/")[0]
    cloud.happen(
        "remove-role-assignments", principal_id=me, scope=f"/subscriptions/{cloud.cloud.landscape.subscription}"
    )
    condition = condition_of_template(READER, READER)
    cloud.happen("assign-role", principal_id=me, scope=group, role=ACCESS_ADMINISTRATOR, condition=condition)
    return cloud


def put(cloud: Callers, role: str, kind: str | None = "ServicePrincipal") -> tuple[int, str]:
    """Give the managed identity a role on the first VNet; the answer's status and the assignment's id."""
    path = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{cloud.cloud.world.guid()}"
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": cloud.cloud.landscape.managed_identity.id,
        **({"principalType": kind} if kind else {}),
    }
    return cloud.arm("PUT", path, {"properties": properties}).status_code, path


def test_only_what_the_condition_names_can_be_assigned_and_removed(limited: Callers) -> None:
    assert put(limited, OWNER)[0] == put(limited, READER, "User")[0] == put(limited, READER, None)[0] == 403
    status, made = put(limited, READER)
    assert (status, limited.arm("DELETE", made).status_code, limited.arm("DELETE", made).status_code) == (201, 200, 204)
    world, owner = limited.cloud.world, limited.cloud.world.role(OWNER)
    assert owner
    others = world.assign(world.guid(), limited.vnet.id, owner, limited.cloud.landscape.managed_identity.id)
    refusal = limited.arm(
        "DELETE", f"{limited.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{others.name}"
    )
    assert code_of(refusal) == (403, "AuthorizationFailed")
    assert "ABAC condition that is not fulfilled" in refusal.json()["error"]["message"]
