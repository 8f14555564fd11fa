"""Connections that are kept for the worker's lifetime: all invocations on its event loop share those of a host."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from clients.remote_errors import refuse_unreadable
from clients.settings import settings
from peering.problems.remote_codes import Service

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx
    from msgraph.graph_request_adapter import GraphRequestAdapter

Thing = TypeVar("Thing")

#: How long a connection may take to be made, in seconds.
_CONNECTION_TIMEOUT: Final = 5
#: Azure's load balancers drop connections that have been idle for four minutes (learn.microsoft.com, "TCP idle
#: timeout").
_IDLE_SECONDS: Final = 210
#: Connections to one host of Azure: enough for the long-term read limit of a subscription, 25 a second.
_TO_ONE_HOST: Final = 4
#: The same for a check of all, which has its own: enough for three subscriptions at once, at 200 ms a read.
_IN_BULK: Final = 16
#: Connections to sign in to the two tenants of a cross-tenant peering at once.
TO_SIGN_IN: Final = 2
#: Connections to the host of the app's tables, which is nearby.
TO_THE_TABLES: Final = 1
#: Connections to a host with HTTP/2, which takes many requests at once. For Aiven's limit, two a second, one is enough.
_MULTIPLEXED: Final = 1
#: Connections to the operator's webhook: a sweep may have events of many peerings.
_TO_THE_WEBHOOK: Final = 8
#: The number of kept clients of subscriptions, and of kept shared reads.
_CLIENTS: Final = 256
_READS: Final = 1024
#: The number of kept passwords and sign-ins of applications: over three for each of a thousand concurrent starts.
_SIGN_INS: Final = 4096
_FOREVER: Final = 10 * 365 * 24 * 3600


class Kept:
    """A cache of objects by key, each created at its first use; the least recently used ones are dropped.

    Dropped objects are not closed, because the connections are shared.

    Args:
        most: the maximum number of objects; unlimited by default.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        # The callers know the type of the object with a key.
        self._things: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], Thing]) -> Thing:
        """The object with a key."""
        if key not in self._things:
            self._things[key] = make()
        self._things.move_to_end(key)
        if self._most is not None and len(self._things) > self._most:
            self._things.popitem(last=False)
        thing: Thing = self._things[key]
        return thing

    def held(self, key: tuple[object, ...], kind: type[Thing]) -> Thing | None:
        """The object that is kept under a key, if it has that type."""
        thing = self._things.get(key)
        return thing if isinstance(thing, kind) else None

    def forget(self, whose: object = None) -> None:
        """Drop all objects, or those whose key names `whose`."""
        for key in [key for key in self._things if whose is None or whose in key]:
            del self._things[key]


