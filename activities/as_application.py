"""Clients of the created application: signed in to the customer's tenant, and to the platform's if needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from activities.looks.ahead import ahead, begun
from activities.looks.remotes import tenant_of
from activities.proofs import kept_proof
from clients.azure import network
from clients.connections import connections
from clients.credentials import ApplicationCredential, application_credential
from clients.settings import settings
from peering.facts import Facts
from peering.naming import VNetId
from peering.outcome import ProblemError
from peering.spec import Credential

if TYPE_CHECKING:
    from azure.mgmt.network.aio import NetworkManagementClient


def signing_in(facts: Facts) -> AbstractAsyncContextManager[None]:
    """Begin to sign in to both tenants, for a request that may be needed within.

    Args:
        facts: name the application, its credential and the tenants.
    """
    return begun([(_signed_in, _who(facts))] if facts["to_tenant_id"] else [])


@asynccontextmanager
async def as_application(facts: Facts, vnet_id: VNetId) -> "AsyncIterator[NetworkManagementClient]":
    """The network client as the created application, in the customer's tenant alone.

    Args:
        facts: name the application, its credential and the tenant.
        vnet_id: the VNet.

    Raises:
        RemoteError: the sign-in was refused, or a request of the client's; the application then signs in again.
    """
    async with _forgotten_if_refused(facts):
        (ours,) = await _signed_in(*_who({**facts, "to_tenant_id": None}))
        async with network(vnet_id.subscription_id, ours) as client:
            yield client


@asynccontextmanager
async def as_application_in_both(facts: Facts, vnet_id: VNetId) -> "AsyncIterator[NetworkManagementClient]":
    """The same, also with a token of the platform's tenant.

    Raises:
        ProblemError: `peer-network-unknown`, when neither Aiven nor Azure names the platform's tenant.
        RemoteError: as above.
    """
    if facts["to_tenant_id"] is None:
        facts = {**facts, "to_tenant_id": await _tenant_behind(facts["to_network_id"])}
    async with _forgotten_if_refused(facts):
        ours, theirs = await ahead(_signed_in, *_who(facts))
        async with network(vnet_id.subscription_id, ours, auxiliary=theirs) as client:
            yield client


async def _tenant_behind(network_id: str) -> str:
    """The tenant of the platform's network: Aiven may not name it any more once a connection is ACTIVE."""
    found = await tenant_of(VNetId.parse(network_id).subscription_id)
    if found is None:
        raise ProblemError("peer-network-unknown", "Aiven does not name the platform's tenant.")
    return found


@asynccontextmanager
async def _forgotten_if_refused(facts: Facts) -> AsyncIterator[None]:
    """A rejected token may predate a right, and a rejected password may be removed."""
    try:
        yield
    except Exception:  # any exception is re-raised unchanged
        connections().sign_ins.forget(facts["application_id"])
        # A federated credential has no secret.
        if (secret := facts["secret_name"]) is not None:
            connections().sign_ins.forget(secret)
        raise


def _who(facts: Facts) -> tuple[str, ...]:
    who = (facts["application_id"], facts["credential"], facts["secret_name"], facts["secret_version"])
    return tuple(name or "" for name in (*who, facts["tenant_id"], facts["to_tenant_id"]))


async def _signed_in(
    application_id: str, credential: str, name: str, version: str, home: str, *others: str
) -> list[ApplicationCredential]:
    """The application signed in to each tenant that is named; each credential keeps its token."""
    kind: Credential = "federated" if credential == "federated" else "secret"
    proof = await kept_proof({"credential": kind, "secret_name": name, "secret_version": version})
    held = [
        application_credential(tenant, application_id, proof, at_home=tenant == home)
        for tenant in (home, *others)
        if tenant
    ]
    scope = settings().cloud.resource_manager_scope
    await asyncio.gather(*(one.get_token(scope) for one in held))
    return held
