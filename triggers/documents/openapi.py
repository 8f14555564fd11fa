"""The OpenAPI 3.1 document: generated from the table of routes, the models that validate, and the types of answers."""

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, TypeAdapter

from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.step_names import StepName
from peering.version import VERSION
from triggers.documents.described import ALWAYS, DESCRIBED, Described, Text
from triggers.documents.problem_documents import ProblemDocument, problem_document
from triggers.route_table import ROUTES, Route

_Document = dict[str, Any]
_Mode = Literal["validation", "serialization"]
_PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"
_EXAMPLES: Final = Path(__file__).with_name("api_examples.json")
_ABOUT: Final = """\
Sets up, checks, repairs, rotates and removes peerings between Azure VNets and VPCs of Aiven projects and organizations.

A change is answered `202` with the name of its run: `Location` is the address to poll, `Retry-After` the interval.
Errors are RFC 9457 problem documents; `code` is stable, and `/api/problems/{code}` explains it.

The help article with the manual procedure, to which `article_step` refers, is
https://kb.timescale.cloud/en/articles/5489252-setting-up-a-vpc-on-azure."""
#: The parts of a path, by their names.
_PATH: Final[dict[str, _Document]] = {
    "id": {"schema": {"type": "string", "format": "uuid"}, "description": "The peering's id."},
    "run": {"schema": {"type": "string", "minLength": 1, "maxLength": 64}, "description": "The run's name."},
    "code": {"schema": {"type": "string", "minLength": 1, "maxLength": 64}, "description": "The problem's code."},
}
_TEXT: Final = {"type": "string"}
#: Names of which later versions have more.
_OPEN: Final = ({*get_args(ProblemCode)}, {*get_args(StepName)})
#: Headers of requests: the methods that accept them, and their descriptions.
_HEADERS: Final = (
    ("If-None-Match", ("GET",), _TEXT, "The `ETag` of an earlier response: `304` if nothing has changed."),
    (
        *("Idempotency-Key", ("POST", "PATCH", "DELETE")),
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "A request that repeats key and contents within a day is carried out once, and gets the same response.",
    ),
    (
        *("If-Match", ("PATCH", "POST", "DELETE")),
        {"type": "string", "pattern": r'^"[0-9]{1,9}(-[0-9a-f]+)?"$'},
        "The `ETag` of `GET /api/peerings/{id}`: the change applies only to that revision of the peering.",
    ),
)
_ANSWERED: Final[dict[str, _Document]] = {
    "ETag": {"schema": _TEXT, "description": "For `If-None-Match`; the one of a peering also for `If-Match`."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next poll."},
    "Location": {"schema": _TEXT, "description": "The address to poll."},
}
_SECURITY: Final[dict[str, _Document]] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "keyInQuery": {"type": "apiKey", "in": "query", "name": "code"},
    "entra": {"type": "http", "scheme": "bearer", "description": "With App Service authentication: an app role."},
}


@cache
def document() -> _Document:
    """The document."""
    paths: _Document = {}
    schemas, components = _schemas()
    for route in ROUTES:
        paths.setdefault(f"/api/{route.path}", {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "aiven-azure-peering", "version": VERSION, "description": _ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {f"Problem{status}": _problem_response(status) for status in _refused_statuses()},
            "examples": {code: _example_of_problem(problem.code) for code, problem in PROBLEMS.items()},
            "securitySchemes": _SECURITY,
        },
    }


def _refused_statuses() -> list[int]:
    return sorted({*ALWAYS, *(status for one in DESCRIBED.values() for status in one.refusals)})


def _types() -> Iterator[tuple[type[Any] | Text, _Mode]]:
    for described in DESCRIBED.values():
        yield from ((kind, "serialization") for kinds in described.answers.values() for kind in kinds)
        if described.body is not None:
            yield described.body, "validation"
    yield ProblemDocument, "serialization"


def _schemas() -> tuple[dict[str, _Document], _Document]:
    """The schema of every type by its name, and the schemas that they refer to."""
    inputs = {_name(kind): (kind, mode) for kind, mode in _types() if not isinstance(kind, Text)}
    adapters = [(name, mode, TypeAdapter[Any](kind)) for name, (kind, mode) in inputs.items()]
    found, shared = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    return {name: _opened(schema) for (name, _), schema in found.items()}, _opened(shared.get("$defs", {}))


