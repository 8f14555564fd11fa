"""The clients of Azure Resource Manager, Microsoft Graph and Key Vault, on the worker's connections."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clients.connections import Connections, connections
from clients.credentials import automation_credential
from clients.remote_errors import RemoteError, answers_of
from clients.settings import settings
from peering.problems.remote_codes import Service
from peering.remote_answers import Answer

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.keyvault.secrets.aio import SecretClient
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
    from azure.mgmt.network.aio import NetworkManagementClient
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient


@asynccontextmanager
async def network(
    subscription_id: str,
    credential: "AsyncTokenCredential | None" = None,
    auxiliary: "AsyncTokenCredential | None" = None,
) -> AsyncIterator["NetworkManagementClient"]:
    """The network client of a subscription, as the app's own identity or as `credential`.

    With `auxiliary`, every request carries a second token in `x-ms-authorization-auxiliary`: that of the other tenant
    of a cross-tenant peering (learn.microsoft.com, "Authenticate requests across tenants").
    """
    cloud = settings().cloud
    with answers_of("Azure Resource Manager", cloud.resource_manager, "application" if credential else "automation"):
        if credential is None and auxiliary is None:
            yield connections().kept(("network", subscription_id), lambda: _network(subscription_id))
        else:
            yield _network(subscription_id, credential, auxiliary)


def _network(
    subscription_id: str,
    credential: "AsyncTokenCredential | None" = None,
    auxiliary: "AsyncTokenCredential | None" = None,
) -> "NetworkManagementClient":
    from azure.mgmt.core.policies import AsyncAuxiliaryAuthenticationPolicy
    from azure.mgmt.network.aio import NetworkManagementClient

    scope = settings().cloud.resource_manager_scope
    return NetworkManagementClient(
        credential or automation_credential(),
        subscription_id,
        per_retry_policies=[AsyncAuxiliaryAuthenticationPolicy([auxiliary], scope)] if auxiliary else [],
        **_resource_manager(own=credential is None),
    )


@asynccontextmanager
async def authorization(subscription_id: str) -> AsyncIterator["AuthorizationManagementClient"]:
    """The client for role definitions and role assignments of a subscription, as the app's own identity."""
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient

    def make() -> AuthorizationManagementClient:
        return AuthorizationManagementClient(automation_credential(), subscription_id, **_resource_manager(own=True))

    with answers_of("Azure Resource Manager", settings().cloud.resource_manager):
        yield connections().kept(("authorization", subscription_id), make)


def _resource_manager(*, own: bool) -> dict[str, Any]:
    """What the clients of Azure Resource Manager have in common, those of the app's own identity and others."""
    from clients.answers_in_json import AnswersInJson
    from clients.budgets_of_requests import SpendsBudgets

    cloud = settings().cloud
    return {
        "base_url": cloud.resource_manager,
        "credential_scopes": [cloud.resource_manager_scope],
        "per_call_policies": [SpendsBudgets(own=own), AnswersInJson()],
        **connections().of_the_sdks(),
    }


async def read_arm(subscription_id: str, path: str, api_version: str, *needed: str) -> dict[str, Any]:
    """What Azure Resource Manager holds at a path that no client of ours has a method for.

    Args:
        subscription_id: the subscription that the path is in.
        path: the resource.
        api_version: the version of its form.
        needed: the parts that an answer has to have, such as `properties.level`.

    Raises:
        RemoteError: it refused, did not answer, or left out a part.
    """
    from azure.core.rest import HttpRequest

    url = f"{settings().cloud.resource_manager}{path}?api-version={api_version}"
    async with authorization(subscription_id) as client:
        answer = await client._send_request(HttpRequest("GET", url))
        answer.raise_for_status()
        return _complete(answer.json(), needed)


