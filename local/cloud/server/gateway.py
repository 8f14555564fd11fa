"""The front of the local cloud: which service a host name leads to, faults, latency and the request log."""

import asyncio
import re
import time
from collections.abc import Callable
from email.utils import format_datetime
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import jwt
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse

from local.cloud.aiven import Aiven, aiven_error
from local.cloud.arm.authorization import ArmAuthorization
from local.cloud.arm.governance import ArmGovernance
from local.cloud.arm.network import ArmNetwork
from local.cloud.arm.service import Arm, arm_error
from local.cloud.entra import Entra, entra_error
from local.cloud.graph import Graph, graph_error
from local.cloud.keyvault import KeyVault
from local.cloud.managed_identity import ManagedIdentityEndpoint, identity_error
from local.cloud.scenario import Fault
from local.cloud.server.answer_headers import answer_headers
from local.cloud.server.broken_answers import Breach, BrokenAnswer
from local.cloud.server.hosts import Hosts
from local.cloud.server.request_log import LoggedRequest
from local.cloud.server.wire import ApiError, Headers, Request, Response
from local.cloud.table_service.errors import TableError
from local.cloud.table_service.service import TableService
from local.cloud.world.platform import settle
from local.cloud.world.world import World

Answer = Callable[[Request], Response]
_ERRORS: Final[dict[str, Callable[[int, str, str], ApiError]]] = {
    "arm": arm_error,
    "graph": graph_error,
    "vault": arm_error,
    "table": TableError,
    "aiven": lambda status, code, message: aiven_error(status, message, code),
    "entra": entra_error,
    "identity": lambda status, _, message: identity_error(status, message),
}


class Gateway:
    """All services of one world. One request at a time touches it."""

    def __init__(self, world: World, hosts: Hosts) -> None:
        self.world, self.hosts = world, hosts
        self.requests: list[LoggedRequest] = []
        self.lock = Lock()
        self.witnesses: list[Callable[[Request], None]] = []
        self.listeners: list[Callable[[str, Request, Response], None]] = []
        entra = self.entra = Entra(world, hosts.logins[0])
        arm = Arm(world, entra, hosts.metadata)
        ArmNetwork(arm)
        ArmAuthorization(arm)
        ArmGovernance(arm)
        self._services: dict[str, Answer] = {
            "entra": entra.routes.answer,
            "graph": Graph(world, entra).answer,
            "arm": arm.answer,
            "vault": KeyVault(world, entra, hosts.authority).answer,
            "table": TableService(world, entra, hosts.logins[0]).answer,
            "aiven": Aiven(world).answer,
            "identity": ManagedIdentityEndpoint(world, entra).answer,
        }

    def service(self, host: str) -> str | None:
        """Which service a host name leads to; None for a host that is not there."""
        return self.hosts.service(host, self.world.vaults, self.world.storage_accounts)

    async def serve(self, http: HttpRequest, service: str | None = None) -> HttpResponse:
        """Answer one HTTP request.

        Args:
            http: the request.
            service: the service, if the host's name does not determine it.
        """
        started = time.perf_counter()
        try:
            body = await http.body()
        except ClientDisconnect:
            return HttpResponse(status_code=400)
        request = Request(
            http.method,
            http.headers.get("host", "").partition(":")[0].lower(),
            http.scope["path"],
            dict(http.query_params),
            {name.lower(): value for name, value in http.headers.items()},
            body,
        )
        service = service or self.service(request.host)
        if (pause := self._latency(service)) > 0:
            await asyncio.sleep(pause)
        with self.lock:
            response, breach = self.answer(service, request)
            self._log(service or "none", request, response, time.perf_counter() - started)
            for listener in self.listeners:
                listener(service or "none", request, response)
            headers = answer_headers(service, request, response, self.world)
        answer = self._http(response, headers)
        return BrokenAnswer(breach, answer) if breach is not None else answer

    def _latency(self, service: str | None) -> float:
        # The app's own storage account and its identity's endpoint are nearer than the remote services.
        knobs = self.world.knobs
        return {"table": knobs.table_latency, "identity": 0}.get(service or "", knobs.latency)

    def _http(self, response: Response, given: Headers) -> HttpResponse:
        headers = {"Date": format_datetime(self.world.now, usegmt=True), **given}
        if response.body is None:
            return HttpResponse(status_code=response.status, headers=headers)
        if isinstance(response.body, bytes):
            return HttpResponse(response.body, response.status, headers)
        return JSONResponse(response.body, response.status, headers)

    def answer(self, service: str | None, request: Request) -> tuple[Response, Breach | None]:
        """A service's response to one request, or a fault in its place; and a fault of the transport."""
        if service is None:
            return Response(502, {"message": f"the local cloud has no host {request.host}"}), None
        for witness in self.witnesses:
            witness(request)
        settle(self.world)
        fault = self._fault(request)
        if fault is None:
            return self._good(service, request), None
        carried_out = fault.after or fault.without or fault.breach == "cut"
        response = self._good(service, request) if carried_out else self._failure(service, fault, request)
        if fault.without:
            return Response(response.status, _without(response.body, fault.without), response.headers), None
        if fault.breach is not None:
            return response, fault.breach
        return self._failure(service, fault, request), None

    def _good(self, service: str, request: Request) -> Response:
        try:
            response = self._services[service](request)
        except ApiError as error:
            response = error.response
        except (KeyError, ValueError, TypeError) as error:
            response = _ERRORS[service](
                400, "BadRequest", f"The request is malformed: {type(error).__name__} {error}"
            ).response
        settle(self.world)
        return response

    def _fault(self, request: Request) -> Fault | None:
        for fault in self.world.knobs.faults:
            fits = re.fullmatch(fault.host, request.host) and re.fullmatch(fault.method, request.method)
            if fault.times > 0 and fits and re.search(fault.path, request.path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _failure(self, service: str, fault: Fault, request: Request) -> Response:
        echoed = f" {dict(request.headers)} {request.body.decode(errors='replace')}" if fault.echo else ""
        failure = _ERRORS[service](fault.status, fault.code, f"A fault that was asked for{echoed}").response
        waiting = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        headers = {**failure.headers, **waiting, **fault.headers}
        if isinstance(fault.body, str):
            return Response(fault.status, fault.body.encode(), {"Content-Type": "text/html", **headers})
        return Response(fault.status, failure.body if fault.body is None else fault.body, headers)

    def _log(self, service: str, request: Request, response: Response, seconds: float) -> None:
        claims = _claims(request.bearer) if service != "aiven" and request.bearer else {}
        self.requests.append(
            LoggedRequest(
                time=self.world.now.isoformat(),
                seconds=round(seconds, 4),
                service=service,
                method=request.method,
                host=request.host,
                path=request.path,
                status=response.status,
                app_id=claims.get("appid"),
                tenant_id=claims.get("tid"),
                auxiliary="x-ms-authorization-auxiliary" in request.headers,
                user_agent=request.headers.get("user-agent", ""),
            )
        )


@lru_cache(1024)
def _claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {"appid": "(not a token)"}
    return claims


def _without(body: object, name: str) -> object:
    """A document without the fields of a name, at any depth."""
    if isinstance(body, dict):
        return {key: _without(value, name) for key, value in body.items() if key != name}
    return [_without(one, name) for one in body] if isinstance(body, list) else body
