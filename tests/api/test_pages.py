"""Lists of several pages, in each order, and changes of more peerings than one request may change."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from triggers.requests.queries import Sort

ORDERS = [order for part in get_args(Sort) for order in get_args(part) or [part]]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app with three peerings, one of them removed by hand and checked."""
    with deploy(tmp_path_factory.mktemp("pages"), Scenario.model_validate({"vnets": 3})) as deployed:
        started = [deployed.start(vnet_id=vnet) for vnet in deployed.cloud.vnet_ids]
        assert {deployed.until(identity)["state"] for identity in started} == {"connected"}
        facts = deployed.status(started[1])["facts"]
        deployed.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
        deployed.api.post(f"/api/peerings/{started[1]}/pause", json={"why": "Planned."}).raise_for_status()
        deployed.check(started[1])
        yield deployed


def pages(deployment: Deployment, **query: str) -> Iterator[list[dict[str, Any]]]:
    """The peerings of each page, by the cursor of the one before it."""
    cursor: dict[str, str] = {}
    while True:
        answer = deployment.api.get("/api/peerings", params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["peerings"]
        if "cursor" not in page:
            return
        cursor = {"cursor": page["cursor"]}


@pytest.mark.parametrize("filters", [{}, {"state": "connected"}])
@pytest.mark.parametrize("order", ORDERS)
def test_pages_follow_one_another_in_each_order(deployment: Deployment, order: str, filters: dict[str, str]) -> None:
    (whole,) = pages(deployment, sort=order, **filters)
    assert len(whole) == 3
    single = list(pages(deployment, sort=order, limit="1", **filters))
    assert [len(page) for page in single] == [1, 1, 1]
    assert [page[0]["id"] for page in single] == [one["id"] for one in whole]
    (other,) = pages(deployment, sort=order.removeprefix("-"), **filters)
    ids = [one["id"] for one in other]
    assert [one["id"] for one in whole] == (ids[::-1] if order.startswith("-") else ids)


def test_a_cursor_is_of_the_list_that_gave_it(deployment: Deployment) -> None:
    given = deployment.api.get("/api/peerings", params={"limit": "1", "sort": "-changed"}).json()["cursor"]
    for cursor in (given, "!", "bm9uZQ", given[:-2]):
        refused = deployment.api.get("/api/peerings", params={"limit": "1", "sort": "state", "cursor": cursor})
        assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (400, ["cursor"])


def test_more_than_one_request_may_change_are_left_as_they_are(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triggers.many.MOST_AT_ONCE", 2)
    refused = deployment.api.post("/api/pause", params={"state": "connected"}, json={"why": "All."})
    assert (refused.status_code, refused.json().get("code")) == (409, "too-many-match"), str(refused.json())
    paused = deployment.api.get("/api/peerings", params={"paused": "true"}).json()["peerings"]
    assert len(paused) == 1


def test_a_check_of_some_names_those_that_it_has_to_leave(deployment: Deployment) -> None:
    refused = {"host": r"api\.aiven\.io", "status": 503, "times": 9999}
    deployment.knobs(faults=[refused])
    try:
        identity = deployment.start(allow_forwarded_traffic=True)
        vnet = deployment.cloud.vnet_ids[0].rpartition("/")[2]
        answer = deployment.api.post("/api/checks", params={"vnet": vnet}).json()
    finally:
        deployment.knobs(faults=[])
    assert answer["checks"] == []
    assert [(one["id"], one["problem"]["code"]) for one in answer["failed"]] == [(identity, "operation-under-way")]
    assert deployment.until(identity)["state"] == "connected"
