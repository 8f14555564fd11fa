"""Microsoft Graph: what it lists and how, what it keeps of what is deleted, and what the tenant's policy forbids."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.cloud.callers import Callers, callers, code_of


def make(cloud: Callers, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any property
    """An application."""
    answer = cloud.graph(
        "POST", "/applications", {"displayName": name, "signInAudience": "AzureADMultipleOrgs", **more}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def names(cloud: Callers, query: str, kind: str = "applications") -> list[str]:
    """The display names of a list."""
    answer = cloud.graph("GET", f"/{kind}?{query}")
    assert answer.status_code == 200, answer.text
    return [thing["displayName"] for thing in answer.json()["value"]]


def test_lists_are_filtered_by_keys_tags_and_names(cloud: Callers) -> None:
    first, second = make(cloud, "one", tags=["ours"], uniqueName="first"), make(cloud, "two", tags=["theirs"])
    assert names(cloud, f"$filter=appId in ('{first['appId']}','{second['appId'].upper()}')") == ["one", "two"]
    assert names(cloud, f"$filter=id in ('{second['id']}', 'none')") == ["two"]
    assert names(cloud, f"$filter=id eq '{first['id']}'") == ["one"]
    assert names(cloud, "$filter=tags/any(t:t eq 'ours')") == ["one"]
    assert names(cloud, "$filter=uniqueName eq 'first'") == ["one"]
    assert names(cloud, "$filter=startswith(displayName,'tw')") == ["two"]
    cloud.graph("POST", "/servicePrincipals", {"appId": first["appId"], "tags": ["ours"]})
    assert names(cloud, "$filter=tags/any(t:t eq 'ours')", "servicePrincipals") == ["one"]
    assert names(cloud, f"$filter=appId in ('{first['appId']}')", "servicePrincipals") == ["one"]


@pytest.mark.parametrize(
    "query",
    [
        "$filter=appId in (" + ",".join(f"'{n}'" for n in range(16)) + ")",
        "$filter=displayName ne 'x'",
        "$filter=nothing eq 'x'",
        "$select=nothing",
        "$top=1000",
        "$top=0",
    ],
)
def test_what_graph_does_not_support_is_refused(cloud: Callers, query: str) -> None:
    assert cloud.graph("GET", f"/applications?{query}").status_code == 400


def test_pages_link_to_the_next_and_select_leaves_the_rest_out(cloud: Callers) -> None:
    for number in range(5):
        make(cloud, f"app {number}", tags=["paged"])
    found, url = [], "/applications?$filter=tags/any(t:t eq 'paged')&$top=2&$select=id,displayName"
    while url:
        page = cloud.graph("GET", url).json()
        assert len(page["value"]) <= 2
        assert all(set(thing) == {"id", "displayName"} for thing in page["value"])
        found += [thing["displayName"] for thing in page["value"]]
        url = page.get("@odata.nextLink", "")
    assert found == [f"app {number}" for number in range(5)]


def test_what_is_deleted_can_be_restored_until_it_is_deleted_for_good(cloud: Callers) -> None:
    made = cloud.establish()
    application, principal = made.application_object_id, made.user_principal_id
    assert cloud.graph("DELETE", f"/applications/{application}").status_code == 204
    assert code_of(cloud.graph("GET", f"/applications/{application}")) == (404, "Request_ResourceNotFound")
    assert code_of(cloud.graph("GET", f"/servicePrincipals/{principal}")) == (404, "Request_ResourceNotFound")
    assert len([a for a in cloud.state()["roleAssignments"] if a["properties"]["principalId"] == principal]) == 1
    assert cloud.graph("GET", f"/directory/deletedItems/{application}").json()["deletedDateTime"]
    for kind in ("application", "servicePrincipal"):
        answer = cloud.graph("GET", f"/directory/deletedItems/microsoft.graph.{kind}").json()
        assert [thing["id"] for thing in answer["value"]] == [application if kind == "application" else principal]
    assert cloud.graph("POST", f"/directory/deletedItems/{application}/restore").status_code == 200
    assert cloud.graph("GET", f"/servicePrincipals/{principal}").json()["accountEnabled"] is True
    cloud.graph("DELETE", f"/applications/{application}")
    assert cloud.graph("DELETE", f"/directory/deletedItems/{application}").status_code == 204
    assert code_of(cloud.graph("POST", f"/directory/deletedItems/{application}/restore"))[0] == 404


def test_the_unique_name_of_a_deleted_application_is_reserved_until_it_is_deleted_for_good(cloud: Callers) -> None:
    first = make(cloud, "one", uniqueName="same")
    cloud.graph("DELETE", f"/applications/{first['id']}")
    again = {"displayName": "two", "uniqueName": "same"}
    assert cloud.graph("POST", "/applications", again).status_code == 400
    cloud.graph("DELETE", f"/directory/deletedItems/{first['id']}")
    assert cloud.graph("POST", "/applications", again).status_code == 201


FEDERATED = {
    "name": "one",
    "issuer": "https://issuer",
    "subject": "subject",
    "audiences": ["api://AzureADTokenExchange"],
}


def test_federated_credentials_are_found_by_id_and_by_name(cloud: Callers) -> None:
    path = f"/applications/{make(cloud, 'app')['id']}/federatedIdentityCredentials"
    made = cloud.graph("POST", path, FEDERATED).json()
    assert [one["id"] for one in cloud.graph("GET", path).json()["value"]] == [made["id"]]
    for key in (f"/{made['id']}", "/one", "(name='one')"):
        assert cloud.graph("GET", path + key).json() == made
    assert cloud.graph("PATCH", f"{path}/one", {"subject": "another"}).status_code == 204
    assert cloud.graph("GET", f"{path}/one").json()["subject"] == "another"
    upsert = {**FEDERATED, "name": "two", "subject": "third"}
    assert cloud.graph("PATCH", f"{path}(name='two')", upsert, prefer="create-if-missing").status_code == 201
    assert cloud.graph("PATCH", f"{path}(name='two')", upsert, prefer="create-if-missing").status_code == 204
    assert cloud.graph("DELETE", f"{path}/one").status_code == 204
    assert cloud.graph("DELETE", f"{path}/{made['id']}").status_code == 404


def test_federated_credentials_are_limited(cloud: Callers) -> None:
    path = f"/applications/{make(cloud, 'app')['id']}/federatedIdentityCredentials"
    assert cloud.graph("POST", path, {**FEDERATED, "audiences": ["one", "two"]}).status_code == 400
    assert cloud.graph("POST", path, FEDERATED).status_code == 201
    assert cloud.graph("POST", path, {**FEDERATED, "subject": "another"}).status_code == 409
    assert cloud.graph("POST", path, {**FEDERATED, "name": "another"}).status_code == 400
    for number in range(19):
        more = {**FEDERATED, "name": f"n{number}", "subject": f"s{number}"}
        assert cloud.graph("POST", path, more).status_code == 201
    assert cloud.graph("POST", path, {**FEDERATED, "name": "last", "subject": "last"}).status_code == 400


def test_the_policy_is_shown_to_those_who_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with callers(tmp_path, monkeypatch, graph_policy_read=True, password_lifetime_days=90) as cloud:
        roles = jwt.decode(cloud.token("graph"), options={"verify_signature": False})["roles"]
        assert roles == ["Application.ReadWrite.All", "Policy.Read.ApplicationConfiguration"]
        assert "roles" not in jwt.decode(cloud.token("arm"), options={"verify_signature": False})
        policy = cloud.graph("GET", "/policies/defaultAppManagementPolicy").json()
    (restriction,) = policy["applicationRestrictions"]["passwordCredentials"]
    assert (restriction["restrictionType"], restriction["maxLifetime"]) == ("passwordLifetime", "P90D")


def test_the_policy_is_hidden_without_its_permission(cloud: Callers) -> None:
    answer = cloud.graph("GET", "/policies/defaultAppManagementPolicy")
    assert code_of(answer) == (403, "Authorization_RequestDenied")


def test_the_policy_is_enforced(cloud: Callers) -> None:
    path = f"/applications/{make(cloud, 'app')['id']}"
    now = cloud.cloud.world.now

    def password(**more: str) -> tuple[int, str]:
        answer = cloud.graph("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "p", **more}})
        return (200, "") if answer.status_code == 200 else code_of(answer)

    cloud.knobs(password_lifetime_days=90)
    assert password() == (400, "CredentialInvalidLifetimeAsPerAppPolicy")
    assert password(endDateTime=(now + timedelta(days=91)).isoformat())[0] == 400
    assert password(endDateTime=(now + timedelta(days=90)).isoformat())[0] == 200
    cloud.knobs(password_addition_forbidden=True)
    assert password() == (400, "CredentialTypeNotAllowedAsPerAppPolicy")
    cloud.knobs(multi_tenant_forbidden=True)
    refused = (400, "SignInAudienceNotAllowedAsPerAppPolicy")
    assert code_of(cloud.graph("PATCH", path, {"signInAudience": "AzureADMultipleOrgs"})) == refused
    created = cloud.graph("POST", "/applications", {"displayName": "x", "signInAudience": "AzureADMultipleOrgs"})
    assert code_of(created) == refused


def test_a_password_that_is_not_there_cannot_be_removed(cloud: Callers) -> None:
    path = f"/applications/{make(cloud, 'app')['id']}/removePassword"
    body = {"keyId": "00000000-0000-4000-8000-000000000000"}
    assert code_of(cloud.graph("POST", path, body)) == (400, "Request_BadRequest")


def test_the_weaker_permission_reaches_what_it_owns_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with callers(tmp_path, monkeypatch, graph_role="Application.ReadWrite.OwnedBy") as cloud:
        made, world = cloud.establish(), cloud.cloud.world
        foreign = world.add_application(cloud.cloud.landscape.customer_tenant, "foreign", "AzureADMyOrg")
        principal = world.add_principal(foreign, foreign.tenant_id)
        denied = (403, "Authorization_RequestDenied")
        assert code_of(cloud.graph("PATCH", f"/applications/{foreign.id}", {"tags": []})) == denied
        assert code_of(cloud.graph("DELETE", f"/servicePrincipals/{principal.id}")) == denied
        assert cloud.graph("DELETE", f"/servicePrincipals/{made.user_principal_id}").status_code == 204
        assert cloud.graph("DELETE", f"/applications/{made.application_object_id}").status_code == 204
        assert cloud.graph("DELETE", f"/directory/deletedItems/{made.application_object_id}").status_code == 204


def test_a_principal_shows_its_state_tags_and_home(cloud: Callers) -> None:
    made = cloud.establish()
    body = cloud.graph("GET", f"/servicePrincipals(appId='{made.application_id}')").json()
    assert body["accountEnabled"] is True
    assert body["tags"] == ["aiven-azure-peering"]
    assert body["appOwnerOrganizationId"] == cloud.cloud.landscape.customer_tenant


def test_with_owned_by_alone_nothing_may_be_listed_and_an_upsert_may_forget_the_owner(cloud: Callers) -> None:
    cloud.cloud.landscape.automation.graph_roles = ["Application.ReadWrite.OwnedBy"]
    cloud.knobs(owned_list_forbidden=True, upsert_without_owner=True)
    assert code_of(cloud.graph("GET", "/applications")) == (403, "Authorization_RequestDenied")
    body = {"displayName": "ours", "signInAudience": "AzureADMultipleOrgs"}
    path = "/applications(uniqueName='ours')"
    assert cloud.graph("PATCH", path, body, Prefer="create-if-missing").status_code == 201
    assert cloud.graph("GET", path).status_code == 200
    assert code_of(cloud.graph("PATCH", path, {"tags": ["ours"]})) == (403, "Authorization_RequestDenied")
