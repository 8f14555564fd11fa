"""Changes of one peering: its options, labels and note; a check, a rotation, a cancel, its removal."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import azure.functions as func

from clients import pauses
from clients.durable import DurableClient
from clients.registry import registry, sweeps
from clients.registry.migration import check_migrated
from peering.dry_run import REFUSED
from peering.labels import MOST_LABELS, merged
from peering.outcome import ProblemError
from peering.record import Record, touch
from peering.verdicts import swept
from triggers.documents.problem_documents import FieldError, InvalidRequestError
from triggers.orders import place_order
from triggers.peering import known, record_of, status_answer, status_document
from triggers.plans import plan_of_removal, plan_of_start
from triggers.requests.bodies import CHANGEABLE, NoBody, PeeringPatch, Rotation, body_of, json_body
from triggers.requests.if_match import check_revision, expected_revisions
from triggers.requests.queries import is_dry
from triggers.routes import peering_id_of


async def change_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`PATCH /api/peerings/{id}`: change options, labels and the note.

    Options are changed by a start with these options. With `dryRun=true` the response is its plan. Without options
    nothing is started, and the response is 200.
    """
    from peering.request import PeeringRequest

    peering_id = peering_id_of(req)
    _refuse_fixed(json_body(req))
    patch = body_of(req, PeeringPatch).model_dump(exclude_unset=True)
    options = {name: value for name, value in patch.items() if name in CHANGEABLE}
    record, dry = await record_of(peering_id), is_dry(req)
    peering = record["peering"]
    if options:
        there = {name: value for name, value in peering.items() if name != "id"}
        wanted = PeeringRequest.model_validate({**there, **options}, strict=False).peering()
        peering = {**wanted, "id": peering_id}
    obstacle, noting = partial(known, peering_id), partial(_note, patch)
    if dry:
        # A plan is refused for the same reasons as the change.
        check_revision(record, expected_revisions(req))
        return await plan_of_start(peering, noting)
    if not options:
        return await _only_noted(req, client, peering_id, patch)
    return await place_order(req, client, peering_id, "establish", {"peering": peering}, obstacle, noting)


def _refuse_fixed(body: object) -> None:
    """Refuse options that no start can change, and say what can."""
    fixed = [name for name in REFUSED if isinstance(body, Mapping) and name in body]
    if fixed:
        raise InvalidRequestError([FieldError(field=name, rule=REFUSED[name]) for name in fixed])


def _note(patch: Mapping[str, object], record: Record) -> None:
    """Store labels and the note of a `PATCH` in a record."""
    labels, note = patch.get("labels"), patch.get("note")
    if isinstance(labels, Mapping):
        record["labels"] = merged(record.get("labels", {}), labels)
        if len(record["labels"]) > MOST_LABELS:
            raise InvalidRequestError([FieldError(field="labels", rule=f"a peering has at most {MOST_LABELS}")])
    if "note" in patch:
        record["note"] = str(note or "")


async def _only_noted(
    req: func.HttpRequest, client: DurableClient, peering_id: str, patch: Mapping[str, object]
) -> func.HttpResponse:
    """Change labels and note, whatever is in progress."""
    await check_migrated(client)
    changed = await registry().change(peering_id, partial(_noting, req, peering_id, patch, await sweeps.last()))
    return status_answer(changed, await status_document(client, changed))


def _noting(
    req: func.HttpRequest,
    peering_id: str,
    patch: Mapping[str, object],
    last: str,
    record: Record | None,
    now: datetime,
) -> tuple[Record | None, Record]:
    if record is None:
        raise known(peering_id, None) or KeyError(peering_id)
    check_revision(record, expected_revisions(req))
    after = swept(record, last).copy()
    _note(patch, after)
    if (record.get("labels", {}), record.get("note", "")) == (after.get("labels", {}), after.get("note", "")):
        return record, record
    touch(after, now)
    return after, after


async def remove_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`DELETE /api/peerings/{id}`: remove what the app created.

    A current run is stopped first. With `dryRun=true` the response is the plan of the removal.
    """
    peering_id = peering_id_of(req)
    if is_dry(req):
        record = await record_of(peering_id)
        check_revision(record, expected_revisions(req))
        return await plan_of_removal(record)
    return await place_order(req, client, peering_id, "remove", {}, partial(known, peering_id))


async def cancel_run(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/cancel`: stop the current run, and keep what exists."""
    peering_id = peering_id_of(req)
    body_of(req, NoBody)

    def obstacle(record: Record | None) -> ProblemError | None:
        if record is not None and "order" not in record:
            return ProblemError("nothing-to-cancel", f"The peering is {record.get('state', 'failed')}.")
        return known(peering_id, record)

    return await place_order(req, client, peering_id, "cancel", {}, obstacle)


async def check_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/check`: check it now; the verdict is kept with the peering."""
    peering_id = peering_id_of(req)
    body_of(req, NoBody)
    repairs = await pauses.of_all() is None
    return await place_order(req, client, peering_id, "check", {"repairs": repairs}, partial(known, peering_id))


async def rotate_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/rotate`: a new credential, or another kind of one with `{"credential": ...}`."""
    from clients.settings import settings

    peering_id = peering_id_of(req)
    body = body_of(req, Rotation)
    credential = body.credential if body.model_fields_set else (await record_of(peering_id))["peering"]["credential"]
    settings().check_credential(credential)

    def obstacle(record: Record | None) -> ProblemError | None:
        connected = record is not None and "connected" in record and "application_object_id" in record["facts"]
        if record is not None and not connected and "order" not in record:
            return ProblemError("peering-not-connected-yet", f"The peering is {record.get('state', 'failed')}.")
        return known(peering_id, record)

    return await place_order(req, client, peering_id, "rotate", {"credential": credential}, obstacle)
