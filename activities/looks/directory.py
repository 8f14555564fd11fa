"""Looks at applications and service principals in Entra, fifteen to a call where the tenant allows lists."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from clients.azure import graph
from clients.reads import complete, list_graph, read_graph
from clients.remote_errors import or_none
from clients.settings import settings
from peering.look import ApplicationLook, PrincipalLook
from peering.marks import MARK

if TYPE_CHECKING:
    from msgraph.graph_service_client import GraphServiceClient

#: A directory object, as Microsoft Graph answers.
_Found = dict[str, Any]
_FORBIDDEN: Final = 403
#: How many values Microsoft Graph takes in one `in` filter.
_IN_ONE_FILTER: Final = 15


async def applications(application_ids: Sequence[str]) -> dict[str, ApplicationLook]:
    """The applications that exist of these, by application id: one call for every fifteen."""
    columns = {
        "$expand": "federatedIdentityCredentials",
        "$select": "id,appId,displayName,uniqueName,signInAudience,passwordCredentials",
    }
    needed = ("id", "appId", "passwordCredentials")

    async def single(client: "GraphServiceClient", one: str) -> _Found:
        found = await read_graph(client, client.applications_with_app_id(one).to_get_request_information(), *needed)
        by_id = client.applications.by_application_id(found["id"]).federated_identity_credentials
        credentials = await read_graph(client, by_id.to_get_request_information(), "value")
        return {**found, "federatedIdentityCredentials": credentials["value"]}

    found = await _all(application_ids, "applications", columns, (*needed, "federatedIdentityCredentials"), single)
    # A password without an id cannot have been read.
    for password in (one for application in found for one in application["passwordCredentials"]):
        complete(password, ["keyId"], "Microsoft Graph", settings().cloud.graph)
    looks = [application_look(one) for one in found]
    return {look["application_id"].lower(): look for look in looks}


def application_look(application: _Found) -> ApplicationLook:
    """An application, as Microsoft Graph answers, as a look holds it."""
    return ApplicationLook(
        application_id=application["appId"],
        object_id=application["id"],
        name=application.get("displayName"),
        unique_name=application.get("uniqueName"),
        audience=application.get("signInAudience") or "",
        passwords={
            str(password.get("keyId")): _moment(password.get("endDateTime"))
            for password in application["passwordCredentials"]
        },
        password_names=[password.get("displayName") or "" for password in application["passwordCredentials"]],
        federated=[one.get("name") or "" for one in application["federatedIdentityCredentials"]],
    )


def _moment(text: str | None) -> str | None:
    return datetime.fromisoformat(text).isoformat() if text else None


async def principals(application_ids: Sequence[str]) -> dict[str, PrincipalLook]:
    """The service principals of these applications in the customer's tenant, by application id."""
    columns, needed = {"$select": "id,appId,accountEnabled,tags"}, ("id", "appId", "tags")

    async def single(client: "GraphServiceClient", one: str) -> _Found:
        wanted = client.service_principals_with_app_id(one).to_get_request_information()
        return await read_graph(client, wanted, *needed)

    found = await _all(application_ids, "servicePrincipals", columns, needed, single)
    looks = [principal_look(one) for one in found]
    return {look["application_id"].lower(): look for look in looks}


def principal_look(principal: _Found) -> PrincipalLook:
    """A service principal, as Microsoft Graph answers, as a look holds it."""
    return PrincipalLook(
        id=principal["id"],
        application_id=principal["appId"],
        enabled=principal.get("accountEnabled") is not False,
        marked=MARK in principal["tags"],
    )


async def _all(
    ids: Sequence[str],
    kind: str,
    columns: Mapping[str, str],
    needed: Sequence[str],
    single: "Callable[[GraphServiceClient, str], Awaitable[_Found]]",
) -> list[_Found]:
    """Directory objects of a kind by their application ids, fifteen to a call.

    If the tenant does not let an identity with Application.ReadWrite.OwnedBy list them, each is read by its key.
    """
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    async def alone(one: str) -> _Found:
        # Concurrent requests have a client each: the parameters of a client's paths are shared.
        async with graph() as client:
            return await single(client, one)

    found: list[_Found] = []
    async with graph() as client:
        for start in range(0, len(ids), _IN_ONE_FILTER):
            some = ids[start : start + _IN_ONE_FILTER]
            try:
                found += await list_graph(client, kind, {"$filter": _one_of("appId", some), **columns}, *needed)
            except ODataError as error:
                if error.response_status_code != _FORBIDDEN:
                    raise
                singles = await asyncio.gather(*(or_none(alone(one)) for one in some))
                found += [one for one in singles if one is not None]
    return found


def _one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({','.join(repr(value) for value in values)})"
