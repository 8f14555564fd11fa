"""`/api/peerings/{id}`: see how a peering stands, check it, rotate its credential, report on it, cancel, remove it."""

from typing import Final, cast

import azure.functions as func

from clients.durable import DurableClient
from clients.registry import registry, sweeps
from peering.outcome import ProblemError
from peering.progress import Progress
from peering.registry import Record, is_busy, swept
from peering.runs import wait_instance_id
from peering.spec import Credential
from triggers.answers import RETRY_AFTER, accepts_json, json_answer
from triggers.bodies import json_body
from triggers.orders import place_order
from triggers.peering_status import PeeringStatus, WaitStatus, peering_status, removed_status
from triggers.problem_documents import FieldError, InvalidRequestError, occurrence_document
from triggers.routes import is_dry, peering_id

#: The runs that the history of a peering shows.
_SHOWN_RUNS: Final = 100


def _absent(identity: str) -> ProblemError:
    return ProblemError("peering-not-found", f"The registry has no peering {identity}.")


async def _record(identity: str) -> Record:
    record = await registry().record(identity)
    if record is None:
        raise _absent(identity)
    return record


async def show_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`GET /api/peerings/{id}`: how one peering stands, step by step; one that was removed, how it ended."""
    identity = peering_id(req)
    record = await registry().record(identity)
    if record is None:
        ended = await registry().runs(identity, 1)
        if not ended:
            raise _absent(identity)
        return json_answer(removed_status(ended[0]))
    headers = {"ETag": f'"{record["revision"]}"', **({"Retry-After": RETRY_AFTER} if is_busy(record) else {})}
    return json_answer(await status_document(client, record), 200, headers)


async def status_document(client: DurableClient, record: Record) -> PeeringStatus:
    """The whole status of a peering: by its record, and while an execution is at work by what that tells."""
    order, progress, waits = record.get("order"), None, dict[str, WaitStatus]()
    if order is not None and "execution" in order:
        identity = record["peering"]["id"]
        status = await client.get_status(identity)
        told = cast("Progress | None", status.custom_status)
        if told is not None and told.get("execution") == order["execution"]:
            progress = told
        for name in [n for n, step in progress["steps"].items() if step["state"] == "waiting"] if progress else ():
            wait = await client.get_status(wait_instance_id(identity, order["execution"], name))
            waits[name] = cast("WaitStatus", wait.custom_status or {})
    return peering_status(swept(record, await sweeps.last()), progress, waits)


async def show_runs(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings/{id}/runs`: who asked for what and what became of it, also when the peering is gone."""
    identity = peering_id(req)
    runs, record = await registry().runs(identity, _SHOWN_RUNS), await registry().record(identity)
    if not runs and record is None:
        raise _absent(identity)
    # What the record says has just ended may not be in the table of runs yet.
    known = {run["run"]: run for run in (*runs, *(record.get("unnoted", ()) if record else ()))}
    newest = sorted(known.values(), key=lambda run: run["started"], reverse=True)
    return json_answer({"id": identity, "runs": newest[:_SHOWN_RUNS]})


async def remove_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`DELETE /api/peerings/{id}`: take away what the app made, or with `dryRun=true` say what would go.

    A run that is under way is stopped in order first.
    """
    identity = peering_id(req)
    if is_dry(req):
        return await _removal_plan(await _record(identity))
    return await place_order(req, client, identity, "remove", {}, lambda record: _known(record, identity))


async def _removal_plan(record: Record) -> func.HttpResponse:
    """What a removal would do, by the looks that it begins with; nothing is changed."""
    from activities.looks.removal import look_at_removal
    from peering.removal_plan import removal_plan_of

    plan = removal_plan_of(record, await look_at_removal(record))
    documents = {name: [occurrence_document(one) for one in plan[name]] for name in ("obstacles", "waits")}
    return json_answer({"id": record["peering"]["id"], "peering": record["peering"], **plan, **documents})


def _known(record: Record | None, identity: str) -> ProblemError | None:
    return None if record is not None else _absent(identity)


async def cancel_run(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/cancel`: stop what is under way, and leave what is there."""
    identity = peering_id(req)

    def obstacle(record: Record | None) -> ProblemError | None:
        if record is not None and "order" not in record:
            return ProblemError("nothing-to-cancel", f"The peering is {record.get('state', 'failed')}.")
        return _known(record, identity)

    return await place_order(req, client, identity, "cancel", {}, obstacle)


async def check_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/check`: check it now; the verdict is kept with the peering."""
    identity = peering_id(req)
    return await place_order(req, client, identity, "check", {"repairs": True}, lambda record: _known(record, identity))


async def rotate_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/rotate`: a new credential, or another kind of one with `{"credential": ...}`."""
    identity = peering_id(req)
    from clients.settings import settings

    wanted = _wanted_credential(json_body(req))
    credential = wanted or (await _record(identity))["peering"]["credential"]
    settings().check_credential(credential)

    def obstacle(record: Record | None) -> ProblemError | None:
        connected = record is not None and "connected" in record and "application_object_id" in record["facts"]
        if record is not None and not connected and "order" not in record:
            return ProblemError("peering-not-connected-yet", f"The peering is {record.get('state', 'failed')}.")
        return _known(record, identity)

    return await place_order(req, client, identity, "rotate", {"credential": credential}, obstacle)


def _wanted_credential(given: object) -> Credential | None:
    """The kind of credential that a body names, if it is not empty.

    Raises:
        InvalidRequestError: it is anything else.
    """
    if given == {}:
        return None
    if isinstance(given, dict) and set(given) == {"credential"} and given["credential"] in ("secret", "federated"):
        return cast("Credential", given["credential"])
    raise InvalidRequestError([FieldError(field="credential", rule="must be secret or federated, and the only field")])


async def report_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings/{id}/report`: what a network team signs, as Markdown, or as JSON when that is accepted."""
    from activities.looks.peering import look_of_peering
    from peering.report import markdown, report

    record = swept(await _record(peering_id(req)), await sweeps.last())
    document = report(record, await look_of_peering(record["peering"], record["facts"]))
    if accepts_json(req) or req.params.get("format") == "json":
        return json_answer(document)
    return func.HttpResponse(markdown(document), mimetype="text/markdown")