class Connections:
    """The open connections of one event loop: the sessions of the Azure SDKs, and HTTPX clients for other services.

    Attributes:
        clients: the SDKs' clients of the app's own identity, which keep a token of their own.
        sign_ins: the created applications' passwords and tokens.
        reads: the reads that callers share.
        known: what the process has learned, such as the budgets.
        graph: the adapter of Microsoft Graph's clients, once there was one.
        keeper: closes the connections at the end.
    """

    def __init__(self) -> None:
        self._sessions: dict[int, aiohttp.ClientSession] = {}
        self._tls: ssl.SSLContext | None = None
        self._http: dict[Service, httpx.AsyncClient] = {}
        self._left: list[httpx.AsyncClient] = []
        self._webhook: httpx.AsyncClient | None = None
        self.clients, self.sign_ins, self.reads, self.known = Kept(_CLIENTS), Kept(_SIGN_INS), Kept(_READS), Kept()
        self.graph: GraphRequestAdapter | None = None
        self.keeper: asyncio.Task[None] | None = None

    def of_the_sdks(self, to_one_host: int) -> dict[str, Any]:
        """The options of an Azure SDK's client that make it use a shared session; closing the client leaves it open.

        Faults of the connection are retried at once; waiting for anything else is the orchestrator's, with a durable
        timer.

        Args:
            to_one_host: the maximum number of connections; clients with the same number share a session.
        """
        from azure.core.pipeline.transport import AioHttpTransport

        transport = AioHttpTransport(
            session=self._shared_session(to_one_host),
            session_owner=False,
            connection_timeout=_CONNECTION_TIMEOUT,
            read_timeout=settings().read_timeout_seconds,
        )
        return {"transport": transport, "retry_connect": 2, "retry_read": 1, "retry_status": 0}

    def _shared_session(self, to_one_host: int) -> "aiohttp.ClientSession":
        if to_one_host not in self._sessions:
            import aiohttp

            from clients.traced_requests import tracing

            # Like the session that `AioHttpTransport` creates itself.
            self._sessions[to_one_host] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE_SECONDS, limit_per_host=to_one_host),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=True,
                trace_configs=[tracing()],
            )
        return self._sessions[to_one_host]

    def http(self, service: Service, make: "Callable[..., httpx.AsyncClient]") -> "httpx.AsyncClient":
        """The HTTP client of a service without an Azure SDK; a new one if its connection was lost permanently.

        Args:
            service: the service.
            make: creates the client from a function to call when its connection is lost, and HTTPX's options.
        """
        if service not in self._http:
            import httpx

            self._tls = self._tls or httpx.create_ssl_context()
            self._http[service] = make(
                partial(self._leave, service),
                verify=self._tls,
                http2=True,
                timeout=httpx.Timeout(settings().read_timeout_seconds, connect=_CONNECTION_TIMEOUT),
                limits=httpx.Limits(max_connections=_MULTIPLEXED, keepalive_expiry=_IDLE_SECONDS),
                event_hooks={"response": [partial(refuse_unreadable, service=service)]},
            )
        return self._http[service]

    def webhook(self) -> "httpx.AsyncClient":
        """The HTTP client of the app's own webhook."""
        if self._webhook is None:
            import httpx

            self._tls = self._tls or httpx.create_ssl_context()
            self._webhook = httpx.AsyncClient(
                verify=self._tls,
                timeout=httpx.Timeout(30, connect=_CONNECTION_TIMEOUT),
                limits=httpx.Limits(max_connections=_TO_THE_WEBHOOK, keepalive_expiry=_IDLE_SECONDS),
            )
        return self._webhook

    def _leave(self, service: Service, client: "httpx.AsyncClient") -> None:
        if self._http.get(service) is client:
            self._left.append(self._http.pop(service))
            self.graph = None if service == "Microsoft Graph" else self.graph

    async def close(self) -> None:
        """Close all connections."""
        for client in (*self._http.values(), *self._left, *([self._webhook] if self._webhook else [])):
            await client.aclose()
        for session in self._sessions.values():
            await session.close()


_bulk: Final[ContextVar[bool]] = ContextVar("bulk", default=False)


@contextmanager
def in_bulk() -> Iterator[None]:
    """Use separate connections to Azure for the reads inside, so that no start queues behind them."""
    token = _bulk.set(True)
    try:
        yield
    finally:
        _bulk.reset(token)


def to_one_host() -> int:
    """The number of connections to a host of Azure for the current code."""
    return _IN_BULK if _bulk.get() else _TO_ONE_HOST


_open: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Connections]] = WeakKeyDictionary()


def connections() -> Connections:
    """The connections of the running event loop. A worker has one loop, and cancels its tasks when it ends."""
    loop = asyncio.get_running_loop()
    if loop not in _open:
        _open[loop] = held = Connections()
        held.keeper = loop.create_task(_keep(held))
    return _open[loop]


async def _keep(held: Connections) -> None:
    """Close the connections when the event loop's tasks are cancelled, which is its end."""
    try:
        # The event loop keeps a reference to a sleeping task, but not to one that awaits nothing.
        await asyncio.sleep(_FOREVER)
    finally:
        await held.close()
