"""Serves the app's HTTP triggers."""

import json
import logging
import re
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func
from azure.functions.http import HttpRequest
from starlette.requests import Request
from starlette.responses import Response

from local.host.app_service import AppService
from local.host.function_app import Function
from local.host.keys import Keys
from local.host.worker import Worker

log: Final = logging.getLogger("local.host.http")
_SEGMENT: Final = re.compile(r"\{(?P<rest>\*?)(?P<name>\w+)(?::(?P<constraint>[^}?=]+))?(?P<optional>\?)?\}")
_CONSTRAINTS: Final = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
}


def route_pattern(route: str) -> re.Pattern[str]:
    """A route template of Azure Functions as a pattern for a path below the route prefix.

    Raises:
        ValueError: the template has a constraint that this host does not know.
    """
    pattern = ""
    for index, segment in enumerate(route.strip("/").split("/")):
        slash = "/" if index else ""
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            inner = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(segment))
            pattern += slash + inner
            continue
        constraint = match["constraint"]
        if constraint and constraint not in _CONSTRAINTS:
            raise ValueError(
                f"the route {route} has the constraint {constraint}; this host knows {', '.join(_CONSTRAINTS)}"
            )
        value = ".*" if match["rest"] else _CONSTRAINTS.get(constraint or "", "[^/]+")
        group = f"{slash}(?P<{match['name']}>{value})"
        pattern += f"(?:{group})?" if match["optional"] else group
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class HttpTrigger:
    """One HTTP-triggered function with its route."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str
    parameters: int


def _trigger(function: Function) -> HttpTrigger:
    binding = function.trigger
    route = binding.get("route") or function.name
    methods = frozenset(method.upper() for method in binding.get("methods") or ())
    level = str(binding.get("authLevel") or "function").lower()
    return HttpTrigger(function, route_pattern(route), methods, level, route.count("{"))


class HttpTriggers:
    """The HTTP-triggered functions of an app, under its route prefix."""

    def __init__(self, worker: Worker, keys: Keys, app_service: AppService) -> None:
        self._worker, self._keys, self._app_service = worker, keys, app_service
        http = worker.app.host.get("extensions", {}).get("http", {})
        self._prefix = str(http.get("routePrefix", "api")).strip("/")
        triggers = (_trigger(function) for function in worker.app.of_kind("http"))
        # A literal segment wins over a parameter.
        self._triggers = sorted(triggers, key=lambda trigger: trigger.parameters)

    async def serve(self, request: Request) -> Response:
        """Answer one request: 404 without a route, 401 without the key, 500 when the function raises."""
        found = self._match(request)
        if found is None:
            return Response(status_code=404)
        trigger, parameters = found
        if not self._keys.allow(request, trigger.level, trigger.function.name):
            return Response(status_code=401)
        given = HttpRequest(
            request.method,
            _url(request),
            headers=self._app_service.headers(request.headers),
            params=dict(request.query_params),
            route_params=parameters,
            body_type="bytes",
            body=await request.body(),
        )
        try:
            result, outputs = await self._worker.call(trigger.function, given)
        except Exception:
            # Whatever a function raises is answered 500 without a body, as the genuine host does.
            log.exception("function=%s", trigger.function.name)
            return Response(status_code=500)
        for output in outputs.values():
            result = output.get() if output.get() is not None else result
        return _response(result)

    def _match(self, request: Request) -> tuple[HttpTrigger, dict[str, str]] | None:
        # A URL object leaves line breaks and tabs out, which the genuine host does not.
        path = str(request.scope["path"]).strip("/")
        if self._prefix:
            first, _, path = path.partition("/")
            if first.lower() != self._prefix.lower():
                return None
        for trigger in self._triggers:
            match = trigger.pattern.fullmatch(path)
            if match and (not trigger.methods or request.method in trigger.methods):
                return trigger, {name: value for name, value in match.groupdict().items() if value is not None}
        return None


def _url(request: Request) -> str:
    """The address of a request as it came, with nothing decoded."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    return f"{request.url.scheme}://{request.url.netloc}{path}" + (f"?{query}" if query else "")


def _response(result: Any) -> Response:  # noqa: ANN401 - whatever a function returns
    if result is None:
        return Response(status_code=204)
    if not isinstance(result, func.HttpResponse):
        return Response(result if isinstance(result, str | bytes) else json.dumps(result))
    response = Response(result.get_body(), result.status_code)
    for name, value in result.headers.items():
        response.headers.append(name, value)
    if "content-type" not in response.headers:
        text = result.mimetype.startswith("text/")
        response.headers["content-type"] = result.mimetype + (f"; charset={result.charset}" if text else "")
    return response
