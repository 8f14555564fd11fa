"""`/api/peerings`: start a peering or ask what a start would do, and list them all."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, cast
from urllib.parse import urlencode

import azure.functions as func

from clients.durable import DurableClient
from clients.registry import registry
from clients.registry.rows import vpc_of
from peering.aiven_vpc import AivenVpc, VpcNames
from peering.naming import earlier_peering_id, same_id
from peering.spec import Peering
from triggers.answers import collection_url, json_answer, peering_url
from triggers.bodies import json_body
from triggers.lists import listed
from triggers.orders import place_order
from triggers.problem_documents import (
    field_errors,
    occurrence_document,
    problem_response,
)
from triggers.routes import is_dry

if TYPE_CHECKING:
    from pydantic import ValidationError


class PeeringSummary(VpcNames):
    """One peering in the list."""

    id: str
    state: str
    verdict: NotRequired[str]
    problem: NotRequired[str]
    vnet_id: str
    url: str


async def start_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings`: start a peering, or join the run that is under way; with `dryRun=true` only plan it."""
    # Validation is imported with the first request, so that a cold start of another function does not pay for it.
    from pydantic import ValidationError

    from clients.settings import settings
    from peering.request import PeeringRequest

    dry = is_dry(req)
    json_body(req)
    try:
        peering = PeeringRequest.model_validate_json(req.get_body()).peering()
    except ValidationError as error:
        return _invalid(error)
    settings().check_credential(peering["credential"])
    peering["id"] = await _id_of(peering)
    if dry:
        return await _plan(peering)
    return await place_order(req, client, peering["id"], "establish", {"peering": peering}, lambda _: None)


async def _id_of(peering: Peering) -> str:
    """The id of a pair: the one that its record has, which may be that of an earlier version."""
    vpc = AivenVpc.of(peering)
    earlier = earlier_peering_id(vpc.owner, vpc.id, peering["vnet_id"])
    if earlier == peering["id"]:
        return earlier
    record = await registry().record(earlier)
    return (
        earlier if record is not None and same_id(record["peering"]["vnet_id"], peering["vnet_id"]) else peering["id"]
    )


async def _plan(peering: Peering) -> func.HttpResponse:
    """What a start would do, by the looks that a start begins with; nothing is changed."""
    from activities.looks.start import facts_of, look
    from peering.dry_run import plan_of

    record = await registry().record(peering["id"])
    outcomes = await look(peering, record["facts"] if record else {})
    problems = [outcome["problem"] for outcome in outcomes.values() if "problem" in outcome]
    plan = plan_of(peering, facts_of(outcomes), problems, record["peering"] if record else None)
    documents = {name: [occurrence_document(one) for one in plan[name]] for name in ("obstacles", "waits")}
    return json_answer({"id": peering["id"], "peering": peering, **plan, **documents})


def _invalid(error: "ValidationError") -> func.HttpResponse:
    errors = field_errors(error)
    if any(found["type"] == "json_invalid" for found in error.errors(include_input=False, include_url=False)):
        return problem_response("not-json", errors[0]["rule"])
    named = ", ".join(dict.fromkeys(found["field"] for found in errors))
    return problem_response("invalid-request", f"Not valid: {named}.", errors)


async def list_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings`: the peerings in pages, with `limit` and `after`; filtered, with `sort`, with `count`."""
    page = await listed(req.params)
    body: dict[str, object] = {"peerings": [_summary(req, row) for row in page.rows]}
    if page.next is not None:
        given = {name: value for name, value in req.params.items() if name not in ("after", "code")}
        body["next"] = f"{collection_url(req)}?{urlencode({**given, 'after': page.next})}"
    if page.count is not None:
        body["count"] = page.count
    return json_answer(body)


def _summary(req: func.HttpRequest, row: Mapping[str, object]) -> PeeringSummary:
    """One line of the list."""
    identity = str(row["RowKey"])
    line = {
        "id": identity,
        "state": str(row["state"]),
        **vpc_of(row).names,
        "vnet_id": str(row["vnet_id"]),
        "url": peering_url(req, identity),
        **{name: row[name] for name in ("verdict", "problem") if row.get(name)},
    }
    return cast("PeeringSummary", line)
