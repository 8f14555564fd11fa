"""How a request becomes an order: first into the peering's record, then, whatever comes of it, a start."""

from collections.abc import Callable
from datetime import datetime
from typing import cast
from uuid import uuid4

import azure.functions as func

from clients.durable import DurableClient
from clients.registry import registry
from clients.registry.migration import check_migrated
from clients.registry.orders import hint, keep_ended_runs, start_order
from peering.orders import Order, differing, new_order, refusal
from peering.outcome import ProblemError
from peering.registry import Placed, Record, place
from peering.steps import Operation
from triggers.answers import accepted, peering_url
from triggers.callers import caller
from triggers.problem_documents import FieldError, occurrence_response, problem_response

#: What keeps an order from a record, for another reason than the order that is under way.
Obstacle = Callable[[Record | None], ProblemError | None]


async def place_order(
    req: func.HttpRequest,
    client: DurableClient,
    peering_id: str,
    operation: Operation,
    options: dict[str, object],
    obstacle: Obstacle,
) -> func.HttpResponse:
    """Put an order into a peering's record and start its orchestrator; the answer says what became of the order.

    Args:
        req: the request.
        client: Durable's client.
        peering_id: the peering.
        operation: what is asked for.
        options: the order's own fields.
        obstacle: what else keeps the order from the record as it was read.

    Raises:
        ProblemError: an obstacle, or the registry cannot be written.
    """
    from clients.settings import settings

    run, by, deadlines = uuid4().hex[:8], caller(req), settings().deadlines
    await check_migrated(client)

    def placing(record: Record | None, now: datetime) -> tuple[Record | None, Placed]:
        if (found := obstacle(record)) is not None:
            raise found
        return place(record, cast("Order", {**new_order(operation, run, by, now, deadlines), **options}))

    placed = await registry().change(peering_id, placing)
    if placed.answer in ("409", "put off"):
        wanted = cast("Order", {**new_order(operation, run, by, registry().now, deadlines), **options})
        return _refused(wanted, placed.order)
    if placed.answer == "supersede":
        # What is under way sees the hint or the fence; only where nothing is, the start succeeds.
        await hint(client, peering_id)
        await start_order(client, peering_id, tries=1)
        await keep_ended_runs(peering_id)
    elif placed.answer == "accept":
        await start_order(client, peering_id)
    return accepted(peering_id, peering_url(req, peering_id), placed)


def _refused(wanted: Order, under_way: Order) -> func.HttpResponse:
    problem = refusal(wanted, under_way)
    if problem["code"] != "running-with-other-options":
        return occurrence_response(problem)
    names = differing(under_way["peering"], wanted["peering"])
    errors = [FieldError(field=name, rule="differs from the run that is under way") for name in names]
    return problem_response(problem["code"], problem["detail"], errors)
