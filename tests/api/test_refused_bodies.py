"""Bodies and changes that the API refuses, or that change nothing."""

from datetime import timedelta

import pytest

from local.deployment import Deployment

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[" * 20_000, "nested too deeply"),
        ('{"note": "one", "note": "two"}', "given twice"),
        ('{"note": ', "Expecting value"),
    ],
)
def test_a_body_that_is_no_plain_json_is_refused(deployment: Deployment, body: str, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = deployment.api.post("/api/peerings", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "not-json")
    assert said in answer.json()["detail"]
    assert deployment.api.get("/api/peerings").json()["peerings"] == []


def test_a_pause_that_would_have_ended_is_refused(deployment: Deployment) -> None:
    ended = (deployment.clock.now() - timedelta(minutes=1)).isoformat()
    answer = deployment.api.post("/api/pause", json={"why": "Late.", "until": ended})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["until"])
    assert "paused_all" not in deployment.api.get("/api/overview").json()


def test_labels_of_a_peering_that_is_not_there_are_not_stored(deployment: Deployment) -> None:
    answer = deployment.api.patch(f"/api/peerings/{NOWHERE}", json={"labels": {"owner": "network"}})
    assert (answer.status_code, answer.json()["code"]) == (404, "peering-not-found")
    assert deployment.api.get(f"/api/peerings/{NOWHERE}").status_code == 404


def test_the_schedule_starts_no_check_while_all_are_paused(deployment: Deployment) -> None:
    deployment.api.post("/api/pause", json={"why": "Maintenance."}).raise_for_status()
    deployment.fire("check_all_peerings")
    assert deployment.instances() == []
    deployment.api.post("/api/resume").raise_for_status()
    deployment.fire("check_all_peerings")
    deployment.until_ended("health-sweep")


def test_labels_that_are_what_they_were_are_no_change(deployment: Deployment) -> None:
    identity = deployment.settle(labels={"owner": "network"})["id"]
    before = deployment.api.get(f"/api/peerings/{identity}").headers["ETag"]
    answer = deployment.api.patch(f"/api/peerings/{identity}", json={"labels": {"owner": "network"}, "note": ""})
    assert (answer.status_code, answer.headers["ETag"]) == (200, before)
    assert deployment.api.patch(f"/api/peerings/{identity}", json={"note": "x"}).headers["ETag"] != before
