"""The app's identities: its own identity for everything, the created application only for the VNet peering."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from clients.connections import TO_SIGN_IN, connections
from clients.remote_errors import signing_in
from clients.settings import Settings, settings
from peering.outcome import ProblemError
from peering.problems.remote_codes import Service
from peering.remote_answers import SignIn

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

#: A token is renewed if its remaining lifetime is shorter than this, in seconds.
_MARGIN = 300


class _OpenCredential(Protocol):
    def __call__(self, given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]": ...


def _managed_identity(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    from azure.identity.aio import ManagedIdentityCredential

    client_id = str(given.azure_client_id) if given.azure_client_id else None
    return ManagedIdentityCredential(client_id=client_id, **connections().of_the_sdks(TO_SIGN_IN))


def _service_principal(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    if given.azure_client_secret is None:
        raise ProblemError("setting-invalid", "AZURE_CLIENT_SECRET is missing")
    from azure.identity.aio import ClientSecretCredential

    tenant, client, secret = str(given.azure_tenant_id), str(given.azure_client_id), given.azure_client_secret
    return ClientSecretCredential(
        tenant,
        client,
        secret.get_secret_value(),
        authority=given.cloud.authority,
        **connections().of_the_sdks(TO_SIGN_IN),
    )


def _azure_cli(given: Settings) -> "AbstractAsyncContextManager[AsyncTokenCredential]":
    from azure.identity.aio import AzureCliCredential

    longest = ceil(given.read_timeout_seconds)
    return AzureCliCredential(tenant_id=str(given.azure_tenant_id or ""), process_timeout=longest)


_KINDS: dict[str, _OpenCredential] = {
    "managed-identity": _managed_identity,
    "service-principal": _service_principal,
    "azure-cli": _azure_cli,
}


def _entra(given: Settings) -> tuple[Service, str]:
    return "Entra ID", given.cloud.authority


#: The issuer of tokens for each kind of identity, and its address.
_ISSUERS: dict[str, Callable[[Settings], tuple[Service, str]]] = {
    "managed-identity": lambda _: ("the managed identity endpoint", os.environ.get("IDENTITY_ENDPOINT", "")),
    "service-principal": _entra,
    "azure-cli": lambda _: ("the Azure CLI", ""),
}


def _named(given: Settings) -> str:
    return f" {given.azure_client_id}" if given.azure_client_id else ""


def _tenant(given: Settings) -> str | None:
    return str(given.azure_tenant_id) if given.azure_tenant_id else None


@dataclass(frozen=True)
class Proof:
    """The credential of an application: a password, or a token of the identity that it trusts."""

    password: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


class ApplicationCredential:
    """The created application, signed in to one tenant. Keeps its token.

    A new object is what the article calls logging in again: a cached token may predate the role.
    """

    def __init__(self, tenant_id: str, application_id: str, proof: Proof, *, at_home: bool) -> None:
        from azure.identity.aio import ClientAssertionCredential, ClientSecretCredential

        self._sign_in = SignIn(f"The application {application_id}", tenant_id, at_home=at_home)
        given: dict[str, Any] = {"authority": settings().cloud.authority, **connections().of_the_sdks(TO_SIGN_IN)}
        self._credential: ClientSecretCredential | ClientAssertionCredential
        if proof.password is not None:
            self._credential = ClientSecretCredential(tenant_id, application_id, proof.password, **given)
        else:
            assertion = proof.assertion or ""
            self._credential = ClientAssertionCredential(tenant_id, application_id, lambda: assertion, **given)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: object,
    ) -> "AccessToken":
        """An access token for the scopes, as `azure.core.credentials_async.AsyncTokenCredential` has it.

        Raises:
            RemoteError: Entra refused the sign-in, or did not answer.
        """
        with signing_in(self._sign_in, "Entra ID", settings().cloud.authority, "application"):
            return await self._credential.get_token(*scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)

    async def close(self) -> None:
        """Close its connections."""
        await self._credential.close()

    async def __aenter__(self) -> "ApplicationCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def application_credential(
    tenant_id: str, application_id: str, proof: Proof, *, at_home: bool
) -> ApplicationCredential:
    """The created application, signed in to one tenant: the worker keeps it with its token, until it is forgotten.

    Args:
        tenant_id: the tenant.
        application_id: the application.
        proof: what it signs in with.
        at_home: whether the tenant is the application's own one.
    """
    key = ("application", application_id, tenant_id, proof)
    return connections().sign_ins.get(
        key, lambda: ApplicationCredential(tenant_id, application_id, proof, at_home=at_home)
    )


class AutomationCredential:
    """The app's own identity. Keeps its tokens."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._asking: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: object,
    ) -> "AccessToken":
        """An access token for the scopes, as `azure.core.credentials_async.AsyncTokenCredential` has it.

        Raises:
            RemoteError: the sign-in was refused, or there was no response.
        """
        key = (*scopes, tenant_id or "")
        # Concurrent callers that need the same token wait for the first one's request.
        async with self._asking[key]:
            held = self._tokens.get(key)
            if claims is None and held is not None and held.expires_on - time.time() > _MARGIN:
                return held
            kind = settings().azure_credential
            who = f"The app's own identity ({kind}{_named(settings())})"
            service, url = _ISSUERS[kind](settings())
            with signing_in(SignIn(who, tenant_id or _tenant(settings())), service, url, "automation"):
                async with _KINDS[kind](settings()) as credential:
                    token = await credential.get_token(
                        *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae
                    )
            self._tokens[key] = token
            return token

    def forget(self) -> None:
        """Drop all tokens: one of them may predate a right that has been granted since."""
        self._tokens.clear()
        connections().clients.forget()

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
