"""`POST /api/checks`: check peerings now, all of them or those that match a filter."""

from functools import partial
from typing import NotRequired

import azure.functions as func
from azure.durable_functions import OrchestrationRuntimeStatus
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient, start_unless_running
from clients.registry import registry, sweeps
from clients.registry.migration import check_migrated
from peering.calls import CHECK_HEALTH
from peering.orders import refusal
from peering.outcome import ProblemError
from peering.runs import SWEEP
from peering.sweep import Sweep
from triggers.documents.answers import RETRY_AFTER, json_answer, peering_url
from triggers.many import Failed, matching, of_each
from triggers.orders import placed_order
from triggers.peering import known
from triggers.requests.bodies import NoBody, body_of
from triggers.requests.queries import Filters, query_of


class CheckBegun(TypedDict):
    """The check of one peering: its run; `joined` says that the run existed already."""

    id: str
    run: str
    joined: bool
    url: str


class ChecksDocument(TypedDict):
    """What was started: the check of all, which `run` names, or one for each peering; `failed` lists the others."""

    run: NotRequired[str]
    joined: NotRequired[bool]
    checks: list[CheckBegun]
    failed: list[Failed]


async def check_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/checks`: check the peerings that match a filter now; without one, all that are not paused."""
    filters = query_of(req, Filters)
    body_of(req, NoBody)
    repairs = await pauses.of_all() is None
    if not filters.model_fields_set:
        return await _check_all(client, repairs=repairs)

    async def check(peering_id: str) -> CheckBegun:
        obstacle = partial(known, peering_id)
        placed = await placed_order(req, client, peering_id, "check", {"repairs": repairs}, obstacle, lambda _: None)
        if placed.answer in ("409", "put off"):
            found = refusal(placed.wanted, placed.order)
            raise ProblemError(found["code"], found["detail"])
        joined = placed.answer == "join"
        return CheckBegun(id=peering_id, run=placed.order["run"], joined=joined, url=peering_url(req, peering_id))

    checks, failed = await of_each(await matching(filters), check)
    document = ChecksDocument(checks=sorted(checks, key=lambda one: one["id"]), failed=failed)
    return json_answer(document, 202, {"Retry-After": RETRY_AFTER})


async def _check_all(client: DurableClient, *, repairs: bool) -> func.HttpResponse:
    """Start the check of all that is also scheduled, or join the current one."""
    from clients.settings import settings

    await check_migrated(client)
    given, at = Sweep(repairs=repairs, deadlines=settings().deadlines), registry().now.isoformat()
    started = await start_unless_running(client, CHECK_HEALTH, SWEEP, given)
    if started or (await client.get_status(SWEEP)).runtime_status is OrchestrationRuntimeStatus.Pending:
        # A start that the platform has lost is repeated, also for the callers who have joined it.
        await sweeps.note_wanted(at)
    document = ChecksDocument(run=SWEEP, joined=not started, checks=[], failed=[])
    return json_answer(document, 202, {"Retry-After": RETRY_AFTER})
