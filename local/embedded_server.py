"""Servers on 127.0.0.1 that run in the event loop of the program that embeds them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class EmbeddedServer(uvicorn.Server):
    """A server that leaves the process's signals alone: the embedding program handles them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals."""
        yield


def listen(port: int = 0) -> socket.socket:
    """A socket that listens on a port; 0 takes any free one."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, every answer is 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


def port_of(listening: socket.socket) -> int:
    """The port that a socket listens on."""
    port: int = listening.getsockname()[1]
    return port