async def read_graph(client: "GraphServiceClient", wanted: "RequestInformation", *needed: str) -> dict[str, Any]:
    """What Microsoft Graph answers to a request, as it is: to make its models takes longer than the request.

    Args:
        client: the client that the request was built with.
        wanted: the request.
        needed: the parts that an answer has to have.

    Raises:
        msgraph.generated.models.o_data_errors.o_data_error.ODataError: it refused.
        RemoteError: it left out a part, or its answer is no JSON.
    """
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    content: bytes | None = await client.request_adapter.send_primitive_async(wanted, "bytes", {"XXX": ODataError})
    try:
        found = json.loads(content or b"")
    except ValueError:
        found = None
    return _complete(found, needed, "Microsoft Graph", settings().cloud.graph)


def _complete(
    found: object, needed: Sequence[str], service: Service = "Azure Resource Manager", url: str | None = None
) -> dict[str, Any]:
    """What was found, if it has all parts that are needed."""
    host = urlsplit(url or settings().cloud.resource_manager).hostname
    if not isinstance(found, dict):
        raise RemoteError(Answer(service, host=host, status=200, is_readable=False))
    for part in needed:
        inner: object = found
        for name in part.split("."):
            inner = inner.get(name) if isinstance(inner, dict) else None
        if inner is None:
            raise RemoteError(Answer(service, host=host, status=200, is_readable=False))
    return found


async def list_arm(
    subscription_id: str, path: str, api_version: str, *needed: str, at_scope: bool = False
) -> list[dict[str, Any]]:
    """A list of Azure Resource Manager's that no client of ours has a method for: one call for each page.

    Args:
        subscription_id: the subscription that the path is in.
        path: the list.
        api_version: the version of its form.
        needed: the parts that each of its things has to have.
        at_scope: leave out what holds inside the scope alone.

    Raises:
        RemoteError: it refused, did not answer, or left out a part.
    """
    from azure.core.rest import HttpRequest

    query = f"api-version={api_version}" + ("&$filter=atScope()" if at_scope else "")
    url: str | None = f"{settings().cloud.resource_manager}{path}?{query}"
    found: list[dict[str, Any]] = []
    async with authorization(subscription_id) as client:
        while url:
            answer = await client._send_request(HttpRequest("GET", url))
            answer.raise_for_status()
            page = _complete(answer.json(), ["value"])
            found += [_complete(one, needed) for one in page["value"]]
            url = page.get("nextLink")
    return found


@asynccontextmanager
async def graph() -> AsyncIterator["GraphServiceClient"]:
    """The Microsoft Graph client, as the app's own identity. It does not retry: the orchestrator does."""
    from msgraph.graph_service_client import GraphServiceClient

    held = connections()
    held.graph = held.graph or _graph_adapter(held)
    with answers_of("Microsoft Graph", settings().cloud.graph):
        # Requests that are being built share the parameters of their client's paths: each user has a client.
        yield GraphServiceClient(request_adapter=held.graph)


def _graph_adapter(held: Connections) -> "GraphRequestAdapter":
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from kiota_http.middleware.options import RetryHandlerOption
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph_core import GraphClientFactory

    cloud = settings().cloud
    provider = AzureIdentityAuthenticationProvider(
        automation_credential(), scopes=[cloud.graph_scope], allowed_hosts=[cloud.graph.removeprefix("https://")]
    )
    client = GraphClientFactory.create_with_default_middleware(
        client=held.http("Microsoft Graph"),
        options={RetryHandlerOption.get_key(): RetryHandlerOption(should_retry=False)},
    )
    adapter = GraphRequestAdapter(provider, client=client)
    adapter.base_url = f"{cloud.graph}/v1.0"
    return adapter


@asynccontextmanager
async def secrets() -> AsyncIterator["SecretClient"]:
    """The client of the app's Key Vault, as the app's own identity."""
    from azure.keyvault.secrets.aio import SecretClient

    from clients.answers_in_json import AnswersInJson

    url = settings().cloud.vault_url(settings().key_vault_name)

    def make() -> SecretClient:
        return SecretClient(
            url, automation_credential(), per_call_policies=[AnswersInJson()], **connections().of_the_sdks()
        )

    with answers_of("Azure Key Vault", url):
        yield connections().kept(("secrets", url), make)
