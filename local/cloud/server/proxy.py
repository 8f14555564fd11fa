"""A CONNECT proxy that connects the cloud's host names to the local server, and refuses all others."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

log: Final = logging.getLogger("local.cloud.server.proxy")
_CHUNK: Final = 65536
_LONGEST_HEAD: Final = 16384


class ConnectProxy:
    """Tunnels to one local port.

    Args:
        target_port: the local TLS server's port.
        serves: whether a host name belongs to the cloud.
        handshake: how long a connection takes, in seconds.
    """

    def __init__(self, target_port: int, serves: Callable[[str], bool], handshake: Callable[[], float]) -> None:
        self._target_port, self._serves, self._handshake = target_port, serves, handshake
        self._open: set[asyncio.StreamWriter] = set()
        self._tunnels: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        #: The host of every tunnel so far.
        self.hosts: list[str] = []

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and close all tunnels."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tunnels.add(task)
            task.add_done_callback(self._tunnels.discard)
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._tunnel(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head[:_LONGEST_HEAD].decode("latin-1").partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or port != "443" or not self._serves(host.lower()):
            log.warning("refused: %s %s", method, rest.partition(" ")[0])
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        self.hosts.append(host.lower())
        if (seconds := self._handshake()) > 0:
            await asyncio.sleep(seconds)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._open.add(upstream_writer)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))
        finally:
            self._open.discard(upstream_writer)
            upstream_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    # Either end may be closed already.
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