def _opened(schema: Any) -> Any:  # noqa: ANN401 - any part of a document
    """The schema without the lists of names that later versions add to: clients must accept others."""
    if isinstance(schema, list):
        return [_opened(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    opened = {key: _opened(value) for key, value in schema.items() if not (key == "enum" and {*value} in _OPEN)}
    if opened.get("propertyNames") in ({}, _TEXT):
        del opened["propertyNames"]
    return opened


def _name(kind: object) -> str:
    return str(getattr(kind, "__name__", kind))


def _operation(route: Route, schemas: dict[str, _Document]) -> _Document:
    described = DESCRIBED[route.name]
    handler = getattr(import_module(f"triggers.{route.module}"), route.name)
    head, _, rest = (handler.__doc__ or "").partition(": ")[2].partition("\n\n")
    operation: _Document = {
        "operationId": route.name,
        "summary": " ".join(head.split()).rstrip("."),
        "description": " ".join([*rest.split(), f"Needs the role `{route.role}`."]),
        "tags": [route.path.partition("/")[0]],
        "parameters": [*_parameters(route, described)],
        "responses": _responses(route, described, schemas),
        "security": [{"key": []}, {"keyInQuery": []}, {"entra": [route.role]}],
        "x-role": route.role,
    }
    if described.body is not None:
        content: _Document = {"schema": schemas[_name(described.body)], **_example(route, "request")}
        needed = any(field.is_required() for field in described.body.model_fields.values())
        kinds = [_JSON, *(["application/merge-patch+json"] if route.method == "PATCH" else [])]
        operation["requestBody"] = {"required": needed, "content": dict.fromkeys(kinds, content)}
    return operation


def _parameters(route: Route, described: Described) -> Iterator[_Document]:
    for part in route.path.split("/"):
        if part.startswith("{"):
            yield {"name": part[1:-1], "in": "path", "required": True, **_PATH[part[1:-1]]}
    yield from _query(described.query)
    for name, methods, schema, description in _HEADERS:
        is_about_one = route.path.startswith("peerings") and route.path != "pause"
        if route.method in methods and (name != "If-Match" or is_about_one):
            yield {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def _query(model: type[BaseModel]) -> Iterator[_Document]:
    """The fields of a model as query parameters."""
    for name, field in model.model_json_schema(mode="validation")["properties"].items():
        kinds = [one for one in field.pop("anyOf", []) if one != {"type": "null"}]
        description = field.pop("description", "")
        schema = {k: v for k, v in {**field, **(kinds[0] if kinds else {})}.items() if (k, v) != ("default", None)}
        schema.pop("title", None)
        yield {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _responses(route: Route, described: Described, schemas: dict[str, _Document]) -> _Document:
    answers = {}
    for status, kinds in described.answers.items():
        names = ["ETag"] if route.method == "GET" else []
        names += ["Retry-After"] if status == HTTPStatus.ACCEPTED or route.name in ("show_peering", "show_run") else []
        names += ["Location"] if status == HTTPStatus.ACCEPTED and "checks" not in route.path else []
        answers[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "headers": {name: _ANSWERED[name] for name in names},
            "content": _content(route, status, kinds, schemas),
        }
    if route.method == "GET":
        answers["304"] = {"description": "Not modified since the response that the client has."}
    refused = {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in sorted({*ALWAYS, *described.refusals})}
    return answers | refused


def _content(route: Route, status: int, kinds: tuple[object, ...], schemas: dict[str, _Document]) -> _Document:
    texts = {kind.media_type: {"schema": _TEXT} for kind in kinds if isinstance(kind, Text)}
    documents = [schemas[_name(kind)] for kind in kinds if not isinstance(kind, Text)]
    if not documents:
        return texts
    schema = documents[0] if len(documents) == 1 else {"anyOf": documents}
    return {_JSON: {"schema": schema, **_example(route, str(status))}, **texts}


def _problem_response(status: int) -> _Document:
    """The response of all problems with a status, with an example of each."""
    response: _Document = {"description": HTTPStatus(status).phrase}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"description": "The Functions host answers this, without a body, to a request without a key."}
    codes = {code: {"$ref": f"#/components/examples/{code}"} for code, one in PROBLEMS.items() if one.status == status}
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {**response, "content": {_PROBLEM: {"schema": schema, "examples": codes}}}


def _example_of_problem(code: ProblemCode) -> _Document:
    return {"summary": PROBLEMS[code].title, "value": problem_document(code, "What happened in this case.")}


@cache
def _examples() -> dict[str, _Document]:
    """Recorded requests and answers, by the names of the routes."""
    found: dict[str, _Document] = json.loads(_EXAMPLES.read_text())
    return found


def _example(route: Route, which: str) -> _Document:
    found = _examples().get(route.name, {})
    return {"example": found[which]} if which in found else {}
