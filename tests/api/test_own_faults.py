"""What the API answers while a part of the app itself does not work: a setting, the registry, a stored answer."""

from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment, deploy
from peering.facts import Facts
from peering.naming import earlier_peering_id, peering_id
from triggers.documents.links import links_of

TABLE = r".*\.table\.core\.windows\.net"


def _self_check(deployment: Deployment) -> dict[str, Any]:
    return dict(deployment.api.get("/api/self-check").json())


def test_the_self_check_names_each_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with deploy(tmp_path, settings={"PEERINGS_PER_CALLER": "0"}) as deployment:
        # With this one from the beginning, the host would not start the timer.
        monkeypatch.setenv("RESUME_SCHEDULE", "every day")
        found = _self_check(deployment)
    assert found["ok"] is False
    # The other checks need valid settings.
    assert found["checks"] == []
    problems = {one["name"]: one["problem"]["code"] for one in found["settings"] if "problem" in one}
    assert problems == dict.fromkeys(("PEERINGS_PER_CALLER", "RESUME_SCHEDULE"), "setting-invalid")


@pytest.mark.parametrize(
    ("refusal", "code", "to_do"),
    [
        ("AuthorizationPermissionMismatch", "registry-access-denied", "Assign the identity"),
        ("AuthorizationFailure", "registry-firewall", "firewall"),
        ("AuthenticationFailed", "registry-key-refused", "a current key"),
        ("KeyBasedAuthenticationNotPermitted", "registry-key-refused", "accepts no keys"),
    ],
)
def test_the_self_check_answers_while_the_registry_does_not_and_says_why(
    deployment: Deployment, refusal: str, code: str, to_do: str
) -> None:
    deployment.knobs(faults=[{"host": TABLE, "status": 403, "code": refusal, "times": 9999}])
    try:
        found = _self_check(deployment)
    finally:
        deployment.knobs(faults=[])
    problems = [problem for check in found["checks"] for problem in check.get("problems", [])]
    assert (found["ok"], {problem["code"] for problem in problems}) == (False, {code})
    assert to_do in problems[0]["remedy"]


def test_a_refusal_that_cannot_be_stored_is_a_refusal_nonetheless(deployment: Deployment) -> None:
    before = deployment.api.get("/api/refusals").json()
    deployment.knobs(faults=[{"host": TABLE, "method": "POST", "status": 403, "code": "AuthorizationFailure"}])
    try:
        refused = deployment.api.post("/api/peerings", json={"vnet_id": "nonsense"})
    finally:
        deployment.knobs(faults=[])
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert deployment.api.get("/api/refusals").json() == before
    deployment.api.post("/api/peerings", json={"vnet_id": "nonsense"})
    assert deployment.api.get("/api/refusals").json() != before


def test_a_key_whose_first_request_has_no_answer_yet_is_in_use(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        """The answer is not stored."""

    identity, headers = deployment.settle()["id"], {"Idempotency-Key": "twice"}
    with monkeypatch.context() as patched:
        patched.setattr("clients.repeats.answer", lost)
        assert deployment.api.post(f"/api/peerings/{identity}/check", headers=headers).status_code == 202
        again = deployment.api.post(f"/api/peerings/{identity}/check", headers=headers)
    assert (again.status_code, again.json()["code"], again.headers["Retry-After"]) == (
        409,
        "idempotency-key-in-use",
        "2",
    )
    deployment.until(identity)


def test_a_key_of_a_request_that_came_too_early_is_free(deployment: Deployment) -> None:
    identity, headers = deployment.settle()["id"], {"Idempotency-Key": "early"}
    deployment.knobs(faults=[{"host": r"api\.aiven\.io", "status": 503, "times": 9999}])
    try:
        deployment.start(allow_forwarded_traffic=True)
        early = deployment.api.post(f"/api/peerings/{identity}/rotate", headers=headers)
    finally:
        deployment.knobs(faults=[])
    assert (early.status_code, early.json()["code"]) == (409, "operation-under-way")
    deployment.until(identity)
    accepted = deployment.api.post(f"/api/peerings/{identity}/rotate", headers=headers)
    assert (accepted.status_code, "Idempotent-Replayed" in accepted.headers) == (202, False)
    deployment.until(identity)


def test_a_new_pair_of_a_group_outside_ascii_has_todays_id(deployment: Deployment) -> None:
    request = deployment.request()
    vnet = str(request["vnet_id"]).replace("/Net-Prod/", "/Straße/")
    pair = (str(request["project"]), str(request["project_vpc_id"]), vnet)
    planned = deployment.api.post("/api/peerings?dryRun=true", json={**request, "vnet_id": vnet}).json()
    assert planned["id"] == peering_id(*pair) != earlier_peering_id(*pair)


def test_an_unknown_cloud_has_no_portal(monkeypatch: pytest.MonkeyPatch, deployment: Deployment) -> None:
    peering = deployment.settle()["peering"]
    monkeypatch.setenv("AZURE_CLOUD", "AzureStack")
    assert [one["title"] for one in links_of(peering, Facts())] == ["Project in Aiven"]
