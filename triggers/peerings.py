"""`/api/peerings`: start a peering, see how it stands, list them all."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypedDict, cast
from uuid import uuid4

import azure.functions as func
from azure.durable_functions import Blueprint, EntityId

from entities.registry import Records, index
from orchestrators.establish import EstablishInput, wait_instance_id
from orchestrators.progress import Progress
from peering.outcome import ProblemError
from peering.registry import ENTITY, entity_key
from peering.spec import Peering
from triggers.durable_client import DurableClient, OrchestrationStatus
from triggers.peering_status import PeeringStatus, WaitStatus, peering_status
from triggers.problem_documents import FieldError, field_errors, occurrence_response, problem_response

if TYPE_CHECKING:
    from pydantic import ValidationError

blueprint: Final = Blueprint()
log: Final = logging.getLogger("aiven_azure_peering.api")

LARGEST_BODY: Final = 64 * 1024
LARGEST_PAGE: Final = 100
_RUNNING: Final = frozenset({"Running", "Pending", "ContinuedAsNew", "Suspended"})
_RETRY_AFTER: Final = "5"


class PeeringSummary(TypedDict):
    """One peering in the list."""

    id: str
    state: str
    project: str
    project_vpc_id: str
    vnet_id: str
    url: str


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def _runs(status: OrchestrationStatus) -> bool:
    return status.runtime_status is not None and status.runtime_status.name in _RUNNING


def _given(status: OrchestrationStatus) -> EstablishInput:
    """The input of a peering's orchestration; the SDK hands it on as it came: decoded, or as JSON text."""
    given = status.input_
    return cast("EstablishInput", json.loads(given) if isinstance(given, str) else given)


