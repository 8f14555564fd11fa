"""The bodies of requests: JSON without duplicate names, and the models that validate them."""

import json
from typing import Annotated, Final, TypeVar

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field, create_model

from peering.labels import NAMED, LabelName, LabelValue, Note
from peering.outcome import ProblemError
from peering.request import PeeringRequest
from peering.spec import Credential
from triggers.requests.written import Moment

Body = TypeVar("Body", bound=BaseModel)
_STRICT: Final = ConfigDict(extra="forbid", frozen=True, strict=True)
#: The options that a `PATCH` changes, in the same way as a start with other options.
CHANGEABLE: Final = (
    *("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways", "role", "secret_lifetime_days"),
    *("privilege", "repair", "application_name", "platform_role_name", "user_role_name"),
)


class NoBody(BaseModel):
    """An empty object, or nothing."""

    model_config = _STRICT


class Rotation(BaseModel):
    """Which kind of credential a rotation creates."""

    model_config = _STRICT

    credential: Annotated[Credential, Field(description="The kind of the new credential.")] = "secret"


class PauseRequest(BaseModel):
    """Why automatic checks and repairs are paused, and until when."""

    model_config = _STRICT

    why: Annotated[Note, Field(min_length=1, description="The reason for the pause.")]
    until: Annotated[
        Moment | None,
        Field(description="When it ends automatically; without it, the pause lasts until it is resumed."),
    ] = None

    def end(self) -> str | None:
        """When the pause ends, as it is stored."""
        return self.until.isoformat() if self.until is not None else None


class Erasure(BaseModel):
    """The caller to be erased."""

    model_config = _STRICT

    caller: Annotated[
        str,
        Field(min_length=1, max_length=300, description="The caller's name or id, as `requested_by` or `by` has it."),
    ]


class _Notes(BaseModel):
    """What a `PATCH` may change in addition to the options."""

    model_config = _STRICT

    labels: Annotated[
        dict[LabelName, LabelValue | None],
        Field(max_length=32, json_schema_extra=NAMED, description="Labels to set or to remove; others stay."),
    ] = {}
    note: Annotated[Note | None, Field(description="The note to set or to remove.")] = None


def _patch() -> type[_Notes]:
    fields: dict[str, object] = {
        name: (field.annotation, field) for name, field in PeeringRequest.model_fields.items() if name in CHANGEABLE
    }
    about = "Options, labels and the note of a peering; omitted fields stay as they are (RFC 7396)."
    return create_model("PeeringPatch", __base__=_Notes, __doc__=about, **fields)  # type: ignore[call-overload,no-any-return]


PeeringPatch: Final = _patch()


def json_body(req: func.HttpRequest) -> object:
    """The body of a request as JSON; an empty one is an empty object.

    Raises:
        ProblemError: `not-json`.
    """
    body = req.get_body()
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_named_once) if body.strip() else {}
    except RecursionError:
        raise ProblemError("not-json", "The body is nested too deeply.") from None
    except ValueError as error:
        raise ProblemError("not-json", str(error)) from None


def body_of(req: func.HttpRequest, kind: type[Body]) -> Body:
    """The body of a request as a model; an empty one is an empty object.

    Raises:
        ProblemError: `not-json`.
        pydantic.ValidationError: it breaks rules.
    """
    json_body(req)
    return kind.model_validate_json(req.get_body().strip() or b"{}")


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return found
