"""`/api/peerings`: start a peering or ask what a start would do, and list them all."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict, cast
from uuid import uuid4

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient, OrchestrationStatus, is_running, start_unless_running
from clients.registry import given_peering, index, keys, record_of, registry
from orchestrators.progress import Progress
from peering.outcome import ProblemError
from peering.registry import Record, entity_key, is_busy
from peering.runs import RunInput
from peering.spec import Peering
from triggers.answers import accepted, collection_url, json_answer, peering_url
from triggers.callers import caller
from triggers.peering_status import UNDER_WAY, occurrence_document
from triggers.problem_documents import FieldError, field_errors, occurrence_response, problem_response

if TYPE_CHECKING:
    from pydantic import ValidationError

blueprint: Final = Blueprint()
log: Final = logging.getLogger("aiven_azure_peering.api")

LARGEST_BODY: Final = 64 * 1024
LARGEST_PAGE: Final = 100


class PeeringSummary(TypedDict):
    """One peering in the list."""

    id: str
    state: str
    verdict: NotRequired[str]
    project: str
    project_vpc_id: str
    vnet_id: str
    url: str


async def start_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings`: start a peering, or join the run that is under way; with `dryRun=true` only plan it."""
    # Validation is imported with the first request, so that a cold start of another function does not pay for it.
    from pydantic import ValidationError

    from clients.settings import settings
    from peering.request import PeeringRequest

    body, dry = req.get_body(), req.params.get("dryRun", "false").lower()
    if len(body) > LARGEST_BODY:
        return problem_response("body-too-large", f"The body has {len(body)} bytes; at most {LARGEST_BODY} are read.")
    if dry not in ("true", "false"):
        return _wrong_parameter("dryRun", "must be true or false")
    try:
        peering = PeeringRequest.model_validate_json(body).peering()
        given = RunInput(peering=peering, deadlines=settings().deadlines, run=uuid4().hex[:8], by=caller(req))
        settings().check_credential(peering["credential"])
    except ValidationError as error:
        return _invalid(error)
    except ProblemError as error:
        return occurrence_response(error.occurrence)
    if dry == "true":
        return await _plan(client, peering)
    return await _start(req, client, given)


async def _start(req: func.HttpRequest, client: DurableClient, given: RunInput) -> func.HttpResponse:
    peering = given["peering"]
    running = await client.get_status(peering["id"], show_input=True)
    if is_running(running):
        return _join(req, running, peering)
    await client.signal_entity(index(), "add", entity_key(peering["project"], peering["project_vpc_id"]))
    if not await start_unless_running(client, "establish", peering["id"], given):
        return _join(req, await client.get_status(peering["id"], show_input=True), peering)
    log.info("peering=%s run=%s started", peering["id"], given["run"])
    return accepted(peering["id"], peering_url(req, peering["id"]), "running", joined=False)


async def _plan(client: DurableClient, peering: Peering) -> func.HttpResponse:
    """What a start would do, by the looks that a start begins with; nothing is changed."""
    from activities.dry_run import look
    from peering.dry_run import plan_of

    record = await record_of(client, peering["id"], peering)
    facts, problems = await look(peering, record["facts"] if record else {})
    plan = plan_of(peering, facts, problems)
    documents = {name: [occurrence_document(one) for one in plan[name]] for name in ("obstacles", "waits")}
    return json_answer({"id": peering["id"], "peering": peering, **plan, **documents})


def _invalid(error: "ValidationError") -> func.HttpResponse:
    errors = field_errors(error)
    if any(found["type"] == "json_invalid" for found in error.errors(include_input=False, include_url=False)):
        return problem_response("not-json", errors[0]["rule"])
    named = ", ".join(dict.fromkeys(found["field"] for found in errors))
    return problem_response("invalid-request", f"Not valid: {named}.", errors)


def _wrong_parameter(name: str, rule: str) -> func.HttpResponse:
    return problem_response("invalid-request", f"Not valid: {name}.", [FieldError(field=name, rule=rule)])


def _join(req: func.HttpRequest, running: OrchestrationStatus, peering: Peering) -> func.HttpResponse:
    progress = cast("Progress | None", running.custom_status)
    if running.name == "remove" or (progress is not None and progress["state"] == "stopping"):
        return problem_response("being-removed", f"The peering {peering['id']} is being removed.")
    if running.name != "establish":
        return problem_response("operation-under-way", f"Under way: {running.name}.")
    under_way = given_peering(running) or peering
    # Azure compares names without case, so another spelling of the VNet is not another option.
    differing = [
        n
        for n, v in under_way.items()
        if str(v).casefold() != str(cast("dict[str, object]", peering).get(n)).casefold()
    ]
    if differing:
        errors = [FieldError(field=name, rule="differs from the run that is under way") for name in differing]
        return problem_response("running-with-other-options", f"Different: {', '.join(differing)}.", errors)
    return accepted(peering["id"], peering_url(req, peering["id"]), "running", joined=True)


async def list_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`GET /api/peerings?limit=&after=`: all peerings of the registry, a page at a time."""
    limit, after = req.params.get("limit", "50"), req.params.get("after", "")
    if not limit.isdigit() or not 1 <= int(limit) <= LARGEST_PAGE:
        return _wrong_parameter("limit", f"must be a whole number from 1 to {LARGEST_PAGE}")
    found = await _records_after(client, after, int(limit) + 1)
    page = found[: int(limit)]
    summaries = await asyncio.gather(*(_summary(req, client, record) for _, record in page))
    body: dict[str, object] = {"peerings": summaries}
    if len(found) > len(page):
        body["next"] = f"{collection_url(req)}?limit={limit}&after={page[-1][0]}"
    return json_answer(body)


async def _records_after(client: DurableClient, after: str, count: int) -> list[tuple[str, Record]]:
    """The first `count` records behind the cursor `after`, each with its own cursor, in a fixed order."""
    found: list[tuple[str, Record]] = []
    for key in await keys(client):
        if len(found) >= count:
            break
        if key >= after.partition("~")[0]:
            records = (await registry(client, key))["peerings"]
            cursors = ((f"{key}~{identity}", records[identity]) for identity in sorted(records))
            found += [entry for entry in cursors if entry[0] > after]
    return found[:count]


async def _summary(req: func.HttpRequest, client: DurableClient, record: Record) -> PeeringSummary:
    """One line of the list; only a peering that something is at work on costs a question to the engine."""
    peering, state = record["peering"], record.get("state", "failed")
    if is_busy(record) and is_running(await client.get_status(peering["id"])):
        state = UNDER_WAY[record["runs"][-1]["operation"]]
    summary = PeeringSummary(
        id=peering["id"],
        state=state,
        project=peering["project"],
        project_vpc_id=peering["project_vpc_id"],
        vnet_id=peering["vnet_id"],
        url=peering_url(req, peering["id"]),
    )
    if "health" in record:
        summary["verdict"] = record["health"]["verdict"]
    return summary


for _name, _function, _method, _route in (
    ("start_peering", start_peering, "POST", "peerings"),
    ("list_peerings", list_peerings, "GET", "peerings"),
):
    blueprint.route(route=_route, methods=[_method])(blueprint.durable_client_input(client_name="client")(_function))
