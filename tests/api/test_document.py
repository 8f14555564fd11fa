"""The OpenAPI document: of every route, by the models that validate; and the page that shows it."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path
from typing import get_type_hints
from uuid import UUID

import jsonschema_rs
import pytest
from pydantic import ValidationError

from peering.aiven_vpc import NAMES
from peering.problems import PROBLEMS
from peering.record import RunRecord
from peering.request import PeeringRequest
from peering.steps import PLANS
from tests.api.fuzz import closed
from triggers.description import _page
from triggers.documents.described import DESCRIBED, Text
from triggers.documents.openapi import document
from triggers.documents.peering_status import RunDocument
from triggers.route_table import ROUTES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "triggers" / "swagger_ui"
DOCUMENT = document()
OPERATIONS = [
    (f"{method} {path}", operation) for path, of in DOCUMENT["paths"].items() for method, operation in of.items()
]
#: Answers whose example is somewhere else: the documents themselves, and the catalogue.
WITHOUT_EXAMPLE = frozenset({"show_openapi", "show_docs", "list_problems"})


def test_it_has_every_route() -> None:
    assert {name for name, _ in OPERATIONS} == {f"{r.method.lower()} /api/{r.path}" for r in ROUTES}
    assert DESCRIBED.keys() == {route.name for route in ROUTES}


def test_the_readme_names_every_route() -> None:
    named = set(re.findall(r"`(?:[A-Z]+ )?(/[^`?]*)(?:\?[^`]*)?`", (ROOT / "README.md").read_text()))
    # A row for two routes names the second by its last part.
    missing = [r.path for r in ROUTES if not named & {f"/api/{r.path}", f"/{r.path.rpartition('/')[2]}"}]
    assert missing == []


def test_the_table_of_routes_names_the_parameters_of_the_models() -> None:
    for route in ROUTES:
        fields = DESCRIBED[route.name].query.model_fields
        assert sorted(field.alias or name for name, field in fields.items()) == sorted(route.parameters), route.name


def test_it_has_every_problem_with_an_example() -> None:
    assert DOCUMENT["components"]["examples"].keys() == PROBLEMS.keys()
    of_responses = {
        code
        for response in DOCUMENT["components"]["responses"].values()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert of_responses == PROBLEMS.keys()


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_body_and_answer_has_an_example_that_is_valid(name: str, operation: dict[str, object]) -> None:
    contents = [*operation["responses"].values(), operation.get("requestBody", {})]  # type: ignore[attr-defined]
    for content in (one["content"].get("application/json") for one in contents if "content" in one):
        if content is None:
            continue
        if "example" not in content:
            assert operation["operationId"] in WITHOUT_EXAMPLE, name
            continue
        schema = {**content["schema"], "components": closed(DOCUMENT)["components"]}
        jsonschema_rs.validate(schema, content["example"])


@pytest.mark.parametrize("body", ["PeeringRequest", "PeeringPatch"])
def test_a_label_that_is_refused_is_not_valid_by_the_document(body: str) -> None:
    labels = DOCUMENT["components"]["schemas"][body]["properties"]["labels"]
    assert jsonschema_rs.is_valid(labels, {"team": "network"})
    for name in ("Team", "", "a b", "x" * 41):
        assert not jsonschema_rs.is_valid(labels, {name: "network"}), name


def steps_of(example: object) -> Iterator[tuple[str, str]]:
    """The steps that an example shows, by name and title."""
    if isinstance(example, dict):
        if "article_step" in example:
            yield str(example["step"] if "step" in example else example["name"]), str(example["title"])
        example = [*example.values()]
    for one in example if isinstance(example, list) else ():
        yield from steps_of(one)


def test_the_examples_name_the_steps_as_the_tables_do() -> None:
    shown = set(steps_of(json.loads((ROOT / "triggers" / "documents" / "api_examples.json").read_text())))
    assert shown
    assert shown <= {(step.name, step.title) for plan in PLANS.values() for step in plan}, "make api-examples"


def test_examples_of_problems_are_valid() -> None:
    schema = {"$ref": "#/components/schemas/ProblemDocument", "components": DOCUMENT["components"]}
    for example in DOCUMENT["components"]["examples"].values():
        jsonschema_rs.validate(schema, example["value"])


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize(
    "named", [given for size in range(5) for given in combinations(sorted(chain(*NAMES.values())), size)]
)
def test_the_document_says_that_one_pair_names_the_vpc_as_the_model_does(named: tuple[str, ...], null: bool) -> None:
    spelled = {name: str(UUID(int=1)) for name in named}
    others = dict.fromkeys(sorted({*chain(*NAMES.values())} - {*named})) if null else {}
    vnet = f"/subscriptions/{UUID(int=2)}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"
    body = {"vnet_id": vnet, **spelled, **others}
    schema = {"$ref": "#/components/schemas/PeeringRequest", "components": DOCUMENT["components"]}
    try:
        PeeringRequest.model_validate_json(json.dumps(body))
    except ValidationError:
        assert not jsonschema_rs.is_valid(schema, body)
    else:
        assert jsonschema_rs.is_valid(schema, body)


def test_every_type_of_an_answer_is_described() -> None:
    kinds = [kind for one in DESCRIBED.values() for answers in one.answers.values() for kind in answers]
    assert all(isinstance(kind, Text) or kind for kind in kinds)


def test_a_run_is_shown_with_everything_that_is_kept_of_it() -> None:
    assert get_type_hints(RunRecord).keys() - get_type_hints(RunDocument).keys() == set()


def test_the_page_lets_nothing_run_but_what_is_vendored() -> None:
    page, policy = _page()
    inline = re.findall(r"<(script|style)>(.*?)</\1>", page, re.DOTALL)
    for kind, text in inline:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy, kind
    assert len(inline) == 3
    assert "unsafe" not in policy
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.partition("<style>")[0] + page[-400:])


def test_what_is_vendored_is_unmodified() -> None:
    vendored = json.loads((PAGE / "vendored.json").read_text())
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in PAGE.iterdir()}
    del files["vendored.json"]
    assert files == vendored["sha256"]
    assert (vendored["package"], vendored["licence"]) == ("swagger-ui-dist", "Apache-2.0")
