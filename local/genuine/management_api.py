"""Durable's HTTP API of the genuine engine, as people and the SDK reach it: on the host's address.

All of it is handed on to the engine's own endpoint. On the way a start may get lost, or leave an instance that never
begins: a host that is hostile says which.
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
#: What is said to a host and not to the engine.
_OF_THE_HOST: Final = frozenset({"code", "taskHub", "connection"})
_PASSED_ON: Final = (
    *("content-type", "location", "retry-after", "traceparent", "tracestate"),
    "x-azure-functions-invocationid",
    "x-ms-continuation-token",
)


class ManagementApi:
    """The API of an engine whose processes come and go.

    Args:
        hostility: decides which starts are lost, and which never begin.
        stand_pending: lets an instance of an orchestrator stand there as one that has not begun.
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
        #: How many requests that may give the engine something to do have been answered.
        self.changes = 0
        #: Where the engine's process answers that is used now.
        self.engine = ""
        #: The path on the host where the SDK reaches the engine without a key: it cannot be guessed.
        self.path: Final = f"/rpc-{secrets.token_urlsafe(16)}"

    @property
    def routes(self) -> list[Route]:
        """What the SDK asks."""
        return [Route(f"{self.path}/{{rest:path}}", self.serve, methods=_METHODS)]

    async def close(self) -> None:
        """Close the connections to the engine."""
        await self._client.aclose()

    async def serve(self, request: Request) -> Response:
        """Hand a request on to the engine, or lose it."""
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
        """Whether a start leaves an instance that only stands there.

        It does so under a new id alone: where there is a history of an earlier execution, the engine takes that for the
        truth and neither ends nor purges nor replaces what its table calls Pending. No start is known to end like that.
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
