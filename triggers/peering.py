"""`/api/peerings/{id}`: the status of a peering, its runs, and its report."""

from typing import Final

import azure.functions as func
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient, OrchestrationStatus
from clients.registry import registry, sweeps
from peering.orders import Order
from peering.outcome import ProblemError
from peering.progress import Progress
from peering.record import Record, RunRecord
from peering.registry import peering_of
from peering.runs import wait_instance_id
from peering.verdicts import swept
from triggers.documents.answers import RETRY_AFTER, accepts_json, etag, json_answer
from triggers.documents.peering_status import (
    PeeringStatus,
    RunDocument,
    WaitStatus,
    peering_status,
    removed_status,
    run_document,
)
from triggers.requests.queries import ReportQuery, query_of
from triggers.routes import peering_id_of

#: The runs that the history of a peering shows.
_SHOWN_RUNS: Final = 100


class Runs(TypedDict):
    """The runs of a peering, the newest first."""

    id: str
    runs: list[RunDocument]


def absent(peering_id: str) -> ProblemError:
    """The problem of a peering that the registry does not have."""
    return ProblemError("peering-not-found", f"The registry has no peering {peering_id}.")


def known(peering_id: str, record: Record | None) -> ProblemError | None:
    """The obstacle to an order for a peering that does not exist."""
    return None if record is not None else absent(peering_id)


async def record_of(peering_id: str) -> Record:
    """The record of a peering.

    Raises:
        ProblemError: `peering-not-found`.
    """
    record = await registry().record(peering_id)
    if record is None:
        raise absent(peering_id)
    return record


async def show_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`GET /api/peerings/{id}`: the status of a peering, step by step; of a removed one, its last run."""
    peering_id = peering_id_of(req)
    record = await registry().record(peering_id)
    if record is None:
        ended = await registry().history.of(peering_id, 1)
        if not ended:
            raise absent(peering_id)
        return json_answer(removed_status(ended[0]))
    return status_answer(record, await status_document(client, record))


def status_answer(record: Record, document: PeeringStatus) -> func.HttpResponse:
    """The status of a peering with the ETag for `If-Match`, and the poll interval while an order is open."""
    answer = json_answer(document, 200, {"Retry-After": RETRY_AFTER} if "order" in record else {})
    answer.headers["ETag"] = etag(answer.get_body(), record["revision"])
    return answer


async def status_document(client: DurableClient, record: Record) -> PeeringStatus:
    """The full status of a peering: from its record, and during an execution from that execution's status."""
    order, progress, waits = record.get("order"), None, dict[str, WaitStatus]()
    if order is not None and "execution" in order:
        peering_id = record["peering"]["id"]
        status: OrchestrationStatus[Progress] = await client.get_status(peering_id)
        told = status.custom_status
        if told is not None and told.get("execution") == order["execution"]:
            progress = told
        for name in [n for n, step in progress["steps"].items() if step["state"] == "waiting"] if progress else ():
            instance = wait_instance_id(peering_id, order["execution"], name)
            wait: OrchestrationStatus[WaitStatus] = await client.get_status(instance)
            waits[name] = wait.custom_status or {}
    document = peering_status(swept(record, await sweeps.last()), progress, waits)
    if (pause := await pauses.shown()) is not None:
        document["paused_all"] = pause
    return document


async def show_runs(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings/{id}/runs`: who requested what, and the results; also the current run, and after a removal."""
    peering_id = peering_id_of(req)
    # The record is read first: what leaves it is in the table of runs by then.
    record, runs = await registry().record(peering_id), await registry().history.of(peering_id, _SHOWN_RUNS)
    if not runs and record is None:
        raise absent(peering_id)
    shown = {run["run"]: run_document(run) for run in (*runs, *_unnoted(record))}
    if record is not None and "order" in record:
        shown.setdefault(record["order"]["run"], _current(record, record["order"]))
    newest = sorted(shown.values(), key=lambda run: run["started"], reverse=True)
    return json_answer(Runs(id=peering_id, runs=newest[:_SHOWN_RUNS]))


async def show_run(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings/{id}/runs/{run}`: one run, in full once it has ended, also after the peering is removed."""
    peering_id, name = peering_id_of(req), req.route_params["run"]
    record, run = await registry().record(peering_id), await registry().history.one(peering_id, name)
    run = next((one for one in _unnoted(record) if one["run"] == name), run)
    if run is not None:
        return json_answer(run_document(run))
    if record is None or "order" not in record or record["order"]["run"] != name:
        raise ProblemError("run-not-found", f"Peering {peering_id} has no run of that name.")
    return json_answer(_current(record, record["order"]), 200, {"Retry-After": RETRY_AFTER})


def _current(record: Record, order: Order) -> RunDocument:
    """A run that has not ended."""
    peering_id, peering = record["peering"]["id"], peering_of(record, order)
    run = RunDocument(
        id=peering_id,
        operation=order["operation"],
        run=order["run"],
        by=order["by"],
        started=order["at"],
        peering=peering,
    )
    if "taken" in order:
        run["taken"] = order["taken"]
    return run


def _unnoted(record: Record | None) -> list[RunRecord]:
    """Runs that a record lists as just ended, which may not be in the table of runs yet."""
    return record.get("unnoted", []) if record is not None else []


async def report_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings/{id}/report`: a report for a network team to sign, as Markdown, or as JSON if accepted."""
    from activities.looks.peering import look_of_peering
    from peering.report import markdown, report

    form = query_of(req, ReportQuery).format
    record = swept(await record_of(peering_id_of(req)), await sweeps.last())
    document = report(record, await look_of_peering(record["peering"], record["facts"]))
    if accepts_json(req) or form == "json":
        return json_answer(document)
    return func.HttpResponse(markdown(document), mimetype="text/markdown")
