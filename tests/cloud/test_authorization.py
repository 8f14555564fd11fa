"""Microsoft.Authorization: one's own permissions, roles and assignments by filter, and how many there can be."""

import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient

from local.cloud.world import NETWORK_CONTRIBUTOR, READER, SECRETS_OFFICER, USER_ACCESS_ADMINISTRATOR
from tests.cloud.callers import Callers, code_of

AUTHORIZATION = "/providers/Microsoft.Authorization"


@pytest.fixture
def client(cloud: Callers) -> AuthorizationManagementClient:
    """The SDK as the automation identity."""
    environment = cloud.cloud.environment
    secret = (environment[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    return AuthorizationManagementClient(ClientSecretCredential(*secret), cloud.cloud.landscape.subscription)


def test_a_caller_sees_its_own_permissions_on_a_resource(cloud: Callers, client: AuthorizationManagementClient) -> None:
    vnet = cloud.vnet
    on_vnet = list(
        client.permissions.list_for_resource(vnet.group, "Microsoft.Network", "", "virtualNetworks", vnet.name)
    )
    assert [p.actions for p in on_vnet] == [["*/read", "Microsoft.Authorization/*"], ["*/read"]]
    vault = cloud.cloud.landscape.vault
    on_vault = list(client.permissions.list_for_resource(vnet.group, "Microsoft.KeyVault", "", "vaults", vault))
    assert [p.data_actions for p in on_vault][-1] == ["Microsoft.KeyVault/vaults/secrets/*"]
    assert len(list(client.permissions.list_for_resource_group(vnet.group))) == 2


def test_permissions_are_those_in_effect(cloud: Callers) -> None:
    cloud.knobs(role_effective=60)
    world, role = cloud.cloud.world, cloud.cloud.world.role(NETWORK_CONTRIBUTOR)
    assert role
    world.assign(world.guid(), cloud.vnet.id, role, cloud.cloud.landscape.automation.id)
    path = f"{cloud.vnet.id}{AUTHORIZATION}/permissions"
    assert len(cloud.arm("GET", path).json()["value"]) == 2
    cloud.wait(61)
    assert len(cloud.arm("GET", path).json()["value"]) == 3


def test_permissions_are_for_callers_of_the_tenant(cloud: Callers) -> None:
    path = f"{cloud.vpc.network.id}{AUTHORIZATION}/permissions"
    assert code_of(cloud.arm("GET", path)) == (401, "InvalidAuthenticationTokenTenant")


def test_assignments_are_listed_at_above_and_below_a_scope(cloud: Callers) -> None:
    made, subscription = cloud.establish(), f"/subscriptions/{cloud.cloud.landscape.subscription}"

    def listed(scope: str, expression: str) -> list[str]:
        answer = cloud.arm("GET", f"{scope}{AUTHORIZATION}/roleAssignments", **{"$filter": expression})
        return [assignment["properties"]["scope"] for assignment in answer.json()["value"]]

    of_user = f"principalId eq '{made.user_principal_id}'"
    assert listed(subscription, of_user) == listed(cloud.vnet.id, of_user) == [cloud.vnet.id]
    assert listed(f"{subscription}/resourceGroups/other", of_user) == []
    automation = f"principalId eq '{cloud.cloud.landscape.automation.id}'"
    assert len(listed(subscription, automation)) == 4
    assert listed(cloud.vnet.id, automation) == [subscription, subscription]
    assert len(listed(cloud.vnet.id, "atScope()")) == 6
    assert len(listed(subscription, "atScope()")) == 4
    assert len(listed(subscription, "")) == 10
    assert listed(subscription, f"atScope() and assignedTo('{made.user_principal_id}')") == []


def test_roles_are_found_by_type_and_by_full_id(cloud: Callers, client: AuthorizationManagementClient) -> None:
    made = cloud.establish()
    scope = f"/subscriptions/{cloud.cloud.landscape.subscription}"
    custom = {role.name for role in client.role_definitions.list(scope, filter="type eq 'CustomRole'")}
    assert custom == {made.user_role_id.rpartition("/")[2], made.platform_role_id.rpartition("/")[2]}
    built_in = {role.name for role in client.role_definitions.list(scope, filter="type eq 'BuiltInRole'")}
    assert {READER, SECRETS_OFFICER, USER_ACCESS_ADMINISTRATOR} <= built_in
    for role_id in (f"{scope}{AUTHORIZATION}/roleDefinitions/{READER}", f"{AUTHORIZATION}/roleDefinitions/{READER}"):
        assert client.role_definitions.get_by_id(role_id).role_name == "Reader"
    assert client.role_definitions.get_by_id(made.user_role_id).role_type == "CustomRole"
    assert code_of(cloud.arm("GET", f"{AUTHORIZATION}/roleDefinitions/{'0' * 8}-0000-4000-8000-{'0' * 12}"))[0] == 404


def test_a_subscription_has_a_limited_number_of_assignments(cloud: Callers) -> None:
    made = cloud.establish()
    cloud.knobs(role_assignment_limit=10)
    properties = {
        "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/{READER}",
        "principalId": made.user_principal_id,
        "principalType": "ServicePrincipal",
    }
    path = f"{cloud.vnet.id}{AUTHORIZATION}/roleAssignments/{cloud.cloud.world.guid()}"
    assert code_of(cloud.arm("PUT", path, {"properties": properties})) == (400, "RoleAssignmentLimitExceeded")
    cloud.knobs(role_assignment_limit=11)
    assert cloud.arm("PUT", path, {"properties": properties}).status_code == 201
    assert cloud.arm("PUT", path, {"properties": properties}).status_code == 200