async def start_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings`: start a peering, or join the run that is under way for the same pair."""
    # Validation is imported with the first request, so that a cold start of another function does not pay for it.
    from pydantic import ValidationError

    from clients.settings import settings
    from peering.request import PeeringRequest

    body = req.get_body()
    if len(body) > LARGEST_BODY:
        return problem_response("body-too-large", f"The body has {len(body)} bytes; at most {LARGEST_BODY} are read.")
    try:
        peering = PeeringRequest.model_validate_json(body).peering()
        given = EstablishInput(peering=peering, deadlines=settings().deadlines, run=uuid4().hex[:8])
    except ValidationError as error:
        return _invalid(error)
    except ProblemError as error:
        return occurrence_response(error.occurrence)
    running = await client.get_status(peering["id"], show_input=True)
    if _runs(running):
        return _join(req, running, peering)
    await client.signal_entity(index(), "add", entity_key(peering["project"], peering["project_vpc_id"]))
    try:
        await client.start_new("establish", peering["id"], given)
    except Exception:
        # Only an engine that says so is right about a run that another request has started since.
        running = await client.get_status(peering["id"], show_input=True)
        if not _runs(running):
            raise
        return _join(req, running, peering)
    log.info("peering=%s run=%s started", peering["id"], given["run"])
    return _accepted(req, peering["id"], joined=False)


def _invalid(error: "ValidationError") -> func.HttpResponse:
    errors = field_errors(error)
    if any(found["type"] == "json_invalid" for found in error.errors(include_input=False, include_url=False)):
        return problem_response("not-json", errors[0]["rule"])
    named = ", ".join(dict.fromkeys(found["field"] for found in errors))
    return problem_response("invalid-request", f"Not valid: {named}.", errors)


def _join(req: func.HttpRequest, running: OrchestrationStatus, peering: Peering) -> func.HttpResponse:
    under_way = _given(running)["peering"]
    # Azure compares names without case, so another spelling of the VNet is not another option.
    differing = [
        n for n, v in under_way.items() if str(v).casefold() != str(cast("dict[str, object]", peering)[n]).casefold()
    ]
    if differing:
        errors = [FieldError(field=name, rule="differs from the run that is under way") for name in differing]
        return problem_response("running-with-other-options", f"Different: {', '.join(differing)}.", errors)
    return _accepted(req, peering["id"], joined=True)


def _accepted(req: func.HttpRequest, identity: str, *, joined: bool) -> func.HttpResponse:
    url = _url(req, identity)
    body = {"id": identity, "state": "running", "joined": joined, "url": url}
    return _json(body, 202, {"Location": url, "Retry-After": _RETRY_AFTER})


def _url(req: func.HttpRequest, identity: str) -> str:
    return f"{req.url.partition('?')[0].rstrip('/')}/{identity}"


async def show_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`GET /api/peerings/{id}`: how one peering stands, step by step."""
    identity = req.route_params["id"]
    status = await client.get_status(identity, show_input=True)
    if not status or identity.count(":"):
        return problem_response("peering-not-found", f"There is no peering {identity}.")
    document = await _status_document(client, identity, status)
    headers = {"Retry-After": _RETRY_AFTER} if document["state"] == "running" else {}
    return _json(document, 200, headers)


async def _status_document(client: DurableClient, identity: str, status: OrchestrationStatus) -> PeeringStatus:
    progress = cast("Progress | None", status.custom_status)
    failure = None
    if status.runtime_status is not None and status.runtime_status.name in ("Failed", "Terminated", "Canceled"):
        failure = f"The orchestration is {status.runtime_status.name}."
    waits: dict[str, WaitStatus] = {}
    for name, step in (progress["steps"] if progress else {}).items():
        if step["state"] == "waiting" and progress is not None:
            wait = await client.get_status(wait_instance_id(identity, progress["run"], name))
            waits[name] = cast("WaitStatus", wait.custom_status or {})
    document = peering_status(identity, _given(status)["peering"], progress, waits, failure)
    if status.created_time and status.last_updated_time:
        document["started"] = status.created_time.isoformat()
        document["updated"] = status.last_updated_time.isoformat()
    return document


async def list_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`GET /api/peerings?limit=&after=`: all peerings that were ever requested, a page at a time."""
    limit, after = req.params.get("limit", "50"), req.params.get("after", "")
    if not limit.isdigit() or not 1 <= int(limit) <= LARGEST_PAGE:
        rule = f"must be a whole number from 1 to {LARGEST_PAGE}"
        return problem_response("invalid-request", "Not valid: limit.", [FieldError(field="limit", rule=rule)])
    found = await _peerings_after(client, after, int(limit) + 1)
    page = found[: int(limit)]
    summaries = await asyncio.gather(*(_summary(req, client, peering) for _, peering in page))
    body: dict[str, object] = {"peerings": summaries}
    if len(found) > len(page):
        body["next"] = f"{req.url.partition('?')[0]}?limit={limit}&after={page[-1][0]}"
    return _json(body)


async def _peerings_after(client: DurableClient, after: str, count: int) -> list[tuple[str, Peering]]:
    """The first `count` peerings behind the cursor `after`, each with its own cursor, in a fixed order."""
    keys = await client.read_entity_state(index())
    found: list[tuple[str, Peering]] = []
    for key in cast("list[str]", keys.entity_state or []):
        if len(found) >= count:
            break
        if key >= after.partition("~")[0]:
            entity = await client.read_entity_state(EntityId(ENTITY, key))
            records = cast("Records", entity.entity_state or {})
            cursors = ((f"{key}~{identity}", records[identity]["peering"]) for identity in sorted(records))
            found += [entry for entry in cursors if entry[0] > after]
    return found[:count]


async def _summary(req: func.HttpRequest, client: DurableClient, peering: Peering) -> PeeringSummary:
    status = await client.get_status(peering["id"], show_input=True)
    document = await _status_document(client, peering["id"], status)
    return PeeringSummary(
        id=peering["id"],
        state=document["state"],
        project=peering["project"],
        project_vpc_id=peering["project_vpc_id"],
        vnet_id=peering["vnet_id"],
        url=_url(req, peering["id"]),
    )


for _name, _function, _method, _route in (
    ("start_peering", start_peering, "POST", "peerings"),
    ("list_peerings", list_peerings, "GET", "peerings"),
    ("show_peering", show_peering, "GET", "peerings/{id}"),
):
    blueprint.route(route=_route, methods=[_method])(blueprint.durable_client_input(client_name="client")(_function))
