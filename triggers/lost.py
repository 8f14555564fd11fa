"""`/api/lost`: unrecorded peerings, which this app created and its registry does not have, as the clouds show them."""

import azure.functions as func
from typing_extensions import TypedDict

from clients.durable import DurableClient
from peering.lost import LostRequest
from triggers.documents.answers import json_answer
from triggers.documents.problem_documents import ProblemDocument, occurrence_document


class LostPeeringDocument(TypedDict):
    """An unrecorded peering: the request that takes it over again.

    `not_shown`: options that no cloud shows now. The request leaves them out, or has a guess. `problems`: why options
    may be missing there.
    """

    id: str
    request: LostRequest
    not_shown: list[str]
    problems: list[ProblemDocument]


class LostDocument(TypedDict):
    """The unrecorded peerings; `problems`: why further ones may be missing."""

    lost: list[LostPeeringDocument]
    problems: list[ProblemDocument]


async def list_lost(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/lost`: this app's peerings that the clouds show and the registry does not have.

    Each has the request that takes it over again. Labels, notes, `repair` and `on_failure` are in no cloud.
    """
    from activities.looks.lost import lost_peerings

    lost, problems = await lost_peerings()
    document = LostDocument(
        lost=[
            LostPeeringDocument(
                id=one.id,
                request=one.request,
                not_shown=one.not_shown,
                problems=list(map(occurrence_document, one.problems)),
            )
            for one in lost
        ],
        problems=list(map(occurrence_document, problems)),
    )
    return json_answer(document)
