"""Who may call what: each route by key, by the reader's key, and by each app role of Entra."""

import base64
import json
from typing import Any

import httpx
import pytest

from local.deployment import PLAIN, Deployment
from triggers.route_table import ROUTES, Route

NOWHERE = {"id": "00000000-0000-4000-8000-000000000000", "run": "none", "code": "not-json"}
EACH = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
#: What a reader's requests may end in: whatever it is, not for want of a right.
DENIED = frozenset({401, 403})


def ask(deployment: Deployment, route: Route, **headers: str) -> httpx.Response:
    """A request to a route that changes nothing, for any role: it has no valid body."""
    path, url = route.path.format(**NOWHERE), deployment.host.url
    body = b"{" if route.role == "operator" else None
    given: dict[str, Any] = {"content": body, "headers": headers, "trust_env": False, "timeout": 60, "verify": PLAIN}
    return httpx.request(route.method, f"{url}/api/{path}", **given)


def with_role(deployment: Deployment, *roles: str) -> dict[str, str]:
    """The headers of a caller with app roles, who also has the function key."""
    token = deployment.host.app_service.sign_in("operator@example.com", roles)
    return {"authorization": f"Bearer {token}", "x-functions-key": deployment.host.keys.function}


@EACH
def test_without_a_key_the_host_answers_401(deployment: Deployment, route: Route) -> None:
    for headers in ({}, {"x-functions-key": "guess"}):
        answer = ask(deployment, route, **headers)
        assert (answer.status_code, answer.content) == (401, b"")


@EACH
def test_a_readers_key_opens_what_only_reads(deployment: Deployment, route: Route) -> None:
    master = {"x-functions-key": deployment.host.keys.master}
    for one in ROUTES:
        if one.role == "reader":
            url = f"/admin/functions/{one.name}/keys/reader"
            deployment.api.put(url, headers=master, json={"value": "a-readers-key"}).raise_for_status()
    status = ask(deployment, route, **{"x-functions-key": "a-readers-key"}).status_code
    assert (status in DENIED, status == 401) == ((False, False) if route.role == "reader" else (True, True))


@EACH
def test_a_reader_is_refused_every_change(signed: Deployment, route: Route) -> None:
    answer = ask(signed, route, **with_role(signed, "reader"))
    if route.role == "reader":
        assert answer.status_code not in DENIED
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert answer.json()["code"] == "role-missing"
        assert "operator" in answer.json()["detail"]


@EACH
def test_an_operator_may_do_everything(signed: Deployment, route: Route) -> None:
    assert ask(signed, route, **with_role(signed, "operator")).status_code not in DENIED


@EACH
@pytest.mark.parametrize("roles", [(), ("auditor",)], ids=["no role", "another role"])
def test_without_a_role_everything_is_refused(signed: Deployment, route: Route, roles: tuple[str, ...]) -> None:
    answer = ask(signed, route, **with_role(signed, *roles))
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


@EACH
def test_a_key_alone_does_not_open_what_entra_is_required_for(signed: Deployment, route: Route) -> None:
    claims = {"role_typ": "roles", "claims": [{"typ": "roles", "val": "operator"}]}
    claimed = base64.b64encode(json.dumps(claims).encode()).decode()
    own = {"x-ms-client-principal": claimed, "x-ms-client-principal-id": "1", "x-ms-client-principal-name": "operator"}
    for headers in ({}, own):
        answer = ask(signed, route, **headers, **{"x-functions-key": signed.host.keys.function})
        assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


def test_a_refusal_leaves_an_audit_record(signed: Deployment) -> None:
    route = next(route for route in ROUTES if route.name == "rotate_peering")
    ask(signed, route, **with_role(signed, "reader"))
    answer = signed.api.get("/api/refusals", headers=with_role(signed, "reader"))
    last = answer.json()["refusals"][0]
    assert (last["problem"], last["status"], last["method"]) == ("role-missing", 403, "POST")
    assert (last["id"], last["by"]["name"]) == (NOWHERE["id"], "operator@example.com")
