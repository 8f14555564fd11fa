"""Who the app signs in as: its own identity for everything, the created application for the VNet peering alone."""

import asyncio
import time
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from clients.settings import Settings, settings
from peering.outcome import ProblemError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.identity.aio import ClientAssertionCredential, ClientSecretCredential

#: A token is renewed when it has less left than this, in seconds.
_MARGIN = 300

#: Connection faults are retried at once; waiting for anything else is the orchestrator's, with a durable timer.
TRANSPORT: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 30,
    "retry_connect": 2,
    "retry_read": 1,
    "retry_status": 0,
}


class _OpenCredential(Protocol):
    def __call__(self, given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]": ...


def _managed_identity(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    from azure.identity.aio import ManagedIdentityCredential

    client_id = str(given.azure_client_id) if given.azure_client_id else None
    return ManagedIdentityCredential(client_id=client_id, **TRANSPORT)


def _service_principal(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    if given.azure_client_secret is None:
        raise ProblemError("setting-invalid", "AZURE_CLIENT_SECRET is missing")
    proof = Proof(password=given.azure_client_secret.get_secret_value())
    return application_credential(str(given.azure_tenant_id), str(given.azure_client_id), proof)


def _azure_cli(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    from azure.identity.aio import AzureCliCredential

    return AzureCliCredential(tenant_id=str(given.azure_tenant_id or ""))


_KINDS: dict[str, _OpenCredential] = {
    "managed-identity": _managed_identity,
    "service-principal": _service_principal,
    "azure-cli": _azure_cli,
}


@dataclass(frozen=True)
class Proof:
    """What an application proves its identity with: a password, or a token of the identity that it trusts."""

    password: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def application_credential(
    tenant_id: str, application_id: str, proof: Proof
) -> "ClientSecretCredential | ClientAssertionCredential":
    """An application, signed in to one tenant; the caller closes it.

    A new object at each try is what the article calls logging in again: a cached token may predate the role.
    """
    from azure.identity.aio import ClientAssertionCredential, ClientSecretCredential

    authority = settings().cloud.authority
    if proof.password is not None:
        return ClientSecretCredential(tenant_id, application_id, proof.password, authority=authority, **TRANSPORT)
    assertion = proof.assertion or ""
    return ClientAssertionCredential(tenant_id, application_id, lambda: assertion, authority=authority, **TRANSPORT)


class AutomationCredential:
    """The app's own identity. Keeps its tokens, but no connection open between activities."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._asking: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        **options: Any,  # noqa: ANN401 - the protocol's
    ) -> "AccessToken":
        """An access token for the scopes, as `azure.core.credentials_async.AsyncTokenCredential` has it.

        Raises:
            azure.core.exceptions.ClientAuthenticationError: Entra refused the sign-in.
        """
        key = (*scopes, tenant_id or "")
        # Whoever needs the same token in the same moment waits for the one who asks for it.
        async with self._asking[key]:
            held = self._tokens.get(key)
            if claims is None and held is not None and held.expires_on - time.time() > _MARGIN:
                return held
            async with _KINDS[settings().azure_credential](settings()) as credential:
                token = await credential.get_token(*scopes, claims=claims, tenant_id=tenant_id, **options)
            self._tokens[key] = token
            return token

    def forget(self) -> None:
        """Drop all tokens: one of them may predate a right that has been granted since."""
        self._tokens.clear()

    async def close(self) -> None:
        """Nothing stays open."""

    async def __aenter__(self) -> "AutomationCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing stays open."""


@cache
def automation_credential() -> AutomationCredential:
    """The app's own identity, one for each worker process."""
    return AutomationCredential()
