"""Looks at applications and service principals in Entra, fifteen to a call where the tenant allows lists."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from clients.azure import graph
from clients.remote_errors import or_none
from peering.look import ApplicationLook, PrincipalLook
from peering.marks import MARK

if TYPE_CHECKING:
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.service_principal import ServicePrincipal
    from msgraph.graph_service_client import GraphServiceClient

_Thing = TypeVar("_Thing")
_FORBIDDEN: Final = 403
#: How many values Microsoft Graph takes in one `in` filter.
_IN_ONE_FILTER: Final = 15


async def applications(application_ids: Sequence[str]) -> dict[str, ApplicationLook]:
    """The applications that exist of these, by application id: one call for every fifteen."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder as Builder

    query = Builder.ApplicationsRequestBuilderGetQueryParameters

    async def listed(client: "GraphServiceClient", ids: Sequence[str]) -> "Sequence[Application]":
        wanted = query(
            filter=_one_of("appId", ids),
            select=["id", "appId", "uniqueName", "signInAudience", "passwordCredentials"],
            expand=["federatedIdentityCredentials"],
        )
        answer = await client.applications.get(RequestConfiguration(query_parameters=wanted))
        return (answer and answer.value) or []

    async def single(client: "GraphServiceClient", one: str) -> "Application | None":
        found = await client.applications_with_app_id(one).get()
        if found is not None and found.id is not None:
            by_id = client.applications.by_application_id(found.id)
            credentials = await by_id.federated_identity_credentials.get()
            found.federated_identity_credentials = credentials.value if credentials else None
        return found

    looks = [application_look(found) for found in await _all(application_ids, listed, single)]
    return {look["application_id"].lower(): look for look in looks}


def application_look(application: "Application") -> ApplicationLook:
    """An application as a look holds it."""
    return ApplicationLook(
        application_id=application.app_id or "",
        object_id=application.id or "",
        unique_name=application.unique_name,
        audience=application.sign_in_audience or "",
        passwords={
            str(password.key_id): password.end_date_time.isoformat() if password.end_date_time else None
            for password in application.password_credentials or []
        },
        federated=[f.name or "" for f in application.federated_identity_credentials or []],
    )


async def principals(application_ids: Sequence[str]) -> dict[str, PrincipalLook]:
    """The service principals of these applications in the customer's tenant, by application id."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.service_principals.service_principals_request_builder import (
        ServicePrincipalsRequestBuilder as Builder,
    )

    query = Builder.ServicePrincipalsRequestBuilderGetQueryParameters

    async def listed(client: "GraphServiceClient", ids: Sequence[str]) -> "Sequence[ServicePrincipal]":
        wanted = query(filter=_one_of("appId", ids), select=["id", "appId", "accountEnabled", "tags"])
        answer = await client.service_principals.get(RequestConfiguration(query_parameters=wanted))
        return (answer and answer.value) or []

    async def single(client: "GraphServiceClient", one: str) -> "ServicePrincipal | None":
        return await client.service_principals_with_app_id(one).get()

    looks = [principal_look(found) for found in await _all(application_ids, listed, single)]
    return {look["application_id"].lower(): look for look in looks}


def principal_look(principal: "ServicePrincipal") -> PrincipalLook:
    """A service principal as a look holds it."""
    return PrincipalLook(
        id=principal.id or "",
        application_id=principal.app_id or "",
        enabled=principal.account_enabled is not False,
        marked=MARK in (principal.tags or []),
    )


async def _all(
    ids: Sequence[str],
    listed: "Callable[[GraphServiceClient, Sequence[str]], Awaitable[Sequence[_Thing]]]",
    single: "Callable[[GraphServiceClient, str], Awaitable[_Thing | None]]",
) -> list[_Thing]:
    """Directory objects by their application ids, fifteen to a call.

    Where a tenant does not let an identity with Application.ReadWrite.OwnedBy list them, each is asked for by its key.
    """
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    async def alone(one: str) -> _Thing | None:
        # What is asked for at the same time has a client each: the parameters of a client's paths are shared.
        async with graph() as client:
            return await single(client, one)

    found: list[_Thing] = []
    async with graph() as client:
        for start in range(0, len(ids), _IN_ONE_FILTER):
            some = ids[start : start + _IN_ONE_FILTER]
            try:
                found += await listed(client, some)
            except ODataError as error:
                if error.response_status_code != _FORBIDDEN:
                    raise
                singles = await asyncio.gather(*(or_none(alone(one)) for one in some))
                found += [one for one in singles if one is not None]
    return found


def _one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({','.join(repr(value) for value in values)})"
