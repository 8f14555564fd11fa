"""The query parameters of the routes, as models that validate them and describe them in the OpenAPI document."""

from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import azure.functions as func
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from peering.drift import Verdict
from peering.problems import PROBLEMS
from peering.progress import PeeringState
from peering.steps import Operation
from triggers.documents.problem_documents import FieldError, InvalidRequestError
from triggers.requests.written import Moment, Number

Query = TypeVar("Query", bound=BaseModel)
Flag = Literal["true", "false"]
_Ascending = Literal[
    "id", "changed", "expires", "state", "verdict", "operation", "project", "organization_id", "vnet_id"
]
_Descending = Literal[
    "-id", "-changed", "-expires", "-state", "-verdict", "-operation", "-project", "-organization_id", "-vnet_id"
]
Sort = Literal[_Ascending, _Descending]
LARGEST_PAGE: Final = 500
#: The parameters that pass a function key, for any route.
KEYS: Final = frozenset({"code", "clientId"})
_GIVEN: Final = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _known(code: str) -> str:
    if code not in PROBLEMS:
        raise ValueError("must be a code of GET /api/problems")
    return code


_Text = Annotated[str, Field(min_length=1, max_length=300)]


class Filters(BaseModel):
    """The filters of peerings. Text comparison ignores case."""

    model_config = _GIVEN

    project: Annotated[_Text | None, Field(description="The Aiven project.")] = None
    project_vpc_id: Annotated[UUID | None, Field(description="The project VPC.")] = None
    organization_id: Annotated[_Text | None, Field(description="The Aiven organization.")] = None
    organization_vpc_id: Annotated[UUID | None, Field(description="The organization VPC.")] = None
    vnet_id: Annotated[_Text | None, Field(description="The VNet's ARM id.")] = None
    vnet: Annotated[_Text | None, Field(description="The VNet's name, or a part of it.")] = None
    subscription_id: Annotated[UUID | None, Field(description="The VNet's subscription.")] = None
    label: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z][a-z0-9_.-]{0,39}(=[^,=\n]{1,120})?(,[a-z][a-z0-9_.-]{0,39}(=[^,=\n]{1,120})?){0,15}$",
            description="`owner=network`, or `owner` for any value; of several, separated by commas, all must match.",
        ),
    ] = None
    paused: Annotated[
        Flag | None, Field(description="Whether checks and repairs of the peering itself are paused.")
    ] = None
    state: PeeringState | None = None
    operation: Annotated[Operation | None, Field(description="The last or current operation.")] = None
    verdict: Annotated[Verdict | None, Field(description="The verdict of the last check.")] = None
    problem: Annotated[
        str | None, AfterValidator(_known), Field(description="A problem of the last run or of the last check.")
    ] = None
    requested_by: Annotated[_Text | None, Field(description="The name of the caller who requested the peering.")] = None


class ListQuery(Filters):
    """The contents of a list of peerings."""

    limit: Annotated[Number, Field(ge=1, le=LARGEST_PAGE, description="Peerings on a page.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=2000, description="The start of the page: the `cursor` of the previous one.")
    ] = None
    sort: Annotated[Sort, Field(description="The sort order; with `-` it is descending.")] = "id"
    count: Annotated[Flag, Field(description="Whether to count all matches.")] = "false"
    search: Annotated[
        _Text | None, Field(description="A part of any id, name, label, note or problem that the list shows.")
    ] = None
    changed_since: Annotated[
        Moment | None,
        Field(alias="changedSince", description="Only peerings whose record or verdict has changed then or since."),
    ] = None


class DryRun(BaseModel):
    """Whether only a plan is requested."""

    model_config = _GIVEN

    dry_run: Annotated[Flag, Field(alias="dryRun", description="`true` plans, and changes nothing.")] = "false"


class ReportQuery(BaseModel):
    """The format of a report."""

    model_config = _GIVEN

    format: Annotated[
        Literal["markdown", "json"], Field(description="The format; it takes precedence over `Accept`.")
    ] = "markdown"


class SelfCheckQuery(BaseModel):
    """What a check of the app itself also checks, before a peering exists."""

    model_config = _GIVEN

    project: Annotated[_Text | None, Field(description="An Aiven project that the token must be able to access.")] = (
        None
    )
    organization_id: Annotated[
        _Text | None, Field(description="An Aiven organization whose VPCs the token must be able to access.")
    ] = None
    vnet_id: Annotated[_Text | None, Field(description="A VNet that the app must be able to peer.")] = None


class NoQuery(BaseModel):
    """No parameters."""

    model_config = _GIVEN


def check_parameters(req: func.HttpRequest, parameters: Collection[str]) -> None:
    """Refuse unknown query parameters: a misspelt one would cause something other than requested.

    Raises:
        InvalidRequestError: one is unknown, given twice, or has no value.
    """
    pairs = parse_qsl(urlsplit(req.url).query, keep_blank_values=True)
    given = [name for name, _ in pairs]
    known = ", ".join(sorted(parameters)) or "none"
    unknown = [name for name in dict.fromkeys(given) if name not in {*parameters, *KEYS}]
    errors = [FieldError(field=name, rule=f"is not a query parameter here; known: {known}") for name in unknown]
    twice = [name for name in dict.fromkeys(given) if given.count(name) > 1 and name not in unknown]
    errors += [FieldError(field=name, rule="may be given once") for name in twice]
    # The Functions host drops empty values, so a dry run would become a real one.
    empty = [name for name, value in pairs if not value and name in parameters and name not in twice]
    errors += [FieldError(field=name, rule="must have a value") for name in empty]
    if errors:
        raise InvalidRequestError(errors)


def query_of(req: func.HttpRequest, kind: type[Query]) -> Query:
    """The query parameters of a request.

    Raises:
        pydantic.ValidationError: they break rules.
    """
    return kind.model_validate(given(req))


def given(req: func.HttpRequest) -> Mapping[str, str]:
    """The query parameters of a request, without a function key."""
    return {name: value for name, value in req.params.items() if name not in KEYS}


def is_dry(req: func.HttpRequest) -> bool:
    """Whether only a plan is requested, with `dryRun=true`."""
    return query_of(req, DryRun).dry_run == "true"
