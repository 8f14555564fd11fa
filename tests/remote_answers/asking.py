"""A call to each service by the app's own clients, as one of its identities."""

import os
from collections.abc import Awaitable, Callable
from typing import Final

from clients.aiven_vpcs import vpc_client
from clients.azure import graph, secrets
from clients.credentials import ApplicationCredential, Proof, automation_credential
from clients.reads import read_arm
from clients.registry.tables import Registry, table_service
from clients.settings import settings
from peering.aiven_vpc import AivenVpc
from peering.problems.remote_codes import Identity, Service

_NOBODY: Final = "00000000-0000-4000-8000-000000000000"


async def _arm(_: Identity) -> object:
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    return await read_arm(subscription, f"/subscriptions/{subscription}", "2022-12-01")


async def _graph(_: Identity) -> object:
    async with graph() as client:
        return await client.applications.get()


async def _vault(_: Identity) -> object:
    async with secrets() as vault:
        return await vault.get_secret("secret")


async def _table(_: Identity) -> object:
    async with table_service() as service:
        return await Registry(service).record(_NOBODY)


async def _aiven(_: Identity) -> object:
    return await vpc_client(AivenVpc("project", "project", _NOBODY)).read()


async def _entra(identity: Identity) -> object:
    scope = settings().cloud.resource_manager_scope
    if identity == "automation":
        automation_credential().forget()
        return await automation_credential().get_token(scope)
    async with ApplicationCredential(
        os.environ["AZURE_TENANT_ID"], _NOBODY, Proof(password="p"), at_home=False
    ) as credential:
        return await credential.get_token(scope)


#: By service: its hosts, and the call.
ASK: Final[dict[Service, tuple[str, Callable[[Identity], Awaitable[object]]]]] = {
    "Azure Resource Manager": (r"management\.azure\.com", _arm),
    "Microsoft Graph": (r"graph\.microsoft\.com", _graph),
    "Entra ID": (r"login\.microsoftonline\.com", _entra),
    "Azure Key Vault": (r".*\.vault\.azure\.net", _vault),
    "Azure Table Storage": (r".*\.table\.core\.windows\.net", _table),
    "Aiven": (r"api\.aiven\.io", _aiven),
}
