"""`POST /api/callers/erase`: erase the name and the id of a caller from the registry."""

import logging
from typing import Final

import azure.functions as func
from typing_extensions import TypedDict

from clients.durable import DurableClient
from clients.registry.erasing import erase
from clients.registry.migration import check_migrated
from triggers.documents.answers import json_answer
from triggers.lists import forget_columns
from triggers.requests.bodies import Erasure, body_of
from triggers.requests.callers import caller

log: Final = logging.getLogger("aiven_azure_peering.audit")


class ErasedDocument(TypedDict):
    """How many rows of each kind no longer name the caller. `left`: rows that another request has to change."""

    peerings: int
    runs: int
    refusals: int
    left: int


async def erase_caller(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/callers/erase`: replace a caller's name and id by `erased` in all peerings, runs and refused requests.

    This cannot be undone. Labels and notes stay; what they say of a person is changed with `PATCH`.
    """
    wanted = body_of(req, Erasure)
    await check_migrated(client)
    found = await erase(wanted.caller)
    forget_columns()
    document = ErasedDocument(
        peerings=found["peerings"], runs=found["runs"], refusals=found["refusals"], left=found["left"]
    )
    said = *document.values(), caller(req)["id"] or ""
    log.warning("event=caller-erased peerings=%s runs=%s refusals=%s left=%s by=%s", *said)
    return json_answer(document)
