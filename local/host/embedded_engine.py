"""The embedded engine behind a host: in the host's own process, its task hub in the host's file."""

import secrets
from contextlib import AbstractContextManager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.host.client_binding import WEBHOOKS, client_binding
from local.host.durable_api import DurableApi, management_urls
from local.host.durable_engine import EngineSite
from local.host.engine import Engine

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class EmbeddedEngine:
    """The default engine, which needs only Python."""

    def __init__(self, site: EngineSite) -> None:
        self._site = site
        self._hub_name = site.worker.app.hub_name
        self._engine = Engine(site.hub, site.worker, site.clock, site.hostility)
        self._engine.awaited_moment = site.trigger_due
        self._api = DurableApi(site.worker.app, site.hub, self._engine, self._management_urls, site.hostility)
        self._rpc = f"rpc-{secrets.token_urlsafe(16)}"

    @property
    def routes(self) -> list[Route]:
        """Where the SDK reaches the engine without a key: a path that cannot be guessed."""
        return [Route(f"/{self._rpc}/{{rest:path}}", self._api.serve, methods=_METHODS)]

    @property
    def has_timers(self) -> bool:
        """Whether a durable timer is pending."""
        return self._engine.has_timers

    async def start(self) -> None:
        """Continue the unfinished work in the hub."""
        site = self._site
        rpc = f"{site.url}/{self._rpc}/"
        site.worker.client_binding = client_binding(site.url, self._hub_name, site.keys.system, rpc)
        await self._engine.start()

    async def stop(self) -> None:
        """Stop; a host that is started on the same file continues the work."""
        await self._engine.stop()

    async def serve(self, request: Request) -> Response:
        """Answer a request to the management API."""
        return await self._api.serve(request)

    def hold_time(self) -> AbstractContextManager[None]:
        """Keep a virtual clock from being moved while work outside the engine is in progress."""
        return self._engine.hold_time()

    def _management_urls(self, request: Request, instance_id: str) -> dict[str, str]:
        base = f"{request.url.scheme}://{request.url.netloc}/{WEBHOOKS}"
        return management_urls(base, self._hub_name, self._site.keys.system, instance_id)
