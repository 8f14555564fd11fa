"""The audit record of refused change requests: written with the response, and listed."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func
from typing_extensions import TypedDict

from clients.durable import DurableClient
from clients.registry import registry
from peering.outcome import ProblemError
from peering.progress import shortened
from peering.record import Refusal
from triggers.documents.answers import json_answer
from triggers.requests.callers import caller
from triggers.route_table import Route

log: Final = logging.getLogger("aiven_azure_peering.audit")
#: The number of listed refusals, and the maximum length of a stored text of a client.
_LISTED: Final = 100
_LONGEST: Final = 300


class Refusals(TypedDict):
    """The last refused change requests, the newest first."""

    refusals: list[Refusal]


async def note(req: func.HttpRequest, route: Route, document: Mapping[str, object]) -> None:
    """Log a refusal, and store it in the registry; if that fails, it is only in the log.

    Args:
        req: the request.
        route: its route.
        document: the problem document that it is answered with.
    """
    from azure.core.exceptions import AzureError

    refusal = Refusal(
        at=datetime.now(UTC).isoformat(),
        by=caller(req),
        method=route.method,
        path=shortened(urlsplit(req.url).path, _LONGEST),
        status=int(str(document["status"])),
        problem=str(document["code"]),
        detail=shortened(str(document["detail"]), _LONGEST),
    )
    if "id" in req.route_params:
        refusal["id"] = shortened(req.route_params["id"], _LONGEST)
    said = (route.name, refusal.get("id", ""), refusal["problem"], refusal["by"]["id"] or "")
    log.warning("event=request-refused route=%s peering=%r problem=%s by=%s", *said)
    try:
        await registry().history.note_refusal(refusal)
    except (AzureError, ProblemError) as error:
        log.warning("event=refusal-not-kept route=%s error=%s", route.name, type(error).__name__)


async def list_refusals(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/refusals`: the last refused change requests, and why."""
    return json_answer(Refusals(refusals=await registry().history.refusals(_LISTED)))
