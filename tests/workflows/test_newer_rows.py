"""Rows that another version of the app wrote: an older one's are carried on, a newer one's are left alone."""

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.data.tables import UpdateMode

from clients.registry import schema
from local.cloud import Scenario
from local.deployment import Deployment, deploy
from tests.workflows.registry_rows import change_row, table_of
from tests.workflows.sweeping import sweep, until_swept


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Deployment, str, str]]:
    """Two peerings of one app on different VNets."""
    with deploy(tmp_path, Scenario(vnets=4)) as deployment:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda vnet: deployment.settle(vnet_id=vnet), deployment.cloud.vnet_ids[:2]))
        assert [status["state"] for status in found] == ["connected"] * 2
        yield deployment, found[0]["id"], found[1]["id"]


def test_a_peering_of_a_newer_version_is_left_alone_and_the_others_go_on(two: tuple[Deployment, str, str]) -> None:
    app, newer, other = two
    before = change_row(app, newer, {"record_schema": schema.FIRST + 1})
    vnet = app.cloud.vnet_ids[0]
    asked = [
        app.api.get(f"/api/peerings/{newer}"),
        app.api.post("/api/peerings", json=app.request(vnet_id=vnet)),
        app.api.post("/api/peerings?dryRun=true", json=app.request(vnet_id=vnet)),
        app.api.delete(f"/api/peerings/{newer}"),
    ]
    for answer in asked:
        assert (answer.status_code, answer.json()["code"]) == (503, "registry-row-newer"), answer.text
    assert [one["id"] for one in app.api.get("/api/peerings").json()["peerings"]] == [other]
    assert app.api.get("/api/overview").status_code == 200
    assert "registry-row-newer" in app.api.get("/api/self-check").text
    assert app.check(other)["health"]["verdict"] == "healthy"
    sweep(app)
    assert until_swept(app) == {"checked": 1, "changed": 0, "repairs": 0, "failed": {"plan_sweep": 1}}
    # What the other one needs of the shared roles is not known.
    status = app.remove(other)
    assert (status["state"], status["problem"]["code"]) == ("removal-failed", "registry-row-newer")
    change_row(app, newer, before)
    assert app.remove(other)["state"] == "removed"
    assert app.remove(newer)["state"] == "removed"


def test_a_row_whose_version_is_no_number_keeps_no_other_from_its_check(two: tuple[Deployment, str, str]) -> None:
    app, unreadable, other = two
    change_row(app, unreadable, {"record_schema": "two"})
    assert app.api.get(f"/api/peerings/{unreadable}").json()["code"] == "registry-row-newer"
    assert [one["id"] for one in app.api.get("/api/peerings").json()["peerings"]] == [other]
    sweep(app)
    found = until_swept(app)
    assert (found["checked"], found["failed"]) == (1, {"plan_sweep": 1})


def test_what_a_newer_version_writes_in_todays_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with deploy(tmp_path, Scenario(vnets=2)) as app:
        with monkeypatch.context() as newer:
            newer.setitem(importlib.import_module("clients.registry.schema").CHANGED, "record", schema.FIRST + 1)
            identity = app.settle()["id"]
            sweep(app)
            assert until_swept(app)["checked"] == 1
            app.api.post("/api/pause", json={"why": "a freeze"}).raise_for_status()
        answer = app.api.get(f"/api/peerings/{identity}")
        assert (answer.status_code, answer.json()["code"]) == (503, "registry-row-newer")
        assert "record in version 1" in answer.json()["detail"]
        assert app.api.get("/api/overview").json()["paused_all"]["why"] == "a freeze"
        app.api.post("/api/resume").raise_for_status()
        sweep(app)
        assert until_swept(app) == {"checked": 0, "changed": 0, "repairs": 0, "failed": {"plan_sweep": 1}}


def test_rows_without_a_version_are_carried_on(two: tuple[Deployment, str, str]) -> None:
    app, one, other = two
    with table_of(app) as table:
        for row in list(table.list_entities()):
            kept = {name: value for name, value in row.items() if not name.endswith(schema.COLUMN)}
            table.update_entity(kept, mode=UpdateMode.REPLACE)
    assert app.check(one)["health"]["verdict"] == "healthy"
    with table_of(app) as table:
        versions = {str(row["RowKey"]): row.get("record_schema") for row in table.query_entities("busy eq false")}
    assert versions == {one: schema.FIRST, other: None}
    assert app.remove(one)["state"] == "removed"
    assert app.remove(other)["state"] == "removed"
