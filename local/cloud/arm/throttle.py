"""How many requests Azure Resource Manager takes, and of those its network provider.

The figures are those of Azure's page on request limits; headers and texts follow recorded answers and public error
reports. All resources are in one region here, so each limit of a region is one.
"""

from collections import defaultdict
from typing import Final

from local.cloud.entra import Caller
from local.cloud.server.throttle import Draw, Limit, Throttle, TokenBuckets
from local.cloud.server.wire import ApiError, Headers, Request, Response
from local.cloud.world.world import World, subscription_of

#: What a request counts as by its method; all others count as writes.
_KINDS: Final = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_LIMITS: Final = {"reads": Limit(250, 25), "writes": Limit(200, 10), "deletes": Limit(200, 10)}
#: All principals of a subscription together have so many times the limit of one.
_GLOBAL: Final = 15
_NETWORK: Final = "/providers/microsoft.network/"
_NETWORK_SECONDS: Final = 300
#: How many requests of a subscription the network provider takes in that time; it counts deletions as writes.
_NETWORK_LIMITS: Final = {"reads": 10_000, "writes": 1_000}


class ArmThrottle:
    """The buckets of principals, subscriptions and tenants, and the network provider's latest requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buckets = TokenBuckets()
        self._network: defaultdict[tuple[str, str], Throttle] = defaultdict(lambda: Throttle(_NETWORK_SECONDS))

    def admit(self, request: Request, caller: Caller) -> Headers:
        """Let a request through that the limits leave room for; without the knob `arm_limits` they always do.

        A request that is not let through takes no token. One that the network provider refuses has taken ARM's.

        Returns:
            The headers that tell how many more there may be.

        Raises:
            ApiError: 429, with the same headers.
        """
        draws = self._draws(request, caller)
        lacking = self._buckets.take(self._world.now, draws)
        left = {
            f"x-ms-ratelimit-remaining-{draw.bucket[0]}": str(self._buckets.left(self._world.now, draw))
            for draw in draws
        }
        if self._world.knobs.arm_limits is None:
            return left
        refusal = _throttled(_kind(request), *lacking) if lacking is not None else self._network_refusal(request)
        if refusal is not None:
            raise ApiError(refusal.with_headers(left))
        return left

    def _draws(self, request: Request, caller: Caller) -> list[Draw]:
        """What a request takes: a token of its principal's, and in a subscription one of all principals' there."""
        kind = _kind(request)
        limit = _LIMITS[kind].times(self._world.knobs.arm_limits or 1)
        subscription = _subscription(request)
        if not subscription:
            return [Draw((f"tenant-{kind}", caller.tenant_id, caller.object_id), limit)]
        return [
            Draw((f"subscription-{kind}", subscription, caller.object_id), limit),
            Draw((f"subscription-global-{kind}", subscription), limit.times(_GLOBAL)),
        ]

    def _network_refusal(self, request: Request) -> Response | None:
        """The network provider's refusal of a request to it, if it has had too many."""
        if _NETWORK not in request.path.lower():
            return None
        subscription, kind = _subscription(request), "reads" if _kind(request) == "reads" else "writes"
        most = int(_NETWORK_LIMITS[kind] * (self._world.knobs.arm_limits or 1))
        wait = self._network[subscription, kind].take(self._world.now, most)
        return _too_many_calls(subscription, wait) if wait is not None else None


def _kind(request: Request) -> str:
    return _KINDS.get(request.method, "writes")


def _subscription(request: Request) -> str:
    """The subscription that a request is about; one about none is about the tenant."""
    return subscription_of(request.path) if request.path.lower().startswith("/subscriptions/") else ""


def _throttled(kind: str, lacking: Draw, wait: int) -> Response:
    name, whose, *principal = lacking.bucket
    scope = name.partition("-")[0]
    actor = f" actor '{principal[0]}'" if principal else ""
    message = (
        f"Number of '{kind.removesuffix('s')}' requests for {scope} '{whose}'{actor} exceeded. Please try again after"
        f" '{wait}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for"
        " additional information."
    )
    # No report shows the code of a tenant's; clients expect this one.
    code = "TenantRequestsThrottled" if scope == "tenant" else "SubscriptionRequestsThrottled"
    return Response(429, {"error": {"code": code, "message": message}}, {"Retry-After": str(wait)})


def _too_many_calls(subscription: str, wait: int) -> Response:
    message = (
        f"Subscription '{subscription}' was used to perform too many calls within last 5 minutes. The number of calls"
        f" exceeds Microsoft.Network throttling limit. The call can be retried in {wait} seconds."
    )
    details = [{"code": "RetryableErrorDueToTooManyCalls", "message": message}]
    error = {"code": "RetryableError", "message": "A retryable error occurred.", "details": details}
    return Response(429, {"error": error}, {"Retry-After": str(wait)})
