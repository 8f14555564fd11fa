"""The clients of Azure Resource Manager, Microsoft Graph and Key Vault, on the worker's connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from clients.connections import connections, to_one_host
from clients.credentials import automation_credential
from clients.remote_errors import answers_of
from clients.settings import settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.keyvault.secrets.aio import SecretClient
    from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
    from azure.mgmt.network.aio import NetworkManagementClient
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
            key = ("network", subscription_id, to_one_host())
            yield connections().clients.get(key, lambda: _network(subscription_id))
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
        yield connections().clients.get(("authorization", subscription_id, to_one_host()), make)


def _resource_manager(*, own: bool) -> dict[str, Any]:
    """The options of all clients of Azure Resource Manager, for the app's own identity and others."""
    from clients.answers_in_json import AnswersInJson
    from clients.budgets_of_requests import SpendsBudgets
    from clients.fenced_requests import Fenced

    cloud = settings().cloud
    return {
        "base_url": cloud.resource_manager,
        "credential_scopes": [cloud.resource_manager_scope],
        "per_call_policies": [Fenced(), SpendsBudgets(own=own), AnswersInJson()],
        **connections().of_the_sdks(to_one_host()),
    }


@asynccontextmanager
async def graph() -> AsyncIterator["GraphServiceClient"]:
    """The Microsoft Graph client, as the app's own identity. It does not retry: the orchestrator does."""
    from msgraph.graph_service_client import GraphServiceClient

    held = connections()
    held.graph = held.graph or _graph_adapter()
    with answers_of("Microsoft Graph", settings().cloud.graph):
        # Requests that are being built share the parameters of their client's paths: each user has a client.
        yield GraphServiceClient(request_adapter=held.graph)


def _graph_adapter() -> "GraphRequestAdapter":
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from kiota_http.middleware.options import RetryHandlerOption
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph_core import GraphClientFactory

    from clients.lean_entities import read_entities_lean
    from clients.leaving_client import http_client

    read_entities_lean()
    cloud = settings().cloud
    provider = AzureIdentityAuthenticationProvider(
        automation_credential(), scopes=[cloud.graph_scope], allowed_hosts=[cloud.graph.removeprefix("https://")]
    )
    client = GraphClientFactory.create_with_default_middleware(
        client=http_client("Microsoft Graph"),
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
    from clients.fenced_requests import Fenced

    url = settings().cloud.vault_url(settings().key_vault_name)

    def make() -> SecretClient:
        policies = [Fenced(), AnswersInJson()]
        own = connections().of_the_sdks(to_one_host())
        return SecretClient(url, automation_credential(), per_call_policies=policies, **own)

    with answers_of("Azure Key Vault", url):
        yield connections().clients.get(("secrets", url, to_one_host()), make)
