"""Requests that schemathesis makes up by the OpenAPI document, against a running app.

Whatever is sent, no answer is a 5xx or breaks a schema, and none has a status, a media type or a property that the
document does not name.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import hypothesis
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.deployment import Deployment

CHECKS: Final[Sequence[Callable[..., Any]]] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


def fuzz(deployment: Deployment, cases_of_each: int, seed: int, only: str = "") -> Counter[str]:
    """Send so many requests to each operation; returns how many were sent of each.

    Args:
        deployment: the app.
        cases_of_each: requests of each operation.
        seed: what the requests follow from.
        only: a part of the path of those to be asked; all without it.

    Raises:
        Exception: an answer is not as the document says.
    """
    headers = {"x-functions-key": deployment.host.keys.function}
    schema = schemathesis.openapi.from_dict(closed(deployment.api.get("/api/openapi.json").json()))
    sent: Counter[str] = Counter()
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if only in operation.path:
            _fuzz_one(deployment, operation, cases_of_each, seed, _known(deployment), headers, sent)
    return sent


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with schemas that allow no property but those that they name.

    The document itself leaves them open, so that a new property breaks no client.
    """
    schemas = document["components"]["schemas"]
    sealed = {
        name: {"additionalProperties": False, **schema} if "properties" in schema else schema
        for name, schema in schemas.items()
    }
    return {**document, "components": {**document["components"], "schemas": sealed}}


def _known(deployment: Deployment) -> dict[str, str]:
    """What is there, for paths: a peering that earlier requests may have changed or removed, and its last run."""
    listed = deployment.api.get("/api/peerings", params={"limit": "100"})
    if listed.is_error:
        raise AssertionError(listed.text)
    for one in listed.json()["peerings"]:
        deployment.until(one["id"])
    identity = deployment.settle(labels={"owner": "operator"})["id"]
    run = deployment.api.get(f"/api/peerings/{identity}/runs").json()["runs"][0]["run"]
    return {"id": identity, "run": run, "code": "vnet-not-found"}


def _fuzz_one(
    deployment: Deployment,
    operation: Any,  # noqa: ANN401 - schemathesis's own
    cases: int,
    seed: int,
    known: dict[str, str],
    headers: dict[str, str],
    sent: Counter[str],
) -> None:
    modes = schemathesis.GenerationMode
    strategy = operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(
        generation_mode=modes.NEGATIVE
    )

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=strategy, real=hypothesis.strategies.booleans())
    def ask(case: Any, real: bool) -> None:  # noqa: ANN401 - schemathesis's own
        if real and case.path_parameters:
            case.path_parameters = {name: known[name] for name in case.path_parameters}
        if real and isinstance(case.body, dict) and "vnet_id" in case.body:
            case.body = {**case.body, **deployment.request()}
        case.query = {name: value for name, value in (case.query or {}).items() if name != "code"}
        sent[operation.label] += 1
        response = case.call(base_url=deployment.host.url, headers=headers, timeout=60)
        case.validate_response(response, checks=list(CHECKS), headers=headers)

    ask()
