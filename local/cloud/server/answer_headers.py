"""The headers that each service puts on every response: ids for its support, and the serving instance.

Their names are those of recorded answers of the real services; that of Aiven is assumed.
"""

from collections.abc import Callable
from typing import Any, Final

from local.cloud.server.wire import Headers, Request, Response
from local.cloud.world.world import World

_REGION: Final = "westeurope"
_VAULT_VERSION: Final = "1.9.2510.1"


def _arm(_: Request, __: Response, world: World) -> dict[str, str]:
    correlation = world.guid()
    stamp = world.now.strftime("%Y%m%dT%H%M%SZ")
    return {
        "x-ms-request-id": world.guid(),
        "x-ms-correlation-request-id": correlation,
        "x-ms-routing-request-id": f"{_REGION.upper()}:{stamp}:{correlation}",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def _graph(request: Request, response: Response, world: World) -> dict[str, str]:
    # An error names its request in its body, too.
    body: Any = response.body
    error = body.get("error") if isinstance(body, dict) else None
    inner = error.get("innerError", {}) if isinstance(error, dict) else {}
    request_id = str(inner.get("request-id") or world.guid())
    client = request.headers.get("client-request-id") or inner.get("client-request-id")
    return {"request-id": request_id, "client-request-id": str(client or request_id), "OData-Version": "4.0"}


def _vault(_: Request, __: Response, world: World) -> dict[str, str]:
    return {
        "x-ms-request-id": world.guid(),
        "x-ms-keyvault-region": _REGION,
        "x-ms-keyvault-service-version": _VAULT_VERSION,
        "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
    }


def _aiven(_: Request, __: Response, world: World) -> dict[str, str]:
    # Nothing that Aiven publishes names a header; this one is the most common.
    return {"x-request-id": world.guid()}


def _others(_: Request, __: Response, world: World) -> dict[str, str]:
    return {"x-ms-request-id": world.guid()}


_HEADERS: Final[dict[str, Callable[[Request, Response, World], dict[str, str]]]] = {
    "arm": _arm,
    "graph": _graph,
    "vault": _vault,
    "aiven": _aiven,
    "entra": _others,
    "table": _others,
}


def answer_headers(service: str | None, request: Request, response: Response, world: World) -> Headers:
    """A service's own headers for an answer; those that the answer has already come before them."""
    make = _HEADERS.get(service or "")
    return {**(make(request, response, world) if make else {}), **response.headers}
