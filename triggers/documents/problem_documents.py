"""Problems as responses of the HTTP API: RFC 9457 documents (`application/problem+json`)."""

import json
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Final, NotRequired

import azure.functions as func
from typing_extensions import TypedDict

from peering.outcome import Occurrence, Remote
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.progress import shortened

if TYPE_CHECKING:
    from pydantic import ValidationError

#: The maximum length of a remote service's text in a document, in characters; run and report have the full text.
LONGEST_SHOWN: Final = 1000


class FieldError(TypedDict):
    """One field that breaks a rule."""

    field: str
    rule: str


class InvalidRequestError(Exception):
    """A request that breaks rules: which field breaks which."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        named = ", ".join(dict.fromkeys(error["field"] for error in errors))
        super().__init__(f"Not valid: {named}.")
        self.errors = errors


class ProblemDocument(TypedDict):
    """An RFC 9457 document; the fields after `detail` are this API's extensions."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    meaning: str
    remedy: str
    fixable_by: str
    remote: NotRequired[Remote]
    errors: NotRequired[list[FieldError]]
    causes: NotRequired[list["ProblemDocument"]]
    also: NotRequired[list["ProblemDocument"]]


def problem_document(code: ProblemCode, detail: str, errors: Sequence[FieldError] = ()) -> ProblemDocument:
    """The document for one occurrence of a problem of the catalogue."""
    problem = PROBLEMS[code]
    document = ProblemDocument(
        type=f"/api/problems/{code}",
        title=problem.title,
        status=problem.status,
        detail=detail,
        code=code,
        meaning=problem.meaning,
        remedy=problem.remedy,
        fixable_by=problem.fixer,
    )
    if errors:
        document["errors"] = list(errors)
    return document


def problem_response(code: ProblemCode, detail: str, errors: Sequence[FieldError] = ()) -> func.HttpResponse:
    """The HTTP answer for one occurrence of a problem of the catalogue."""
    document = problem_document(code, detail, errors)
    return func.HttpResponse(json.dumps(document), status_code=document["status"], mimetype="application/problem+json")


def invalid(error: "ValidationError") -> func.HttpResponse:
    """The HTTP response to a pydantic validation error: a body that is not JSON, or fields that break rules."""
    errors = field_errors(error)
    if any(found["type"] == "json_invalid" for found in error.errors(include_input=False, include_url=False)):
        return problem_response("not-json", errors[0]["rule"])
    named = ", ".join(dict.fromkeys(found["field"] for found in errors))
    return problem_response("invalid-request", f"Not valid: {named}.", errors)


def occurrence_response(occurrence: Occurrence) -> func.HttpResponse:
    """The HTTP response for a problem that occurred in the app; `Retry-After` is what the remote service asks for.

    Args:
        occurrence: the problem; with its `retry_after` the answer has the header of RFC 9110, 10.2.3.
    """
    document = occurrence_document(occurrence)
    wait = occurrence.get("retry_after")
    headers = {"Retry-After": str(ceil(wait))} if wait is not None else {}
    return func.HttpResponse(
        json.dumps(document), status_code=document["status"], headers=headers, mimetype="application/problem+json"
    )


def occurrence_document(problem: Occurrence) -> ProblemDocument:
    """A problem as it occurred, in full, with the remote service's answer, its causes and other problems."""
    document = problem_document(problem["code"], detail_of(problem))
    if "remote" in problem:
        document["remote"] = problem["remote"]
    if "causes" in problem:
        document["causes"] = [occurrence_document(cause) for cause in problem["causes"]]
    if "also" in problem:
        document["also"] = [occurrence_document(other) for other in problem["also"]]
    return document


def detail_of(problem: Occurrence) -> str:
    """What happened, with the remote's own code and request id; the run and the report have the full text."""
    source = ", ".join(str(part) for part in problem["remote"].values() if part) if "remote" in problem else ""
    gave_up = f" The step gave up after {problem['gave_up_after']:.0f} s." if "gave_up_after" in problem else ""
    return shortened(problem["detail"], LONGEST_SHOWN) + (f" ({source})" if source else "") + gave_up


def field_errors(error: "ValidationError") -> list[FieldError]:
    """Validation errors by field; never the value, which may be a secret sent by mistake."""
    return [
        FieldError(field=".".join(map(str, found["loc"])) or "(body)", rule=found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_input=False, include_url=False)
    ]
