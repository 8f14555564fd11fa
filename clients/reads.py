"""Raw responses of Azure Resource Manager and Microsoft Graph: converting them to SDK models takes longer.

Requests go through the SDKs' own clients, with their credentials, policies and connections. A missing field is not an
absence: the response was unreadable, and the request is repeated.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from clients.azure import authorization, network
from clients.remote_errors import RemoteError
from clients.settings import settings
from peering.naming import VNetId
from peering.problems.remote_codes import Service
from peering.remote_answers import Answer

if TYPE_CHECKING:
    from azure.core.rest import AsyncHttpResponse, HttpRequest
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

#: An object as a remote service returns it.
Document = dict[str, Any]
#: A client's method that sends a request through its pipeline.
_Send = Callable[["HttpRequest"], Awaitable["AsyncHttpResponse"]]
#: The version of the network provider's forms, which azure-mgmt-network 33 writes as well.
_NETWORK_VERSION: Final = "2026-03-01"


async def read_arm(subscription_id: str, path: str, api_version: str, *needed: str) -> Document:
    """The object of Azure Resource Manager at a path, except for networks.

    Args:
        subscription_id: the subscription that the path is in.
        path: the resource.
        api_version: the version of its form.
        needed: the parts that an answer has to have, such as `properties.level`.

    Raises:
        RemoteError: it refused, did not answer, or left out a part.
    """
    async with authorization(subscription_id) as client:
        return complete(await _page(client._send_request, _url(path, api_version)), needed)


async def list_arm(
    subscription_id: str, path: str, api_version: str, *needed: str, only: str | None = None
) -> list[Document]:
    """A list of Azure Resource Manager, except of networks: one call for each page.

    Args:
        subscription_id: the subscription that the path is in.
        path: the list.
        api_version: the version of its form.
        needed: the parts that each of its items has to have.
        only: a filter of OData, such as `atScope()`, which excludes what is in force only below the scope.

    Raises:
        RemoteError: it refused, did not answer, or left out a part.
    """
    async with authorization(subscription_id) as client:
        return await _pages(client._send_request, _url(path, api_version, only), needed)


async def read_network(vnet: VNetId, below: str, *needed: str) -> Document:
    """A VNet, or what is below it, as the network provider shows it; the rest is as in `read_arm`."""
    async with network(vnet.subscription_id) as client:
        return complete(await _page(client.send_request, _url(f"{vnet}{below}", _NETWORK_VERSION)), needed)


async def list_network(vnet: VNetId, below: str, *needed: str) -> list[Document]:
    """A list below a VNet, as the network provider shows it; the rest is as in `list_arm`."""
    async with network(vnet.subscription_id) as client:
        return await _pages(client.send_request, _url(f"{vnet}{below}", _NETWORK_VERSION), needed)


def _url(path: str, api_version: str, only: str | None = None) -> str:
    query = {"api-version": api_version, **({"$filter": only} if only else {})}
    return f"{settings().cloud.resource_manager}{quote(path)}?{urlencode(query, quote_via=quote, safe='$')}"


async def _page(send: _Send, url: str) -> object:
    from azure.core.rest import HttpRequest

    answer = await send(HttpRequest("GET", url))
    answer.raise_for_status()
    return answer.json()


async def _pages(send: _Send, url: str, needed: Sequence[str]) -> list[Document]:
    found, left = list[Document](), url
    while left:
        page = complete(await _page(send, left), ["value"])
        if not isinstance(page["value"], list):
            raise _unreadable()
        found += [complete(one, needed) for one in page["value"]]
        left = page.get("nextLink") or ""
    return found


async def read_graph(client: "GraphServiceClient", wanted: "RequestInformation", *needed: str) -> Document:
    """The response of Microsoft Graph to a request.

    Args:
        client: the client that the request was built with.
        wanted: the request.
        needed: the parts that an answer has to have.

    Raises:
        msgraph.generated.models.o_data_errors.o_data_error.ODataError: it refused.
        RemoteError: it left out a part, or its answer is no JSON.
    """
    return _document_of_graph(await _content(client, wanted), needed)


async def upsert_graph(
    client: "GraphServiceClient", wanted: "RequestInformation", there: "RequestInformation", *needed: str
) -> Document:
    """The object after an upsert in Microsoft Graph; if it existed, the response has no content, so it is read.

    Args:
        client: the client that the requests were built with.
        wanted: the upsert.
        there: the request that reads the object.
        needed: the parts that an answer has to have.

    Raises:
        msgraph.generated.models.o_data_errors.o_data_error.ODataError: it refused.
        RemoteError: an answer left out a part, or is no JSON.
    """
    content = await _content(client, wanted)
    return _document_of_graph(content, needed) if content else await read_graph(client, there, *needed)


async def _content(client: "GraphServiceClient", wanted: "RequestInformation") -> bytes:
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    content: bytes | None = await client.request_adapter.send_primitive_async(wanted, "bytes", {"XXX": ODataError})
    return content or b""


def _document_of_graph(content: bytes, needed: Sequence[str]) -> Document:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    return complete(found, needed, "Microsoft Graph", settings().cloud.graph)


async def list_graph(client: "GraphServiceClient", kind: str, query: Mapping[str, str], *needed: str) -> list[Document]:
    """A list of Microsoft Graph: its first page.

    The SDK's own builders expand a template for each URL, which takes longer than the request.

    Args:
        client: the client to ask with.
        kind: what is listed, such as `applications`.
        query: options of OData.
        needed: the parts that each of its objects has to have.

    Raises:
        msgraph.generated.models.o_data_errors.o_data_error.ODataError: it refused.
        RemoteError: its answer cannot be read, or left out a part.
    """
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    wanted = RequestInformation(Method.GET)
    wanted.url = f"{client.request_adapter.base_url}/{kind}?{urlencode(query, quote_via=quote, safe='$')}"
    wanted.headers.try_add("Accept", "application/json")
    found = (await read_graph(client, wanted, "value"))["value"]
    return [complete(one, needed, "Microsoft Graph", settings().cloud.graph) for one in found]


def complete(
    found: object, needed: Sequence[str], service: Service = "Azure Resource Manager", url: str | None = None
) -> Document:
    """The object, if it has all required fields.

    Args:
        found: the response.
        needed: the parts, such as `properties.level`.
        service: the remote.
        url: its address, by default Azure Resource Manager's.

    Raises:
        RemoteError: a part is missing, or it is no object.
    """
    if not isinstance(found, dict):
        raise _unreadable(service, url)
    for part in needed:
        inner: object = found
        for name in part.split("."):
            inner = inner.get(name) if isinstance(inner, dict) else None
        if inner is None:
            raise _unreadable(service, url)
    return found


def _unreadable(service: Service = "Azure Resource Manager", url: str | None = None) -> RemoteError:
    host = urlsplit(url or settings().cloud.resource_manager).hostname
    return RemoteError(Answer(service, host=host, status=200, is_readable=False))
