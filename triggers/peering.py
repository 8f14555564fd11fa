"""`/api/peerings/{id}`: see how a peering stands, check it, rotate its credential, report on it, remove it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, cast
from uuid import uuid4

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient, OrchestrationStatus, is_running, start_unless_running
from clients.registry import given_peering, record_of
from orchestrators.progress import Progress
from peering.checks import CheckInput
from peering.outcome import ProblemError
from peering.registry import Record, entity_key
from peering.runs import RunInput, check_instance_id, removal_instance_id, wait_instance_id
from peering.spec import Peering
from triggers.answers import RETRY_AFTER, accepted, json_answer, peering_url
from triggers.callers import caller
from triggers.peering_status import UNDER_WAY, PeeringStatus, WaitStatus, peering_status
from triggers.problem_documents import FieldError, occurrence_response, problem_response

blueprint: Final = Blueprint()


@dataclass(frozen=True)
class Found:
    """A peering that a request is about: its last orchestration, and what the registry keeps of it."""

    identity: str
    peering: Peering
    status: OrchestrationStatus
    checking: bool
    record: Record | None

    @property
    def under_way(self) -> str | None:
        """The operation that is at work on it."""
        return self.status.name if is_running(self.status) else None


Answer = Callable[[func.HttpRequest, DurableClient, Found], Awaitable[func.HttpResponse]]


async def _find(req: func.HttpRequest, client: DurableClient) -> Found | None:
    identity = req.route_params["id"]
    if ":" in identity:
        return None
    # In this order: a check begins its repair before it ends, and the registry knows the outcome of what has ended.
    check = await client.get_status(check_instance_id(identity))
    status = await client.get_status(identity, show_input=True)
    peering = given_peering(status) if status else None
    record = await record_of(client, identity, peering)
    known = record["peering"] if record else peering
    return Found(identity, known, status, is_running(check), record) if known is not None else None


def _about_a_peering(answer: Answer) -> Callable[..., Awaitable[func.HttpResponse]]:
    """A route's function that finds the peering first, and answers 404 when there is none."""

    async def function(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
        try:
            found = await _find(req, client)
            if found is None:
                return problem_response("peering-not-found", f"There is no peering {req.route_params['id']}.")
            return await answer(req, client, found)
        except ProblemError as error:
            return occurrence_response(error.occurrence)

    function.__name__ = answer.__name__
    function.__doc__ = answer.__doc__
    return function


async def show_peering(_: func.HttpRequest, client: DurableClient, found: Found) -> func.HttpResponse:
    """`GET /api/peerings/{id}`: how one peering stands, step by step."""
    document = await status_document(client, found)
    headers = {"Retry-After": RETRY_AFTER} if found.under_way else {}
    return json_answer(document, 200, headers)


async def status_document(client: DurableClient, found: Found) -> PeeringStatus:
    """The whole status of a peering."""
    status = found.status
    progress = cast("Progress | None", status.custom_status)
    failure = None
    if status.runtime_status is not None and status.runtime_status.name in ("Failed", "Terminated", "Canceled"):
        failure = f"The orchestration is {status.runtime_status.name}."
    waits: dict[str, WaitStatus] = {}
    for name, step in (progress["steps"] if progress else {}).items():
        if step["state"] == "waiting" and progress is not None:
            wait = await client.get_status(wait_instance_id(found.identity, progress["run"], name))
            waits[name] = cast("WaitStatus", wait.custom_status or {})
    document = peering_status(
        found.peering, progress, found.record, waits, failure, under_way=found.under_way is not None
    )
    document["checking"] = found.checking
    if status.created_time and status.last_updated_time:
        document["started"] = status.created_time.isoformat()
        document["updated"] = status.last_updated_time.isoformat()
    return document


async def remove_peering(req: func.HttpRequest, client: DurableClient, found: Found) -> func.HttpResponse:
    """`DELETE /api/peerings/{id}`: take away what the app made; a run that is under way is stopped in order first."""
    from clients.settings import settings

    if found.record is None and not found.under_way:
        return problem_response("peering-not-found", f"The peering {found.identity} was removed.")
    given = RunInput(peering=found.peering, deadlines=settings().deadlines, run=uuid4().hex[:8], by=caller(req))
    url = peering_url(req, found.identity)
    if await start_unless_running(client, "remove", found.identity, given):
        return accepted(found.identity, url, "removing", joined=False)
    running = await client.get_status(found.identity)
    if is_running(running) and running.name == "remove":
        return accepted(found.identity, url, "removing", joined=True)
    removal = removal_instance_id(found.identity)
    begun = await start_unless_running(client, "stop_and_remove", removal, given)
    return accepted(found.identity, url, "removing", joined=not begun)


async def check_peering(req: func.HttpRequest, client: DurableClient, found: Found) -> func.HttpResponse:
    """`POST /api/peerings/{id}/check`: check it now; the verdict is kept with the peering."""
    from clients.settings import settings

    if found.record is None or found.under_way:
        return _busy(found)
    peering = found.peering
    only = {"key": entity_key(peering["project"], peering["project_vpc_id"]), "id": found.identity}
    check = CheckInput(only=only, repairs=True, deadlines=settings().deadlines)  # type: ignore[typeddict-item]
    begun = await start_unless_running(client, "check_health", check_instance_id(found.identity), check)
    return accepted(found.identity, peering_url(req, found.identity), "checking", joined=not begun)


async def rotate_peering(req: func.HttpRequest, client: DurableClient, found: Found) -> func.HttpResponse:
    """`POST /api/peerings/{id}/rotate`: a new credential, or another kind of one with `{"credential": ...}`."""
    from clients.settings import settings

    wanted = _wanted_credential(req)
    if isinstance(wanted, func.HttpResponse):
        return wanted
    record = found.record
    if record is None or found.under_way:
        return _busy(found)
    if "application_object_id" not in record["facts"] or "connected" not in record:
        return problem_response("peering-not-connected-yet", f"The peering is {record.get('state', 'running')}.")
    credential = wanted or found.peering["credential"]
    settings().check_credential(credential)
    given = RunInput(
        peering=found.peering,
        deadlines=settings().deadlines,
        run=uuid4().hex[:8],
        by=caller(req),
        credential=credential,  # type: ignore[typeddict-item]
    )
    if not await start_unless_running(client, "rotate", found.identity, given):
        return problem_response("operation-under-way", "Another operation has begun in this moment.")
    return accepted(found.identity, peering_url(req, found.identity), UNDER_WAY["rotate"], joined=False)


def _wanted_credential(req: func.HttpRequest) -> str | func.HttpResponse | None:
    body = req.get_body()
    if not body.strip():
        return None
    try:
        given = json.loads(body)
    except ValueError:
        return problem_response("not-json", "The body is neither empty nor JSON.")
    if isinstance(given, dict) and set(given) <= {"credential"} and given.get("credential") in ("secret", "federated"):
        return str(given["credential"])
    errors = [FieldError(field="credential", rule="must be secret or federated, and the only field")]
    return problem_response("invalid-request", "Not valid: credential.", errors)


async def report_peering(req: func.HttpRequest, _: DurableClient, found: Found) -> func.HttpResponse:
    """`GET /api/peerings/{id}/report`: what a network team signs, as Markdown, or as JSON when that is accepted."""
    from peering.report import markdown, report

    if found.record is None:
        return problem_response("peering-not-found", f"The registry has no peering {found.identity}.")
    document = report(found.record)
    if "application/json" in req.headers.get("accept", "") or req.params.get("format") == "json":
        return json_answer(document)
    return func.HttpResponse(markdown(document), mimetype="text/markdown")


def _busy(found: Found) -> func.HttpResponse:
    if found.under_way:
        return problem_response("operation-under-way", f"Under way: {found.under_way}.")
    return problem_response("peering-not-found", f"The registry has no peering {found.identity}.")


for _answer, _method, _route in (
    (show_peering, "GET", "peerings/{id}"),
    (remove_peering, "DELETE", "peerings/{id}"),
    (check_peering, "POST", "peerings/{id}/check"),
    (rotate_peering, "POST", "peerings/{id}/rotate"),
    (report_peering, "GET", "peerings/{id}/report"),
):
    _function = blueprint.durable_client_input(client_name="client")(_about_a_peering(_answer))
    blueprint.route(route=_route, methods=[_method])(_function)
