"""The admin routes of a local cloud, on loopback only: its state, its requests, its knobs, and events."""

from dataclasses import asdict
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.cloud.events import EVENTS, UnknownEventError
from local.cloud.scenario import ScenarioError, scenario_of
from local.cloud.server.gateway import Gateway
from local.cloud.world.platform import settle
from local.cloud.world.state import state

IDENTITY_PATH: Final = "/msi/token"


class AdminRoutes:
    """GET /state, GET and DELETE /requests, GET /writes, PUT /knobs, POST /events."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.routes = [
            Route("/state", self._state),
            Route("/requests", self._requests),
            Route("/requests", self._forget_requests, methods=["DELETE"]),
            Route("/writes", self._writes),
            Route("/knobs", self._put_knobs, methods=["PUT"]),
            Route("/events", self._post_event, methods=["POST"]),
        ]

    async def _state(self, _: Request) -> JSONResponse:
        with self._gateway.lock:
            return JSONResponse(state(self._gateway.world))

    async def _requests(self, _: Request) -> JSONResponse:
        with self._gateway.lock:
            return JSONResponse([asdict(request) for request in self._gateway.requests])

    async def _forget_requests(self, _: Request) -> JSONResponse:
        with self._gateway.lock:
            self._gateway.requests.clear()
        return JSONResponse({})

    async def _writes(self, _: Request) -> JSONResponse:
        with self._gateway.lock:
            return JSONResponse([asdict(request) for request in self._gateway.requests if request.is_write])

    async def _put_knobs(self, request: Request) -> JSONResponse:
        try:
            knobs = scenario_of(await request.json(), self._gateway.world.knobs)
        except ScenarioError as error:
            return JSONResponse({"message": str(error)}, 400)
        with self._gateway.lock:
            self._gateway.world.knobs = knobs
        return JSONResponse(knobs.model_dump())

    async def _post_event(self, request: Request) -> JSONResponse:
        given = await request.json()
        kind = given.pop("kind", "")
        if kind not in EVENTS:
            return JSONResponse({"message": f"there is no event {kind}; there are {', '.join(EVENTS)}"}, 400)
        try:
            with self._gateway.lock:
                settle(self._gateway.world)
                EVENTS[kind](self._gateway.world, **given)
        except (UnknownEventError, TypeError, ValueError, AttributeError) as error:
            return JSONResponse({"message": f"{kind}: {error}"}, 400)
        return JSONResponse({})


def admin_app(gateway: Gateway) -> Starlette:
    """All admin routes, and next to them the endpoint for managed identities."""

    async def identity(request: Request) -> Response:
        return await gateway.serve(request, "identity")

    return Starlette(routes=[*AdminRoutes(gateway).routes, Route(IDENTITY_PATH, identity)])
