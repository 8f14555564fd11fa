"""A Table service that refuses the token, or asks to wait, causes no waiting inside a function."""

import logging
import re
import time
from datetime import timedelta

import pytest

from local.deployment import AT_WORK, Deployment, Status
from tests.workflows.waiting import until_gone, while_waiting

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


@pytest.mark.parametrize(
    ("path", "without"), [("order-", "RowKey"), ("order-", "execution"), ("PartitionKey='peerings'", "record")]
)
def test_an_answer_that_lacks_a_part_is_asked_for_again(deployment: Deployment, path: str, without: str) -> None:
    fault = {"host": TABLE, "method": "GET", "path": path, "without": without}
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[fault])
    answer = deployment.api.get(f"/api/peerings/{identity}")
    assert answer.status_code == 200 or answer.json()["code"] == "registry-unavailable", answer.text
    deployment.knobs(faults=[fault])
    deadline, wanted = time.monotonic() + 60, deployment.request(secret_lifetime_days=90)
    while (answer := deployment.api.post("/api/peerings", json=wanted)).status_code != 202:
        assert time.monotonic() < deadline
        assert answer.json()["code"] == "registry-unavailable", answer.text
        assert re.search("cannot be read|unreadable", answer.json()["detail"])
    while (answer := deployment.api.get(f"/api/peerings/{identity}")).status_code != 200 or _is_at_work(answer.json()):
        assert time.monotonic() < deadline
        assert answer.status_code in (200, 503), answer.text
    assert answer.json()["state"] == "connected", answer.json().get("problem")


def _is_at_work(status: Status) -> bool:
    return status["state"] in AT_WORK or status["checking"]


def test_a_refusal_that_lacks_its_text_is_a_refusal(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    texts: tuple[dict[str, object], ...] = ({}, {"message": "gone"}, {"message": {"lang": "en-US"}}, {"message": None})
    for told in texts:
        body = {"odata.error": {"code": "ResourceNotFound", **told}}
        gone = {"host": TABLE, "method": "GET", "status": 404, "body": body}
        deployment.knobs(faults=[{**gone, "times": 1000}])
        answer = deployment.api.get(f"/api/peerings/{identity}")
        assert (answer.status_code, answer.json()["code"]) == (503, "registry-unavailable"), answer.text


def test_a_run_that_cannot_be_kept_now_keeps_no_order_from_being_taken(deployment: Deployment) -> None:
    deployment.knobs(approved=3600)
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    refused = {"host": TABLE, "path": "^/runs", "method": "POST|PUT", "status": 503, "retry_after": 600, "times": 1000}
    deployment.knobs(faults=[refused])
    answer = deployment.api.delete(f"/api/peerings/{identity}")
    assert answer.status_code == 202, answer.text
    assert deployment.cloud.world.knobs.faults[0].times < 1000
    deployment.knobs(approved=0, faults=[])
    assert until_gone(deployment, identity)["state"] == "removed"
    last, first = deployment.api.get(f"/api/peerings/{identity}/runs").json()["runs"]
    assert (last["operation"], last["outcome"]) == ("remove", "done")
    assert (first["outcome"], first["superseded_by"]) == ("superseded", last["run"])


def test_a_refusal_that_repeats_the_request_tells_no_secret(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = {"host": TABLE, "status": 403, "code": "AuthorizationFailed", "echo": True}
    with caplog.at_level(logging.INFO):
        # Of the registry's own calls between the steps, too.
        for skip in range(0, 40, 4):
            deployment.knobs(faults=[{**refusal, "method": "POST|PUT|DELETE", "skip": skip, "times": 3}])
            answers = [deployment.api.post("/api/peerings", json=deployment.request()).text for _ in range(2)]
            deployment.fire("resume_orders")
            assert "eyJ" not in "".join(answers)
        deployment.knobs(faults=[])
        assert deployment.settle()["state"] == "connected"
    assert "Bearer eyJ" not in caplog.text
    assert not re.search(r"eyJ[\w-]{8,}\.eyJ", caplog.text)
    histories = [
        deployment.instance(one["instanceId"], showHistory="true", showHistoryOutput="true")
        for one in deployment.instances()
    ]
    assert not re.search(r"eyJ[\w-]{8,}\.eyJ", str(histories))
