"""What all routes share: authorization, strict parameters, UUID ids, problems as documents."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import azure.functions as func
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from clients.durable import DurableClient
from clients.telemetry import note_failure, span
from peering.outcome import ProblemError
from triggers.documents.answers import etag, is_current
from triggers.documents.problem_documents import (
    InvalidRequestError,
    invalid,
    occurrence_response,
    problem_response,
)
from triggers.documents.remote_failures import problem_of
from triggers.requests.callers import check_role
from triggers.requests.queries import check_parameters
from triggers.route_table import Route

Answer = Callable[[func.HttpRequest, DurableClient], Awaitable[func.HttpResponse]]

log: Final = logging.getLogger("aiven_azure_peering.api")
LARGEST_BODY: Final = 64 * 1024
_REFUSED: Final = range(400, 500)
_OK: Final = 200
_FAILED: Final = 500
#: The headers of a response that the client has already.
_KEPT: Final = ("ETag", "Cache-Control", "Retry-After")


async def answered(
    answer: Answer, req: func.HttpRequest, client: DurableClient, route: Route, trace: str | None = None
) -> func.HttpResponse:
    """Answer a request to a route, in a span.

    Args:
        answer: the handler; an exception becomes a problem document.
        req: the request.
        client: Durable's client.
        route: the route.
        trace: the platform's `traceparent` of the request.
    """
    path = f"/api/{route.path}"
    about = {"http.request.method": route.method, "http.route": path, **_peering_of(req)}
    with span(f"{route.method} {path}", trace, SpanKind.SERVER, about) as made:
        response = await _answered(answer, req, client, route)
        made.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= _FAILED:
            note_failure(made, str(response.status_code))
    return response


def _peering_of(req: func.HttpRequest) -> dict[str, str]:
    return {"peering.id": req.route_params["id"].lower()} if "id" in req.route_params else {}


async def _answered(answer: Answer, req: func.HttpRequest, client: DurableClient, route: Route) -> func.HttpResponse:
    try:
        check_role(req, route.role)
        _check(req, route)
        response = await (_changing(answer, req, client) if route.role == "operator" else answer(req, client))
    except InvalidRequestError as error:
        response = problem_response("invalid-request", str(error), error.errors)
    except ValidationError as error:
        response = invalid(error)
    except Exception as error:
        response = occurrence_response(problem_of(error))
    if response.status_code in _REFUSED and (route.role == "operator" or response.status_code == 403):
        await _note_refusal(req, route, response)
    return _unchanged(req, response) if req.method == "GET" and response.status_code == _OK else response


async def _changing(answer: Answer, req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """Carry out a change once, if the request has an `Idempotency-Key`."""
    from triggers.requests.repeats import once

    return await once(req, lambda: answer(req, client))


async def _note_refusal(req: func.HttpRequest, route: Route, response: func.HttpResponse) -> None:
    from triggers.refusals import note

    await note(req, route, json.loads(response.get_body()))


def _unchanged(req: func.HttpRequest, response: func.HttpResponse) -> func.HttpResponse:
    """The response with its ETag, or 304 if the client has it already."""
    response.headers.setdefault("ETag", etag(response.get_body()))
    response.headers["Cache-Control"] = "no-cache"
    if not is_current(req.headers.get("if-none-match", ""), response.headers["ETag"]):
        return response
    kept = {
        name: response.headers[name] for name in ("ETag", "Cache-Control", "Retry-After") if name in response.headers
    }
    return func.HttpResponse(status_code=304, headers=kept)


def _check(req: func.HttpRequest, route: Route) -> None:
    """Refuse unknown parameters, a body that is too large, and an id that is no UUID."""
    check_parameters(req, route.parameters)
    if (size := len(req.get_body())) > LARGEST_BODY:
        raise ProblemError("body-too-large", f"The body has {size} bytes; the limit is {LARGEST_BODY}.")
    if "id" in req.route_params:
        peering_id_of(req)


def peering_id_of(req: func.HttpRequest) -> str:
    """The `{id}` of a route.

    Raises:
        ProblemError: `peering-not-found`, when it is no UUID.
    """
    try:
        return str(UUID(req.route_params["id"]))
    except ValueError:
        raise ProblemError("peering-not-found", "A peering's id must be a UUID.") from None
