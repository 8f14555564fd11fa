"""How a request becomes an order: it is stored in the peering's record first, then its orchestrator is started."""

from collections.abc import Callable
from datetime import datetime

import azure.functions as func

from clients.durable import DurableClient
from clients.registry import registry, sweeps
from clients.registry.migration import check_migrated
from clients.registry.orders import hint, keep_ended_runs, keep_order_row, start_order
from clients.telemetry import carried, count, span
from peering.orders import Order, OrderOptions, differing, new_order, refusal
from peering.outcome import ProblemError
from peering.record import Record
from peering.registry import Placed, place
from peering.steps import Operation
from peering.verdicts import swept
from triggers.documents.answers import accepted, peering_url
from triggers.documents.problem_documents import FieldError, occurrence_response, problem_response
from triggers.requests.callers import caller
from triggers.requests.if_match import check_revision, expected_revisions
from triggers.requests.repeats import run_of

#: The obstacle to an order, other than the current order.
Obstacle = Callable[[Record | None], ProblemError | None]
#: The change of a record together with its order.
Noting = Callable[[Record], None]


async def place_order(
    req: func.HttpRequest,
    client: DurableClient,
    peering_id: str,
    operation: Operation,
    options: OrderOptions,
    obstacle: Obstacle,
    noting: Noting = lambda _: None,
) -> func.HttpResponse:
    """Put an order into a peering's record and start its orchestrator; the response has its result.

    Args:
        req: the request.
        client: Durable's client.
        peering_id: the peering.
        operation: what is asked for.
        options: the order's own fields.
        obstacle: another obstacle to the order, by the record as it was read.
        noting: another change of the record once the order is accepted or has joined.

    Raises:
        ProblemError: an obstacle, a revision that `If-Match` does not name, or the registry cannot be written.
    """
    placed = await placed_order(req, client, peering_id, operation, options, obstacle, noting)
    if placed.answer in ("409", "put off"):
        return _refused(placed.wanted, placed.order)
    return accepted(peering_id, peering_url(req, peering_id), placed)


async def placed_order(
    req: func.HttpRequest,
    client: DurableClient,
    peering_id: str,
    operation: Operation,
    options: OrderOptions,
    obstacle: Obstacle,
    noting: Noting,
) -> Placed:
    """Put an order into a peering's record; if accepted, it is started.

    The arguments and errors are those of `place_order`.
    """
    from clients.settings import settings

    run, by, deadlines = run_of(req, peering_id), caller(req), settings().deadlines
    revisions = expected_revisions(req)
    await check_migrated(client)
    last = await sweeps.last()

    def placing(record: Record | None, now: datetime) -> tuple[Record | None, Placed]:
        if (found := obstacle(record)) is not None:
            raise found
        check_revision(record, revisions)
        there = swept(record, last) if record is not None else None
        after, placed = place(there, {**new_order(operation, run, by, now, deadlines), **options, **carried()})
        if placed.answer in ("409", "put off"):
            return record, placed
        if after is not None:
            noting(after)
        return after, placed

    with span(f"order {operation}", attributes={"peering.id": peering_id}) as made:
        placed = await registry().change(peering_id, placing)
        await _bring_on(placed, client, peering_id)
        made.set_attributes({"peering.run": placed.order["run"], "peering.answer": placed.answer})
    if placed.answer in ("accept", "supersede"):
        count("peering.orders.accepted", operation=operation)
    return placed


async def _bring_on(placed: Placed, client: DurableClient, peering_id: str) -> None:
    """Start a placed order."""
    if placed.answer == "supersede":
        # A current run sees the hint or the fence; the start succeeds only if there is none.
        await hint(client, peering_id)
        await start_order(client, peering_id, tries=1)
        await keep_ended_runs(peering_id)
    elif placed.answer == "accept":
        await start_order(client, peering_id)
    else:
        await keep_order_row(peering_id)


def _refused(wanted: Order, under_way: Order) -> func.HttpResponse:
    problem = refusal(wanted, under_way)
    if problem["code"] != "running-with-other-options":
        return occurrence_response(problem)
    names = differing(under_way["peering"], wanted["peering"])
    errors = [FieldError(field=name, rule="differs from the current run") for name in names]
    return problem_response(problem["code"], problem["detail"], errors)
