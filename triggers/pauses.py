"""Pauses and resumes the automatic checks and repairs: of one peering, of some, of all."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import azure.functions as func
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient
from clients.registry import registry, sweeps
from clients.registry.migration import check_migrated
from peering.record import Pause, Record, touch
from peering.verdicts import swept
from triggers.documents.answers import json_answer
from triggers.documents.problem_documents import FieldError, InvalidRequestError
from triggers.lists import forget_columns
from triggers.many import Failed, matching, of_each
from triggers.peering import absent, status_answer, status_document
from triggers.requests.bodies import NoBody, PauseRequest, body_of
from triggers.requests.callers import caller
from triggers.requests.if_match import check_revision, expected_revisions
from triggers.requests.queries import Filters, query_of
from triggers.routes import peering_id_of


class PausedDocument(TypedDict):
    """The paused or resumed peerings: all, including future ones, or those with these ids."""

    all: bool
    peerings: list[str]
    pause: Pause | None
    failed: list[Failed]


def _pause_of(req: func.HttpRequest) -> Pause:
    """The pause that a request asks for.

    Raises:
        InvalidRequestError: it would have ended already.
    """
    wanted, now = body_of(req, PauseRequest), registry().now
    if wanted.until is not None and wanted.until <= now:
        raise InvalidRequestError([FieldError(field="until", rule="must be in the future")])
    return Pause(by=caller(req), why=wanted.why, at=now.isoformat(), until=wanted.end())


def _set(
    pause: Pause | None,
    check: Callable[[Record], None],
    peering_id: str,
    last: str,
    record: Record | None,
    now: datetime,
) -> tuple[Record | None, Record]:
    if record is None:
        raise absent(peering_id)
    check(record)
    if record.get("paused") == pause:
        return record, record
    after = swept(record, last).copy()
    after.pop("paused", None)
    if pause is not None:
        after["paused"] = pause
    touch(after, now)
    return after, after


async def _change_one(req: func.HttpRequest, client: DurableClient, pause: Pause | None) -> func.HttpResponse:
    peering_id, revisions = peering_id_of(req), expected_revisions(req)
    await check_migrated(client)
    last = await sweeps.last()
    changing = partial(_set, pause, lambda record: check_revision(record, revisions), peering_id, last)
    changed = await registry().change(peering_id, changing)
    forget_columns()
    return status_answer(changed, await status_document(client, changed))


async def pause_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/pause`: exclude a peering from automatic checks and repairs, with a reason."""
    return await _change_one(req, client, _pause_of(req))


async def resume_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings/{id}/resume`: check and repair a peering automatically again."""
    body_of(req, NoBody)
    return await _change_one(req, client, None)


async def _change_some(filters: Filters, client: DurableClient, pause: Pause | None) -> func.HttpResponse:
    await check_migrated(client)
    ids, last = await matching(filters), await sweeps.last()

    async def change(peering_id: str) -> str:
        await registry().change(peering_id, partial(_set, pause, lambda _: None, peering_id, last))
        return peering_id

    changed, failed = await of_each(ids, change)
    forget_columns()
    return json_answer(PausedDocument(all=False, peerings=sorted(changed), pause=pause, failed=failed))


async def pause_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/pause`: exclude the peerings that match a filter from automatic checks and repairs; without one, all.

    The pause of all also applies to future peerings, and ends by its own resume.
    """
    filters, pause = query_of(req, Filters), _pause_of(req)
    if filters.model_fields_set:
        return await _change_some(filters, client, pause)
    await pauses.pause_all(pause)
    return json_answer(PausedDocument(all=True, peerings=[], pause=pause, failed=[]))


async def resume_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/resume`: check and repair the peerings that match a filter again; without one, end the pause of all.

    Peerings that were paused individually stay paused until they are resumed individually.
    """
    filters = query_of(req, Filters)
    body_of(req, NoBody)
    if filters.model_fields_set:
        return await _change_some(filters, client, None)
    await pauses.resume_all()
    return json_answer(PausedDocument(all=True, peerings=[], pause=None, failed=[]))
