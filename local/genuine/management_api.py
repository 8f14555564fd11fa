"""Durable's HTTP API of the genuine engine, on the host's address, where clients and the SDK expect it.

Requests are forwarded to the engine's own endpoint. If the host is hostile, a start may be lost on the way, or leave an
instance that never begins.
"""

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.host.hostility import Hostility, Kind

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
#: Headers that are not forwarded to the engine.
_OF_THE_HOST: Final = frozenset({"code", "taskHub", "connection"})
_PASSED_ON: Final = (
    *("content-type", "location", "retry-after", "traceparent", "tracestate"),
    "x-azure-functions-invocationid",
    "x-ms-continuation-token",
)


class ManagementApi:
    """The API of an engine whose processes may be replaced.

    Args:
        hostility: decides which starts are lost, and which never begin.
        stand_pending: writes an instance that has not begun, and never does.
        terminated: called with each instance that a client ends.
    """

    def __init__(
        self,
        hostility: Hostility,
        stand_pending: Callable[[str, str], None],
        terminated: Callable[[str], None],
    ) -> None:
        self._hostility, self._stand_pending, self._terminated = hostility, stand_pending, terminated
        self._client = httpx.AsyncClient(trust_env=False, timeout=100)
        #: The number of answered requests that may cause work for the engine.
        self.changes = 0
        #: The address of the current engine process.
        self.engine = ""
        #: The path on the host by which the SDK calls the engine without a key: it cannot be guessed.
        self.path: Final = f"/rpc-{secrets.token_urlsafe(16)}"

    @property
    def routes(self) -> list[Route]:
        """What the SDK asks."""
        return [Route(f"{self.path}/{{rest:path}}", self.serve, methods=_METHODS)]

    async def close(self) -> None:
        """Close the connections to the engine."""
        await self._client.aclose()

    async def serve(self, request: Request) -> Response:
        """Forward a request to the engine, or lose it."""
        rest = request.path_params["rest"]
        match rest.split("/") if request.method == "POST" else ():
            case ["orchestrators", name, identity] if self._hostility.strikes(Kind.LOST_START, name, identity):
                return JSONResponse({"id": identity}, 202)
            case ["orchestrators", name, identity] if await self._never_begins(name, identity):
                return JSONResponse({"id": identity}, 202)
            case ["instances", identity, "terminate"]:
                self._terminated(identity)
        return await self._handed_on(request, rest)

    async def _never_begins(self, name: str, identity: str) -> bool:
        """Whether a start leaves an instance that never begins.

        This happens only for a new id. If there is a history of an earlier execution, the engine follows that, and
        neither ends, purges nor replaces a Pending row. No start is known to end like that.
        """
        if not self._hostility.is_hostile:
            return False
        found = await self._client.get(f"{self.engine}/instances/{identity}")
        if found.status_code != HTTPStatus.NOT_FOUND:
            return False
        if not self._hostility.strikes(Kind.PENDING_START, name, identity):
            return False
        await asyncio.to_thread(self._stand_pending, name, identity)
        return True

    async def _handed_on(self, request: Request, rest: str) -> Response:
        query = tuple(pair for pair in request.query_params.multi_items() if pair[0] not in _OF_THE_HOST)
        try:
            answer = await self._client.request(
                request.method,
                f"{self.engine}/{rest}",
                params=query,
                content=await request.body(),
                headers={name: value for name, value in request.headers.items() if name in _PASSED_ON},
            )
        except httpx.TransportError as error:
            # The process was killed.
            return JSONResponse({"Message": f"the engine does not answer: {error}"}, 503)
        self.changes += request.method != "GET"
        headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        return Response(answer.content, answer.status_code, headers)
