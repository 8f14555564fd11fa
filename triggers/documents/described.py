"""What the OpenAPI document adds to each handler's docstring: bodies, responses, refusals."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from typing_extensions import TypedDict

from peering.problems.problem import Problem
from peering.report import Report
from peering.request import PeeringRequest
from triggers.checks import ChecksDocument
from triggers.documents.answers import Accepted
from triggers.documents.peering_status import PeeringStatus, RunDocument
from triggers.erasure import ErasedDocument
from triggers.health import UnmanagedDocument
from triggers.lost import LostDocument
from triggers.overview import Overview
from triggers.pauses import PausedDocument
from triggers.peering import Runs
from triggers.peerings import PeeringList
from triggers.plans import PlanDocument, RemovalPlanDocument
from triggers.refusals import Refusals
from triggers.requests.bodies import Erasure, NoBody, PauseRequest, PeeringPatch, Rotation
from triggers.requests.queries import DryRun, Filters, ListQuery, NoQuery, ReportQuery, SelfCheckQuery
from triggers.self_check import SelfCheck


class ProblemList(TypedDict):
    """The catalogue of problems."""

    problems: list[Problem]


class Text(NamedTuple):
    """A response that is not JSON of this API: its media type."""

    media_type: str


class Described(NamedTuple):
    """A route: its answers by status, the statuses of its refusals, its body and its query parameters."""

    answers: Mapping[int, tuple[type[Any] | Text, ...]]
    refusals: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    query: type[BaseModel] = NoQuery


#: Errors that any route may return: an invalid or too large request, a caller without a key or a role, and failures of
#: the app.
ALWAYS: Final = (400, 401, 403, 413, 500, 503)
_OF_ONE: Final = (404, 409, 412, 422)
_OF_MANY: Final = (409, 422)
DESCRIBED: Final[Mapping[str, Described]] = {
    "start_peering": Described(
        {200: (PlanDocument,), 202: (Accepted,)}, (409, 412, 422), body=PeeringRequest, query=DryRun
    ),
    "list_peerings": Described({200: (PeeringList,)}, query=ListQuery),
    "show_peering": Described({200: (PeeringStatus,)}, (404,)),
    "show_runs": Described({200: (Runs,)}, (404,)),
    "show_run": Described({200: (RunDocument,)}, (404,)),
    "report_peering": Described({200: (Report, Text("text/markdown"))}, (404,), query=ReportQuery),
    "change_peering": Described(
        {200: (PeeringStatus, PlanDocument), 202: (Accepted,)}, _OF_ONE, body=PeeringPatch, query=DryRun
    ),
    "remove_peering": Described({200: (RemovalPlanDocument,), 202: (Accepted,)}, _OF_ONE, query=DryRun),
    "check_peering": Described({202: (Accepted,)}, _OF_ONE, body=NoBody),
    "rotate_peering": Described({202: (Accepted,)}, _OF_ONE, body=Rotation),
    "cancel_run": Described({202: (Accepted,)}, _OF_ONE, body=NoBody),
    "pause_peering": Described({200: (PeeringStatus,)}, _OF_ONE, body=PauseRequest),
    "resume_peering": Described({200: (PeeringStatus,)}, _OF_ONE, body=NoBody),
    "pause_peerings": Described({200: (PausedDocument,)}, _OF_MANY, body=PauseRequest, query=Filters),
    "resume_peerings": Described({200: (PausedDocument,)}, _OF_MANY, body=NoBody, query=Filters),
    "check_peerings": Described({202: (ChecksDocument,)}, _OF_MANY, body=NoBody, query=Filters),
    "erase_caller": Described({200: (ErasedDocument,)}, _OF_MANY, body=Erasure),
    "show_overview": Described({200: (Overview,)}),
    "check_app": Described({200: (SelfCheck,)}, query=SelfCheckQuery),
    "list_refusals": Described({200: (Refusals,)}),
    "list_unmanaged": Described({200: (UnmanagedDocument,)}),
    "list_lost": Described({200: (LostDocument,)}),
    "list_problems": Described({200: (ProblemList,)}),
    "show_problem": Described({200: (Problem,)}, (404,)),
    "show_openapi": Described({200: (dict[str, object],)}),
    "show_docs": Described({200: (Text("text/html"),)}),
}
