"""A managed identity: its tokens come from the app's own endpoint only, and can stand in for a password."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity.aio import ClientAssertionCredential, ManagedIdentityCredential
from azure.mgmt.core.policies import AsyncAuxiliaryAuthenticationPolicy
from azure.mgmt.network.aio import NetworkManagementClient

from local.cloud.world.world import NETWORK_CONTRIBUTOR
from tests.cloud.callers import SCOPES, Callers, code_of

EXCHANGE = "api://AzureADTokenExchange"


def identity_token(cloud: Callers, resource: str, **changes: str) -> httpx.Response:
    """A request to the endpoint, with changes of its query or its header."""
    environment = cloud.cloud.environment
    header = changes.pop("header", environment["IDENTITY_HEADER"])
    query = {
        "api-version": "2019-08-01",
        "resource": resource,
        "client_id": environment["MANAGED_IDENTITY_CLIENT_ID"],
        **changes,
    }
    headers = {"X-IDENTITY-HEADER": header}
    return httpx.get(environment["IDENTITY_ENDPOINT"], params=query, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"header": "guess"}, 401),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 400),
        ({"client_id": ""}, 400),
        ({"api-version": "2017-09-01"}, 400),
        ({"resource": "https://example.com"}, 400),
    ],
)
def test_the_endpoint_is_strict(cloud: Callers, changes: dict[str, str], status: int) -> None:
    resource = changes.pop("resource", SCOPES["arm"])
    answer = identity_token(cloud, resource, **changes)
    assert answer.status_code == status
    if status == 200:
        assert set(answer.json()) >= {"access_token", "expires_on", "resource", "token_type", "client_id"}


def test_the_automation_identity_is_none_of_the_endpoints(cloud: Callers) -> None:
    assert identity_token(cloud, SCOPES["arm"], client_id=cloud.cloud.environment["AZURE_CLIENT_ID"]).status_code == 400


def test_it_has_the_rights_of_the_service_principal(cloud: Callers) -> None:
    for service, url in (("arm", "/subscriptions?api-version=2022-12-01"), ("graph", "/v1.0/applications")):
        token = identity_token(cloud, SCOPES[service]).json()["access_token"]
        answer = httpx.get(f"{SCOPES[service]}{url}", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, len(answer.json()["value"])) == (200, 1)


def test_entra_takes_it_as_no_client(cloud: Callers) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        cloud.token("arm", client_id=cloud.cloud.environment["MANAGED_IDENTITY_CLIENT_ID"], client_secret="any")
    assert refusal.value.response.json()["error_codes"] == [700016]


def test_a_password_is_no_way_to_an_assertion(cloud: Callers) -> None:
    application = cloud.cloud.world.application(cloud.establish().application_id)
    assert application
    assertion = cloud.token("arm", scope=f"{EXCHANGE}/.default")
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        cloud.token("arm", client_id=application.app_id, client_assertion=assertion)
    assert refusal.value.response.json()["error_codes"] == [700222]


def federated_application(cloud: Callers, **changes: object) -> str:
    """An application that trusts the managed identity, with a role on the VNet and a connection; its app id."""
    world, found = cloud.cloud.world, cloud.cloud.landscape
    made = cloud.establish()
    cloud.happen("delete-vnet-peering", vnet_id=cloud.vnet.id, remote_id=cloud.vpc.network.id)
    cloud.happen("remove-passwords", app_id=made.application_id)
    side = cloud.vpc.network.peerings[0]
    side.state = "Initiated"
    role = world.role(NETWORK_CONTRIBUTOR)
    assert role
    world.assign(world.guid(), cloud.vnet.id, role, made.user_principal_id)
    body = {
        "name": "app",
        "issuer": f"https://login.microsoftonline.com/{found.customer_tenant}/v2.0",
        "subject": found.managed_identity.id,
        "audiences": [EXCHANGE],
        **changes,
    }
    path = f"/applications(appId='{made.application_id}')/federatedIdentityCredentials"
    assert cloud.graph("POST", path, body).status_code == 201
    return made.application_id


async def put_peering(cloud: Callers, app_id: str) -> Any:  # noqa: ANN401 - a model of the SDK
    """Put the VNet peering as an application, with assertions of the managed identity for both tenants."""
    found, vnet = cloud.cloud.landscape, cloud.vnet
    client_id = cloud.cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
    async with ManagedIdentityCredential(client_id=client_id) as identity:
        assertion = (await identity.get_token(f"{EXCHANGE}/.default")).token
    async with (
        ClientAssertionCredential(found.customer_tenant, app_id, lambda: assertion) as ours,
        ClientAssertionCredential(found.platform_tenant, app_id, lambda: assertion) as theirs,
        NetworkManagementClient(
            ours,
            vnet.subscription_id,
            per_retry_policies=[AsyncAuxiliaryAuthenticationPolicy([theirs], f"{SCOPES['arm']}/.default")],
            retry_total=0,
            polling_interval=0,
        ) as client,
    ):
        body: Any = {"properties": {"remoteVirtualNetwork": {"id": cloud.vpc.network.id}}}
        poller = await client.virtual_network_peerings.begin_create_or_update(vnet.group, vnet.name, "ours", body)
        return await poller.result()


def test_an_application_without_a_password_puts_a_peering(cloud: Callers) -> None:
    made = asyncio.run(put_peering(cloud, federated_application(cloud)))
    assert str(made.peering_state.value) == "Connected"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"subject": "00000000-0000-4000-8000-000000000000"}, "AADSTS700213"),
        ({"issuer": "https://token.actions.githubusercontent.com"}, "AADSTS700211"),
        ({"audiences": ["api://another"]}, "AADSTS700212"),
    ],
)
def test_an_assertion_of_another_identity_is_refused(cloud: Callers, changes: dict[str, object], number: str) -> None:
    app_id = federated_application(cloud, **changes)
    with pytest.raises(ClientAuthenticationError, match=f"{number}:"):
        asyncio.run(put_peering(cloud, app_id))


def test_the_sdk_is_told_when_there_is_no_such_identity(cloud: Callers) -> None:
    async def ask() -> None:
        async with ManagedIdentityCredential(client_id="00000000-0000-4000-8000-000000000000") as identity:
            await identity.get_token(f"{SCOPES['arm']}/.default")

    with pytest.raises((ClientAuthenticationError, HttpResponseError), match="No User Assigned"):
        asyncio.run(ask())


def test_without_the_role_it_is_refused_as_any_other(cloud: Callers) -> None:
    token = identity_token(cloud, SCOPES["arm"]).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    url = f"{SCOPES['arm']}{cloud.vnet.id}/virtualNetworkPeerings/x?api-version=2026-03-01"
    answer = httpx.put(url, headers=headers, json={"properties": {"remoteVirtualNetwork": {"id": cloud.vnet.id}}})
    assert code_of(answer) == (403, "AuthorizationFailed")


def test_a_token_is_kept_for_a_day_and_shows_new_permissions_only_then(cloud: Callers) -> None:
    identity = cloud.cloud.landscape.managed_identity
    identity.graph_roles = []

    def ask() -> tuple[str, int]:
        token = identity_token(cloud, SCOPES["graph"]).json()["access_token"]
        answer = httpx.get(f"{SCOPES['graph']}/v1.0/applications", headers={"authorization": f"Bearer {token}"})
        return token, answer.status_code

    first = ask()
    assert first[1] == 403
    identity.graph_roles = ["Application.Read.All"]
    cloud.wait(3600)
    assert ask() == first
    cloud.wait(24 * 3600)
    assert ask()[1] == 200


def test_a_refusal_can_be_looked_up(cloud: Callers) -> None:
    refusal = identity_token(cloud, SCOPES["arm"], client_id="").json()
    assert str(uuid.UUID(refusal["correlationId"])) == refusal["correlationId"]


def test_that_nothing_fitted_an_assertion_is_remembered_for_a_while(cloud: Callers) -> None:
    cloud.knobs(federated_miss_kept=120)
    app_id = federated_application(cloud, subject=cloud.cloud.world.guid())
    application = cloud.cloud.world.application(app_id)
    assert application
    assertion = identity_token(cloud, EXCHANGE).json()["access_token"]
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": f"{SCOPES['arm']}/.default",
    }
    url = f"https://login.microsoftonline.com/{cloud.cloud.landscape.customer_tenant}/oauth2/v2.0/token"
    first = httpx.post(url, data=form)
    assert (first.status_code, first.json()["error"]) == (401, "invalid_client")
    application.federated[0].subject = cloud.cloud.landscape.managed_identity.id
    cloud.wait(119)
    assert httpx.post(url, data=form).status_code == 401
    cloud.wait(2)
    assert httpx.post(url, data=form).status_code == 200
