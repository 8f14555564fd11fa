"""Microsoft.Authorization: one's own permissions, roles and assignments by filter, and how many there can be."""

import httpx
import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient

from local.cloud.arm import rbac
from local.cloud.world.world import NETWORK_CONTRIBUTOR, READER, SECRETS_OFFICER, USER_ACCESS_ADMINISTRATOR
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


def put_reader(cloud: Callers, name: str, principal_id: str, **more: str) -> httpx.Response:
    """Make a principal a reader of the first VNet, by an assignment of a name."""
    role = f"{AUTHORIZATION}/roleDefinitions/{READER}"
    properties = {"roleDefinitionId": role, "principalId": principal_id, **more}
    return cloud.arm("PUT", f"{cloud.vnet.id}{AUTHORIZATION}/roleAssignments/{name}", {"properties": properties})


def test_the_same_assignment_again_is_refused_under_its_own_name_too(cloud: Callers) -> None:
    principal, name = cloud.establish().user_principal_id, cloud.cloud.world.guid()
    assert put_reader(cloud, name, principal).status_code == 201
    for again in (name, cloud.cloud.world.guid()):
        refusal = put_reader(cloud, again, principal)
        assert code_of(refusal) == (409, "RoleAssignmentExists")
        assert name.replace("-", "") in refusal.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["User", "Group", "ForeignGroup"])
def test_a_principal_of_another_type_than_is_said_is_refused(cloud: Callers, kind: str) -> None:
    principal = cloud.establish().user_principal_id
    refusal = put_reader(cloud, cloud.cloud.world.guid(), principal, principalType=kind)
    assert code_of(refusal) == (400, "UnmatchedPrincipalType")
    # One that is not replicated yet may be anything.
    unknown = cloud.cloud.world.guid()
    assert put_reader(cloud, cloud.cloud.world.guid(), unknown, principalType=kind).status_code == 201


def test_who_made_an_assignment_is_told_by_everything_but_the_answer_to_its_making(cloud: Callers) -> None:
    name, me = cloud.cloud.world.guid(), cloud.cloud.landscape.automation.id
    made = put_reader(cloud, name, cloud.establish().user_principal_id).json()["properties"]
    assert (made["createdBy"], made["updatedBy"]) == (None, me)
    shown = cloud.arm("GET", f"{cloud.vnet.id}{AUTHORIZATION}/roleAssignments/{name}").json()["properties"]
    assert (shown["createdBy"], shown["updatedBy"]) == (me, me)


def test_a_role_says_when_it_was_made_and_by_whom(cloud: Callers) -> None:
    scope, me = f"/subscriptions/{cloud.cloud.landscape.subscription}", cloud.cloud.landscape.automation.id
    path = f"{scope}{AUTHORIZATION}/roleDefinitions/{cloud.cloud.world.guid()}"
    body = {"properties": {"roleName": "ours", "assignableScopes": [scope], "permissions": [{"actions": ["*/read"]}]}}
    cloud.arm("PUT", path, body)
    cloud.wait(60)
    changed = cloud.arm("PUT", path, body).json()["properties"]
    shown = cloud.arm("GET", path).json()["properties"]
    assert (changed["createdBy"], shown["createdBy"], shown["updatedBy"]) == (None, me, me)
    assert shown["createdOn"] < shown["updatedOn"]
    built_in = cloud.arm("GET", f"{AUTHORIZATION}/roleDefinitions/{READER}").json()["properties"]
    assert built_in["createdOn"] < shown["createdOn"]


def test_a_role_shows_after_a_while_and_is_shown_a_while_longer(cloud: Callers) -> None:
    cloud.knobs(role_definitions_stale=20)
    scope = f"/subscriptions/{cloud.cloud.landscape.subscription}"
    path = f"{scope}{AUTHORIZATION}/roleDefinitions/{cloud.cloud.world.guid()}"
    body = {"properties": {"roleName": "ours", "assignableScopes": [scope], "permissions": [{"actions": ["*/read"]}]}}

    def shown() -> tuple[int, int]:
        listed = cloud.arm("GET", f"{scope}{AUTHORIZATION}/roleDefinitions", **{"$filter": "roleName eq 'ours'"})
        return cloud.arm("GET", path).status_code, len(listed.json()["value"])

    assert (cloud.arm("PUT", path, body).status_code, shown()) == (201, (404, 0))
    cloud.wait(20)
    assert shown() == (200, 1)
    assert (cloud.arm("DELETE", path).status_code, shown()) == (200, (200, 1))
    assert cloud.arm("DELETE", path).status_code == 204
    cloud.wait(20)
    assert shown() == (404, 0)


def test_assignments_above_all_subscriptions_give_rights_and_are_listed_in_their_tenant(cloud: Callers) -> None:
    landscape, world = cloud.cloud.landscape, cloud.cloud.world
    me, subscription = landscape.automation.id, f"/subscriptions/{landscape.subscription}"
    cloud.happen("remove-role-assignments", principal_id=me, scope=subscription)
    assert code_of(cloud.arm("GET", cloud.vnet.id))[0] == 403
    group = f"/providers/Microsoft.Management/managementGroups/{landscape.customer_tenant}"
    for scope in ("/", group):
        cloud.happen("assign-role", principal_id=me, scope=scope, role=READER)
        assert cloud.arm("GET", cloud.vnet.id).status_code == 200
        assert len(cloud.arm("GET", "/subscriptions").json()["value"]) == 1
        path = f"{cloud.vnet.id}{AUTHORIZATION}/roleAssignments"
        for expression in ("atScope()", f"principalId eq '{me}'"):
            listed = cloud.arm("GET", path, **{"$filter": expression}).json()["value"]
            mine = [one["id"] for one in listed if one["properties"]["principalId"] == me]
            assert [one.rpartition(AUTHORIZATION)[0] for one in mine] == [scope.rstrip("/")]
        assert not rbac.may(world, me, "Microsoft.Network/virtualNetworks/read", cloud.vpc.network.id)
        cloud.happen("remove-role-assignments", principal_id=me, scope=scope)
