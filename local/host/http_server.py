"""An HTTP server on 127.0.0.1 that runs in an existing event loop and leaves the process's signals alone."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from local.embedded_server import EmbeddedServer, listen, port_of


class HttpServer:
    """Listens immediately, so that its address is known; answers once it is started.

    Args:
        port: where to listen; 0 takes any free port.
    """

    def __init__(self, port: int = 0) -> None:
        self._socket = listen(port)
        self.url: str = f"http://127.0.0.1:{port_of(self._socket)}"
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, routes: Sequence[Route]) -> None:
        """Begin to answer."""
        # Clients reuse connections for half a minute; one that is closed under a request would fail it.
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=120
        )
        self._server = EmbeddedServer(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop at once, whatever is being answered."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            with suppress(asyncio.CancelledError):
                await self._serving
