"""An HTTP server on 127.0.0.1 that runs in an existing event loop and leaves the process's signals alone."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route


class HttpServer:
    """Listens immediately, so that its address is known; answers once it is started.

    Args:
        port: where to listen; 0 takes any free port.
    """

    def __init__(self, port: int = 0) -> None:
        self._socket = _listen(port)
        self.url: str = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, routes: Sequence[Route]) -> None:
        """Begin to answer."""
        # Clients reuse connections for half a minute; one that is closed under a request would fail it.
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=120
        )
        self._server = _Server(config)
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


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: the embedding program handles them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals."""
        yield


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, every answer is 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening
