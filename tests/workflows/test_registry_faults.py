"""A Table service that refuses the token, or asks to wait, keeps nobody waiting inside a function."""

import time
from datetime import timedelta

import pytest

from local.deployment import Deployment

TABLE = r".*\.table\.core\.windows\.net"
#: No function sleeps for longer, in seconds; the rest is the machine's.
LONGEST = 8


def me(deployment: Deployment) -> str:
    """The object id of the app's own identity."""
    return deployment.cloud.landscape.automation.id


def test_a_token_that_was_revoked_is_replaced_whoever_asks(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    for _ in range(3):
        deployment.event(kind="revoke-tokens", principal_id=me(deployment))
        answer = deployment.api.get(f"/api/peerings/{identity}")
        assert answer.status_code == 200, answer.text
    deployment.event(kind="revoke-tokens", principal_id=me(deployment))
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    deployment.event(kind="revoke-tokens", principal_id=me(deployment))
    assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_401_without_a_challenge_is_asked_again_with_a_new_token(deployment: Deployment, method: str) -> None:
    refusal = {"host": TABLE, "method": method, "status": 401, "code": "InvalidAuthenticationInfo"}
    for _ in range(2):
        deployment.knobs(faults=[refusal])
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")
        assert deployment.api.get("/api/peerings").status_code == 200


def test_a_list_goes_on_with_a_new_token(deployment: Deployment) -> None:
    deployment.settle()
    deployment.knobs(faults=[{"host": TABLE, "method": "GET", "status": 401, "code": "InvalidAuthenticationInfo"}])
    answer = deployment.api.get("/api/peerings?count=true")
    assert (answer.status_code, len(answer.json()["peerings"])) == (200, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_is_the_callers_not_the_functions(deployment: Deployment, status: int) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": TABLE, "status": status, "code": "ServerBusy", "retry_after": 600, "times": 999}])
    for method, path in (("GET", f"/{identity}"), ("DELETE", f"/{identity}"), ("GET", "")):
        begun = time.monotonic()
        answer = deployment.api.request(method, f"/api/peerings{path}")
        assert time.monotonic() - begun < LONGEST
        assert (answer.status_code, answer.json()["code"]) == (503, "registry-unavailable"), answer.text
        assert answer.headers["retry-after"] == "600"
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"


def test_a_short_one_is_waited_for(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    busy = {"host": TABLE, "status": 503, "code": "ServerBusy", "times": 1}
    for wait in (None, 1):
        deployment.knobs(faults=[{**busy, "retry_after": wait}])
        assert deployment.api.get(f"/api/peerings/{identity}").status_code == 200


def test_a_step_that_meets_it_waits_with_a_durable_timer(deployment: Deployment) -> None:
    busy = {"host": TABLE, "method": "GET", "path": "order-", "status": 503, "code": "ServerBusy", "retry_after": 600}
    deployment.knobs(faults=[{**busy, "times": 4}])
    begun, at = time.monotonic(), deployment.virtual_clock.now()
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    assert deployment.virtual_clock.now() - at >= timedelta(seconds=600)
    assert time.monotonic() - begun < 60
