"""How much of Microsoft Graph an application may use: resource units, and writes beside them.

Costs, limits and headers are those of Graph's page on the throttling limits of identity and access; the text is that
of public error reports. An application's limits over all tenants are left out: with two tenants no one reaches them.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from local.cloud.entra import Caller
from local.cloud.graph.errors import graph_error
from local.cloud.server.throttle import Draw, Limit, TokenBuckets
from local.cloud.server.wire import ApiError, Headers, Request
from local.cloud.world.world import World


class _Read(NamedTuple):
    """A read that costs more than one unit, and what it costs with `$select`; one by POST is no write."""

    method: str
    path: re.Pattern[str]
    units: int
    selecting: int


_READS: Final = (
    _Read("GET", re.compile(r"/v1\.0/applications", re.IGNORECASE), 2, 1),
    _Read("POST", re.compile(r"/v1\.0/directoryObjects/getByIds", re.IGNORECASE), 5, 2),
)
_SMALL_PAGE: Final = 20
#: The units that an application may use in ten seconds, by the tenant's size: under 50 users, up to 500, more.
_UNITS: Final = {"S": 3_500, "M": 5_000, "L": 8_000}
_SIZES: Final = {"S": "small", "M": "medium", "L": "large"}
_UNIT_SECONDS: Final = 10


@dataclass(frozen=True)
class _Quota:
    """So many units or writes in so many seconds, for whom and for which requests in the words of Graph's header."""

    scope: Literal["Tenant_Application", "Tenant"]
    requests: Literal["ReadWrite", "Write"]
    most: int
    seconds: int

    def draw(self, caller: Caller, units: int) -> Draw:
        """What a request of a caller takes: units, or one write."""
        whose = (caller.tenant_id,) if self.scope == "Tenant" else (caller.app_id, caller.tenant_id)
        limit = Limit(self.most, self.most / self.seconds)
        return Draw((self.scope, self.requests, *whose), limit, units if self.requests == "ReadWrite" else 1)


_WRITES: Final = (_Quota("Tenant_Application", "Write", 3_000, 150), _Quota("Tenant", "Write", 18_000, 300))
#: What is exceeded, as a header says it.
_EXCEEDED: Final = {"ReadWrite": "ResourceUnitLimitExceeded", "Write": "WriteLimitExceeded"}


class GraphThrottle:
    """The buckets of applications in tenants, and of tenants."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buckets = TokenBuckets()

    def admit(self, request: Request, caller: Caller) -> Headers:
        """Let a request through that the limits leave room for; without the knob `graph_tenant_size` they always do.

        A request that is not let through takes nothing.

        Returns:
            The header that tells what it costs.

        Raises:
            ApiError: 429.
        """
        units, size = resource_units(request), self._world.knobs.graph_tenant_size
        if size is not None:
            quotas = [_Quota("Tenant_Application", "ReadWrite", _UNITS[size], _UNIT_SECONDS)]
            quotas += _WRITES if _is_write(request) else ()
            lacking = self._buckets.take(self._world.now, [quota.draw(caller, units) for quota in quotas])
            if lacking is not None:
                raise _throttled(*lacking, caller, size)
        return {"x-ms-resource-unit": str(units)}


def resource_units(request: Request) -> int:
    """What a request costs: as much as its route does, changed by its query, and one unit at least."""
    read = _costly_read(request)
    units, selecting = (read.units, read.selecting) if read is not None else (1, 1)
    top = request.query.get("$top", "")
    less = top.isdecimal() and int(top) < _SMALL_PAGE
    return max(1, (selecting if "$select" in request.query else units) + ("$expand" in request.query) - less)


def _costly_read(request: Request) -> _Read | None:
    return next((read for read in _READS if read.method == request.method and read.path.fullmatch(request.path)), None)


def _is_write(request: Request) -> bool:
    return request.method not in ("GET", "HEAD") and _costly_read(request) is None


def _throttled(lacking: Draw, wait: int, caller: Caller, size: str) -> ApiError:
    scope, requests, *whose = lacking.bucket
    text = (
        f"Too many requests from Identifier:{'+'.join(whose)} under category:aadgraph.app.tenant_{_SIZES[size]}."
        " Please try again later."
    )
    headers = {
        "Retry-After": str(wait),
        "x-ms-throttle-scope": f"{scope}/{requests}/{caller.app_id}/{caller.tenant_id}",
        "x-ms-throttle-information": _EXCEEDED[requests],
    }
    return ApiError(graph_error(429, "TooManyRequests", text).response.with_headers(headers))
