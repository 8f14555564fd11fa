"""Changes through the API: options, labels, pauses, conditions, repeats; and what lists and overviews then say."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.registry import remembered
from local.cloud import Scenario
from local.deployment import Deployment, deploy
from triggers.timers import TIMERS


@pytest.fixture(scope="module")
def identity(deployment: Deployment) -> str:
    """A connected peering that has been checked."""
    status = deployment.settle(labels={"owner": "network", "ticket": "NET-7"}, note="Ask the network team first.")
    assert status["state"] == "connected"
    deployment.check(status["id"])
    return str(status["id"])


def eventually(shows: Callable[[], bool]) -> bool:
    """Whether it shows once the worker has forgotten the columns that it remembers for some seconds."""
    deadline = time.monotonic() + 2 * remembered.SECONDS
    while not shows():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def listed(deployment: Deployment, **query: str) -> list[dict[str, Any]]:
    answer = deployment.api.get("/api/peerings", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["peerings"])


def problem(deployment: Deployment, method: str, path: str, **options: Any) -> tuple[int, str]:  # noqa: ANN401
    answer = deployment.api.request(method, path, **options)
    return answer.status_code, str(answer.json()["code"])


def test_a_vnet_of_a_subscription_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    allowed = "44444444-4444-4444-4444-444444444444"
    with deploy(tmp_path, settings={"ALLOWED_SUBSCRIPTIONS": allowed}) as deployment:
        request = deployment.request()
        for path in ("/api/peerings", "/api/peerings?dryRun=true"):
            assert problem(deployment, "POST", path, json=request) == (403, "subscription-not-allowed")
        elsewhere = {
            **request,
            "vnet_id": str(request["vnet_id"]).replace(str(request["vnet_id"]).split("/")[2], allowed),
        }
        assert deployment.api.post("/api/peerings?dryRun=true", json=elsewhere).status_code == 200
        assert deployment.writes() == []


def test_a_caller_may_have_a_limited_number_of_peerings(tmp_path: Path) -> None:
    settings = {"WEBSITE_AUTH_ENABLED": "True", "PEERINGS_PER_CALLER": "1"}
    with deploy(tmp_path, Scenario(vnets=3), settings=settings) as deployment:
        first, second, third = deployment.cloud.vnet_ids[:3]

        def ask(who: str, vnet_id: str, path: str = "/api/peerings", **options: object) -> tuple[int, dict[str, Any]]:
            body = deployment.request(vnet_id=vnet_id, **options)
            answer = deployment.api.post(path, json=body, headers=signed_in(deployment, who))
            return answer.status_code, answer.json()

        one, other = "o'ne@example.com", "other@example.com"
        status, begun = ask(one, first)
        assert status == 202
        for path in ("/api/peerings", "/api/peerings?dryRun=true"):
            status, refused = ask(one, second, path, adopt=True)
            assert (status, refused["code"]) == (409, "caller-limit-reached")
            assert one in refused["detail"]
        # What exists may be requested again, also by a caller who has as many peerings as allowed.
        assert [ask(one, first)[0], ask(other, second)[0], ask(other, first)[0]] == [202] * 3
        assert ask(other, third)[0] == 409
        headers = signed_in(deployment, one)
        assert deployment.api.delete(begun["url"], headers=headers).status_code == 202
        deadline = time.monotonic() + 60
        while ask(one, third, "/api/peerings?dryRun=true")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def signed_in(deployment: Deployment, name: str) -> dict[str, str]:
    """The headers of a caller with the role operator."""
    token = deployment.host.app_service.sign_in(name, ("operator",))
    return {"authorization": f"Bearer {token}", "x-functions-key": deployment.host.keys.function}


def test_labels_and_note_come_with_the_start_and_change_without_a_run(deployment: Deployment, identity: str) -> None:
    before = deployment.status(identity)
    assert (before["labels"], before["note"]) == (
        {"owner": "network", "ticket": "NET-7"},
        "Ask the network team first.",
    )
    body = {"labels": {"ticket": None, "environment": "prod"}, "note": None}
    answer = deployment.api.patch(f"/api/peerings/{identity}", json=body)
    assert answer.status_code == 200
    after = answer.json()
    assert (after["labels"], after["note"]) == ({"environment": "prod", "owner": "network"}, "")
    assert after["runs"] == before["runs"]


def test_a_plan_shows_labels_and_note_as_a_start_or_a_change_then_stores_them(
    deployment: Deployment, identity: str
) -> None:
    url, note = f"/api/peerings/{identity}", "Ask the operator."
    labels, before = deployment.status(identity)["labels"], deployment.status(identity)["note"]
    start = deployment.request(labels={"owner": "operator"}, note=note)
    planned = deployment.api.post("/api/peerings", params={"dryRun": "true"}, json=start).json()
    assert planned["result"] == "update"
    assert planned["changes"] == [
        {"option": "labels", "old": labels, "new": {"owner": "operator"}},
        {"option": "note", "old": before, "new": note},
    ]
    patch = {"labels": {"owner": None, "ticket": "NET-8"}, "note": None}
    merged = {**{name: value for name, value in labels.items() if name != "owner"}, "ticket": "NET-8"}
    planned = deployment.api.patch(url, params={"dryRun": "true"}, json={**patch, "note": note}).json()
    assert (planned["result"], planned["changes"]) == (
        "update",
        [{"option": "labels", "old": labels, "new": merged}, {"option": "note", "old": before, "new": note}],
    )
    after = deployment.status(identity)
    assert (after["labels"], after["note"]) == (labels, before)
    unchanged: list[dict[str, object]] = [{}, {"labels": {}}, {"labels": labels, "note": before}]
    for same in unchanged:
        planned = deployment.api.patch(url, params={"dryRun": "true"}, json=same).json()
        assert (planned["result"], planned["changes"]) == ("find", [])
    assert deployment.api.patch(url, json=patch).json()["labels"] == merged
    deployment.api.patch(url, json={"labels": {**labels, "ticket": None}, "note": before}).raise_for_status()


def test_the_plan_of_a_new_peering_has_no_changes(deployment: Deployment, identity: str) -> None:
    body = deployment.request(vnet_id=deployment.cloud.vnet_ids[1], labels={"owner": "x"}, note="y")
    planned = deployment.api.post("/api/peerings", params={"dryRun": "true"}, json=body).json()
    assert (planned["result"], planned["changes"]) == ("create", [])


def test_options_change_by_the_plan_of_a_start(deployment: Deployment, identity: str) -> None:
    url, body = f"/api/peerings/{identity}", {"allow_forwarded_traffic": True}
    plan = deployment.api.patch(url, params={"dryRun": "true"}, json=body).json()
    assert [change["option"] for change in plan["changes"]] == ["allow_forwarded_traffic"]
    accepted = deployment.api.patch(url, json=body)
    assert (accepted.status_code, accepted.json()["joined"]) == (202, False)
    status = deployment.until(identity)
    assert (status["state"], status["peering"]["allow_forwarded_traffic"]) == ("connected", True)
    assert status["labels"]["owner"] == "network"
    run = deployment.api.get(f"{url}/runs/{accepted.json()['run']}").json()
    assert (run["operation"], run["outcome"]) == ("establish", "done")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"peering_name": "other"}, "peering_name"),
        ({"credential": "federated"}, "credential"),
        ({"vnet_id": "x"}, "vnet_id"),
        ({"labels": {"Owner": "x"}}, "labels.Owner.[key]"),
        ({"labels": {"owner": "a,b"}}, "labels.owner"),
        ({"allow_gateway_transit": True, "use_remote_gateways": True}, "(body)"),
        ({"secret_lifetime_days": None}, "secret_lifetime_days"),
    ],
)
def test_what_cannot_be_changed_is_named(
    deployment: Deployment, identity: str, body: dict[str, object], field: str
) -> None:
    answer = deployment.api.patch(f"/api/peerings/{identity}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


ONE_ROLE = {"platform_role_name": "Aiven peering", "user_role_name": "AIVEN peering"}


@pytest.mark.parametrize("query", ["", "?dryRun=true"])
def test_two_roles_of_one_name_are_refused_by_a_start_and_a_change(
    deployment: Deployment, identity: str, query: str
) -> None:
    runs = deployment.status(identity)["runs"]
    of_user = deployment.status(identity)["peering"]["user_role_name"]
    start, url = deployment.request(**ONE_ROLE), f"/api/peerings/{identity}"
    answers = [
        deployment.api.post(f"/api/peerings{query}", json=start),
        *(deployment.api.patch(url + query, json=one) for one in (ONE_ROLE, {"platform_role_name": of_user})),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
        (error,) = answer.json()["errors"]
        assert error["rule"].startswith("platform_role_name and user_role_name must differ")
    assert deployment.status(identity)["runs"] == runs


@pytest.mark.parametrize("query", ["", "?dryRun=true"])
def test_more_labels_than_a_peering_may_have_are_refused_together_with_those_it_has(
    deployment: Deployment, identity: str, query: str
) -> None:
    url = f"/api/peerings/{identity}"
    before = deployment.status(identity)["labels"]
    assert before
    body = {"labels": {f"label-{number}": "x" for number in range(16)}}
    answer = deployment.api.patch(url + query, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["labels"])
    assert deployment.status(identity)["labels"] == before


def test_a_change_holds_only_for_the_revision_that_was_seen(deployment: Deployment, identity: str) -> None:
    url = f"/api/peerings/{identity}"
    seen = deployment.api.get(url).headers["ETag"]
    assert deployment.api.patch(url, json={"note": "one"}, headers={"If-Match": seen}).status_code == 200
    for method, path in (("PATCH", ""), ("POST", "/check"), ("POST", "/rotate"), ("POST", "/pause"), ("DELETE", "")):
        body = {"why": "x"} if path == "/pause" else {}
        options: dict[str, Any] = {"headers": {"If-Match": seen}, **({} if method == "DELETE" else {"json": body})}
        assert problem(deployment, method, url + path, **options) == (412, "changed-meanwhile"), path
    planned = problem(deployment, "PATCH", f"{url}?dryRun=true", json={}, headers={"If-Match": seen})
    assert planned == (412, "changed-meanwhile")
    removal = problem(deployment, "DELETE", f"{url}?dryRun=true", headers={"If-Match": seen})
    assert removal == (412, "changed-meanwhile")
    assert problem(deployment, "PATCH", url, json={}, headers={"If-Match": "seven"}) == (400, "invalid-request")


def test_what_a_client_has_already_is_answered_304(deployment: Deployment, identity: str) -> None:
    for path in (f"/api/peerings/{identity}", "/api/peerings", f"/api/peerings/{identity}/runs", "/api/problems"):
        first = deployment.api.get(path)
        again = deployment.api.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_a_repeat_under_one_key_is_one_change(deployment: Deployment, identity: str) -> None:
    url, headers = f"/api/peerings/{identity}/rotate", {"Idempotency-Key": "rotate-once"}
    first = deployment.api.post(url, headers=headers)
    deployment.until(identity)
    again = deployment.api.post(url, headers=headers)
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        202,
        first.json(),
        first.headers["Location"],
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    rotations = [run for run in deployment.status(identity)["runs"] if run["operation"] == "rotate"]
    assert len(rotations) == 1
    reused = {"headers": headers, "json": {"credential": "secret"}}
    assert problem(deployment, "POST", url, **reused) == (422, "idempotency-key-reused")


def test_a_refused_request_leaves_its_key_free(deployment: Deployment, identity: str) -> None:
    url, headers = f"/api/peerings/{identity}/cancel", {"Idempotency-Key": "cancel"}
    for _ in range(2):
        assert problem(deployment, "POST", url, headers=headers) == (409, "nothing-to-cancel")


@pytest.mark.parametrize(
    "query",
    [
        {"label": "owner=NETWORK"},
        {"label": "owner,environment=prod"},
        {"vnet": "hub"},
        {"search": "net-prod"},
        {"search": "environment=PROD"},
        {"verdict": "healthy"},
        {"state": "connected", "sort": "-changed", "count": "true"},
        {"paused": "false"},
        {"changedSince": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_list_finds_what_is_asked_for(deployment: Deployment, identity: str, query: dict[str, str]) -> None:
    assert [one["id"] for one in listed(deployment, **query)] == [identity]


@pytest.mark.parametrize(
    "query", [{"label": "owner=security"}, {"vnet": "hub-vnet-2"}, {"search": "no such"}, {"search": '":"'}]
)
def test_a_list_leaves_out_what_is_not(deployment: Deployment, identity: str, query: dict[str, str]) -> None:
    assert listed(deployment, **query) == []


def test_a_list_of_changes_has_those_of_the_same_moment(deployment: Deployment, identity: str) -> None:
    changed = listed(deployment, sort="-changed")[0]["changed"]
    assert [one["id"] for one in listed(deployment, changedSince=changed)] == [identity]
    later = (datetime.fromisoformat(changed) + timedelta(milliseconds=1)).isoformat()
    assert listed(deployment, changedSince=later) == []


def test_a_pause_keeps_checks_and_repairs_away(deployment: Deployment, identity: str) -> None:
    url = f"/api/peerings/{identity}"
    until = (deployment.clock.now() + timedelta(days=30)).isoformat()
    paused = deployment.api.post(f"{url}/pause", json={"why": "A planned change.", "until": until}).json()["paused"]
    assert (paused["why"], paused["by"]["name"]) == ("A planned change.", "holder of the function key")
    assert [one["id"] for one in listed(deployment, paused="true")] == [identity]
    facts = deployment.status(identity)["facts"]
    remote = facts["vnet_peering_id"]
    vnet_id, _, _ = remote.partition("/virtualNetworkPeerings/")
    deployment.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=facts["to_network_id"])
    assert deployment.check(identity)["health"]["verdict"] == "broken"
    assert deployment.status(identity)["state"] == "connected"
    assert eventually(lambda: listed(deployment, sort="state")[0]["problems"] != [])
    assert all(trouble["since"] for trouble in listed(deployment, sort="state")[0]["problems"])
    assert "paused" not in deployment.api.post(f"{url}/resume").json()
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    *_, broken, healthy = deployment.status(identity)["verdicts"]
    assert (broken["previous"], broken["verdict"]) == ("healthy", "broken")
    assert "vnet-peering-missing" in broken["codes"]
    assert (healthy["previous"], healthy["codes"]) == ("broken", [])
    assert broken["at"] < healthy["at"]


def test_a_password_that_has_expired_is_found_by_its_title_and_by_the_overview(
    deployment: Deployment, identity: str
) -> None:
    url = f"/api/peerings/{identity}"
    deployment.api.post(f"{url}/pause", json={"why": "No repair."}).raise_for_status()
    before = listed(deployment)[0]["expires"]
    deployment.event(kind="expire-passwords", app_id=deployment.status(identity)["facts"]["application_id"])
    assert "secret-expired" in [one["code"] for one in deployment.check(identity)["health"]["problems"]]
    (summary,) = listed(deployment)
    assert summary["expires"] <= deployment.clock.now().isoformat() < before
    assert eventually(lambda: len(listed(deployment, search="password has EXPIRED")) == 1)
    assert listed(deployment, search=summary["changed"][:10]) == []
    expiring = deployment.api.get("/api/overview").json()["expires_soon"]
    assert [one["expires"] for one in expiring] == [summary["expires"]]
    deployment.api.post(f"{url}/resume").raise_for_status()
    assert deployment.check(identity)["health"]["verdict"] == "healthy"


@pytest.mark.parametrize("until", [4102444800, "4102444800", "2100-01-01", "2100-01-01T00:00:00"])
def test_a_pause_ends_at_a_time_with_its_offset(deployment: Deployment, identity: str, until: object) -> None:
    body = {"why": "A planned change.", "until": until}
    answer = deployment.api.post(f"/api/peerings/{identity}/pause", json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["until"])


def test_all_are_paused_and_resumed_together(deployment: Deployment, identity: str) -> None:
    assert deployment.api.post("/api/pause", json={"why": "Maintenance."}).json()["all"] is True
    url = f"/api/peerings/{identity}"
    shown = "/api/overview", "/api/peerings", url
    assert {deployment.api.get(path).json()["paused_all"]["why"] for path in shown} == {"Maintenance."}
    assert deployment.api.post(f"{url}/resume").json()["paused_all"]["why"] == "Maintenance."
    deployment.api.post(f"{url}/pause", json={"why": "Without an end."}).raise_for_status()
    assert [one["paused_until"] for one in listed(deployment, paused="true")] == [None]
    deployment.api.post(f"{url}/resume").raise_for_status()
    deployment.api.post("/api/resume").raise_for_status()
    assert [path for path in shown if "paused_all" in deployment.api.get(path).json()] == []
    some = deployment.api.post("/api/pause", params={"label": "owner=network"}, json={"why": "Some."}).json()
    assert (some["all"], some["peerings"]) == (False, [identity])
    deployment.api.post("/api/resume", params={"label": "owner=network"}).raise_for_status()
    assert "paused" not in deployment.status(identity)


def test_a_change_of_some_is_of_those_that_match_by_then(deployment: Deployment, identity: str) -> None:
    wanted = {"label": "just-set"}
    assert listed(deployment, **wanted) == []
    deployment.api.patch(f"/api/peerings/{identity}", json={"labels": {"just-set": "1"}}).raise_for_status()
    some = deployment.api.post("/api/pause", params=wanted, json={"why": "Some."}).json()
    assert some["peerings"] == [identity]
    deployment.api.patch(f"/api/peerings/{identity}", json={"labels": {"just-set": None}}).raise_for_status()
    assert deployment.api.post("/api/resume", params=wanted).json()["peerings"] == []
    deployment.api.post(f"/api/peerings/{identity}/resume").raise_for_status()


def test_checks_of_some_and_of_all_name_their_runs(deployment: Deployment, identity: str) -> None:
    some = deployment.api.post("/api/checks", params={"label": "owner"})
    assert some.status_code == 202
    assert [one["id"] for one in some.json()["checks"]] == [identity]
    deployment.until(identity)
    run = deployment.api.get(f"/api/peerings/{identity}/runs/{some.json()['checks'][0]['run']}").json()
    assert (run["operation"], run["outcome"]) == ("check", "done")
    every = deployment.api.post("/api/checks")
    assert (every.status_code, every.json()["run"]) == (202, "health-sweep")
    deployment.until_ended("health-sweep")


def test_a_peering_stays_checked_whatever_is_changed_of_it(deployment: Deployment, identity: str) -> None:
    url = f"/api/peerings/{identity}"

    def checked() -> str:
        return str(deployment.status(identity)["health"]["checked"])

    before = checked()
    deployment.api.post("/api/checks").raise_for_status()
    deployment.until_ended("health-sweep")
    assert eventually(lambda: checked() > before)
    moments = [checked()]
    for path, body in (("", {"labels": {"tick": "1"}}), ("/pause", {"why": "x"}), ("/resume", {}), ("/rotate", {})):
        deployment.api.request("POST" if path else "PATCH", url + path, json=body).raise_for_status()
        moments.append(checked())
    deployment.until(identity)
    assert moments == [moments[0]] * len(moments)


def test_the_overview_counts(deployment: Deployment, identity: str) -> None:

    def overview() -> dict[str, Any]:
        return dict(deployment.api.get("/api/overview").json())

    assert eventually(lambda: (overview()["states"], overview()["verdicts"]) == ({"connected": 1}, {"healthy": 1}))
    assert overview()["last_sweep"]["seconds"] >= 0


def test_the_app_checks_itself_and_shows_no_secret(deployment: Deployment, identity: str) -> None:
    answer = deployment.api.get("/api/self-check")
    found = answer.json()
    assert found["ok"], found
    names = {check["name"].split(" ")[0] for check in found["checks"]}
    assert names >= {"identity", "key", "registry", "graph", "aiven", "vnet"}
    assert {one["name"] for one in found["settings"]} >= {timer.setting for timer in TIMERS}
    for name in ("AZURE_CLIENT_SECRET", "AIVEN_AUTH_TOKEN"):
        assert deployment.cloud.environment[name] not in answer.text


def test_the_app_checks_the_organizations_that_it_is_asked_about(deployment: Deployment, identity: str) -> None:
    (organization,) = deployment.cloud.world.organizations

    def looked_at(organization_id: str) -> list[Any]:
        found = deployment.api.get("/api/self-check", params={"organization_id": organization_id}).json()
        return [
            (check["name"], check["state"], [one["code"] for one in check.get("problems", [])])
            for check in found["checks"]
            if check["name"].startswith("aiven organization")
        ]

    assert looked_at(organization) == [(f"aiven organization {organization}", "ok", [])]
    assert looked_at("org0") == [("aiven organization org0", "problem", ["project-vpc-not-found"])]
    deployment.knobs(organization_permission="none")
    try:
        (unreadable,) = looked_at(organization)
    finally:
        deployment.knobs(organization_permission="write")
    assert unreadable[1:] == ("problem", ["aiven-organization-not-permitted"])


def test_the_app_tells_what_it_lacks(deployment: Deployment, identity: str) -> None:
    deployment.knobs(aiven_role="read_only")
    try:
        found = deployment.api.get("/api/self-check").json()
    finally:
        deployment.knobs(aiven_role="operator")
    problems = [one for check in found["checks"] for one in check.get("problems", [])]
    assert (found["ok"], [one["code"] for one in problems]) == (False, ["aiven-not-permitted"])
    assert all(one["remedy"] for one in problems)


def test_runs_outlive_the_peering(deployment: Deployment, identity: str) -> None:
    assert deployment.remove(identity)["state"] == "removed"
    runs = deployment.api.get(f"/api/peerings/{identity}/runs").json()["runs"]
    assert runs[0]["operation"] == "remove"
    shown = deployment.api.get(f"/api/peerings/{identity}/runs/{runs[0]['run']}").json()
    assert (shown["run"], shown["outcome"]) == (runs[0]["run"], "done")
    assert problem(deployment, "GET", f"/api/peerings/{identity}/runs/none") == (404, "run-not-found")
