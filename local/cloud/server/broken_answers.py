"""Missing and incomplete responses: what a network and a gateway may do to a request."""

from asyncio import BaseTransport, Transport
from typing import Any, Final, Literal, cast
from weakref import WeakValueDictionary

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

#: `reset`: the connection is closed without an answer; `hang`: no answer comes; `cut`: the body ends halfway.
Breach = Literal["reset", "hang", "cut"]

#: The open connections, by the client's address.
_open: Final[WeakValueDictionary[Any, BaseTransport]] = WeakValueDictionary()


class Connections(H11Protocol):
    """uvicorn's protocol, which remembers its connections."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Remember a connection."""
        _open[transport.get_extra_info("peername")] = transport
        super().connection_made(cast("Transport", transport))


class BrokenAnswer(Response):
    """An answer that does not arrive as it should.

    Args:
        breach: what happens to it.
        whole: the answer as it should be.
    """

    def __init__(self, breach: Breach, whole: Response) -> None:
        super().__init__()
        self._breach, self._whole = breach, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break it."""
        transport = _open.get(tuple(scope["client"]))
        if self._breach == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if self._breach == "cut":
            whole = self._whole
            await send({"type": "http.response.start", "status": whole.status_code, "headers": whole.raw_headers})
            half = whole.body[: len(whole.body) // 2]
            await send({"type": "http.response.body", "body": bytes(half), "more_body": True})
        if transport is not None:
            transport.close()
