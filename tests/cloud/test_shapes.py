"""Bodies and headers have the parts that recorded answers of the real services have, and no others in their place."""

import re

import httpx
import pytest

from tests.cloud.callers import Callers

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_an_arm_answer_can_be_traced(cloud: Callers) -> None:
    for path in (cloud.vnet.id, f"{cloud.vnet.id}-that-is-not-there"):
        headers = cloud.arm("GET", path).headers
        correlation = headers["x-ms-correlation-request-id"]
        assert _GUID.fullmatch(correlation)
        assert _GUID.fullmatch(headers["x-ms-request-id"])
        assert re.fullmatch(rf"WESTEUROPE:\d{{8}}T\d{{6}}Z:{correlation}", headers["x-ms-routing-request-id"])


@pytest.mark.parametrize(("knobs", "asked"), [({}, "10"), ({"retry_after": 3}, "3")])
def test_arm_asks_to_wait_for_an_operation_wherever_it_is_looked_at(
    cloud: Callers, knobs: dict[str, int], asked: str
) -> None:
    cloud.establish()
    cloud.knobs(operation=60, **knobs)
    (side,) = cloud.vnet.peerings
    scope = f"/subscriptions/{cloud.cloud.landscape.subscription}"
    me = cloud.cloud.landscape.automation.id
    cloud.happen("assign-role", principal_id=me, scope=scope, role="8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
    begun = cloud.arm("DELETE", side.id)
    assert (begun.status_code, begun.headers["retry-after"]) == (202, asked)
    under_way = [cloud.call("arm", "GET", begun.headers[name]) for name in ("azure-asyncoperation", "location")]
    assert [(one.status_code, one.headers["retry-after"]) for one in under_way] == [(200, asked), (202, asked)]
    assert under_way[1].headers["location"] == begun.headers["location"]
    cloud.wait(60)
    ended = [cloud.call("arm", "GET", begun.headers[name]) for name in ("azure-asyncoperation", "location")]
    assert [(one.status_code, "retry-after" in one.headers) for one in ended] == [(200, False), (200, False)]


def test_lists_come_in_pages_of_the_size_that_is_asked_for(cloud: Callers) -> None:
    cloud.establish()
    path = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments"
    whole = cloud.arm("GET", path).json()
    assert len(whole["value"]) > 2
    assert "nextLink" not in whole
    cloud.knobs(list_page=2)
    pages = [cloud.arm("GET", path).json()]
    while link := pages[-1].get("nextLink"):
        pages.append(cloud.call("arm", "GET", link).json())
    assert {len(page["value"]) for page in pages[:-1]} == {2}
    assert [one for page in pages for one in page["value"]] == whole["value"]
    for number in range(3):
        cloud.vault("PUT", f"/secrets/secret-{number}", {"value": "x"})
    first = cloud.vault("GET", "/secrets").json()
    assert (len(first["value"]), first["nextLink"] is None) == (2, False)


def test_a_networks_etag_changes_with_it_and_its_peerings(cloud: Callers) -> None:
    seen = list[str]()

    def look() -> None:
        answer = cloud.arm("GET", cloud.vnet.id)
        assert answer.json()["etag"] == answer.headers["etag"] == cloud.arm("GET", cloud.vnet.id).json()["etag"]
        seen.append(answer.headers["etag"])

    look()
    cloud.establish()
    look()
    cloud.happen("change-address-space", vnet_id=cloud.vnet.id, prefixes=["10.99.0.0/24"])
    look()
    cloud.happen("fail-vnet-peering", vnet_id=cloud.vnet.id, remote_id=cloud.vpc.network.id)
    look()
    assert len(set(seen)) == len(seen)
    assert cloud.vnet.guid not in "".join(seen)


def test_a_peerings_etag_changes_when_its_operation_ends(cloud: Callers) -> None:
    cloud.establish()
    (side,) = cloud.vnet.peerings
    side.provisioned_at = cloud.cloud.world.after(10)
    before = cloud.arm("GET", side.id)
    cloud.wait(10)
    after = cloud.arm("GET", side.id)
    assert before.json()["etag"] == before.headers["etag"] != after.headers["etag"] == after.json()["etag"]
    assert after.json()["etag"] == cloud.arm("GET", side.id).json()["etag"]


def test_networks_and_subscriptions_have_all_their_parts(cloud: Callers) -> None:
    cloud.establish()
    properties = cloud.arm("GET", cloud.vnet.id).json()["properties"]
    assert properties["privateEndpointVNetPolicies"] == "Disabled"
    assert properties["addressSpace"]["ipamPoolPrefixAllocations"] == []
    peering = properties["virtualNetworkPeerings"][0]["properties"]
    assert peering["remoteAddressSpace"]["ipamPoolPrefixAllocations"] == []
    (subscription,) = cloud.arm("GET", "/subscriptions").json()["value"]
    assert set(subscription["subscriptionPolicies"]) == {"locationPlacementId", "quotaId", "spendingLimit"}


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/applications", "applications"),
        ("/servicePrincipals", "servicePrincipals"),
        ("/applications?$select=id,appId", "applications(id,appId)"),
        ("/applications(appId='{app_id}')", "applications/$entity"),
        ("/servicePrincipals(appId='{app_id}')", "servicePrincipals/$entity"),
        ("/applications(appId='{app_id}')/federatedIdentityCredentials", "federatedIdentityCredentials"),
        ("/directory/deletedItems/microsoft.graph.application", "applications"),
        ("/organization", "organization"),
    ],
)
def test_a_graph_body_names_its_context_and_no_type_that_goes_without_saying(
    cloud: Callers, path: str, context: str
) -> None:
    answer = cloud.graph("GET", path.format(app_id=cloud.establish().application_id))
    assert answer.status_code == 200, answer.text
    assert answer.json()["@odata.context"].startswith("https://graph.microsoft.com/v1.0/$metadata#")
    assert answer.json()["@odata.context"].endswith(context)
    assert "@odata.type" not in answer.text


def test_what_could_be_any_object_says_what_it_is(cloud: Callers) -> None:
    made = cloud.establish()
    (found,) = cloud.graph("POST", "/directoryObjects/getByIds", {"ids": [made.user_principal_id]}).json()["value"]
    assert found["@odata.type"] == "#microsoft.graph.servicePrincipal"


def test_applications_and_principals_have_all_their_parts(cloud: Callers) -> None:
    made = cloud.establish()
    application = cloud.graph("GET", f"/applications/{made.application_object_id}").json()
    assert {"api", "spa", "publicClient", "publisherDomain", "notes", "addIns", "optionalClaims"} <= set(application)
    principal = cloud.graph("GET", f"/servicePrincipals/{made.user_principal_id}").json()
    assert {"appRoles", "replyUrls", "homepage", "appRoleAssignmentRequired", "signInAudience"} <= set(principal)


def test_a_graph_answer_repeats_the_clients_own_id(cloud: Callers) -> None:
    answer = cloud.graph("GET", "/applications", **{"client-request-id": "mine"})
    assert (answer.headers["client-request-id"], answer.headers["odata-version"]) == ("mine", "4.0")
    refusal = cloud.graph("GET", "/applications/00000000-0000-4000-8000-000000000000")
    assert refusal.json()["error"]["innerError"]["request-id"] == refusal.headers["request-id"]


def test_a_secret_without_a_content_type_has_none_and_its_vault_says_where_it_is(cloud: Callers) -> None:
    answer = cloud.vault("PUT", "/secrets/plain", {"value": "x"})
    assert "contentType" not in answer.json()
    assert {"x-ms-keyvault-region", "x-ms-keyvault-service-version", "x-ms-request-id"} <= set(answer.headers)
    assert cloud.vault("PUT", "/secrets/plain", {"value": "x", "contentType": "t"}).json()["contentType"] == "t"


def test_a_strained_sign_in_server_says_so_in_its_own_words(cloud: Callers) -> None:
    cloud.knobs(faults=[{"host": "login.microsoftonline.com", "status": 503}])
    url = f"https://login.microsoftonline.com/{cloud.cloud.landscape.customer_tenant}/oauth2/v2.0/token"
    body = httpx.post(url).json()
    assert (body["error"], body["error_codes"]) == ("temporarily_unavailable", [90033])
    assert body["error_description"].startswith("AADSTS90033: ")
