"""A caller is erased: nothing that the registry keeps names that one any more, and the others stay."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.registry import schema
from local.cloud import Scenario
from local.deployment import Deployment, deploy
from tests.workflows.registry_rows import change_row, table_of

FIRST, SECOND = "first@example.com", "second@example.com"


@pytest.fixture
def signed_in(tmp_path: Path) -> Iterator[Deployment]:
    """The app behind App Service authentication, with nothing in it."""
    with deploy(tmp_path, Scenario(vnets=3), settings={"WEBSITE_AUTH_ENABLED": "true"}) as deployment:
        yield deployment


def headers(deployment: Deployment, who: str, role: str = "operator") -> dict[str, str]:
    """The headers of a signed-in caller."""
    token = deployment.host.app_service.sign_in(who, (role,))
    return {"authorization": f"Bearer {token}", "x-functions-key": deployment.host.keys.function}


def rows(deployment: Deployment) -> str:
    """All that the registry holds, but for the responses that are kept for a day."""
    (account,) = deployment.cloud.world.storage_accounts.values()
    found = [entity for table in account.tables.values() for entity in table.scan(("", ""))]
    kept = [one for one in found if one.key[0] != "repeats"]
    return json.dumps([{name: str(cell.value) for name, cell in one.properties.items()} for one in kept])


def test_an_erased_caller_is_named_nowhere(signed_in: Deployment) -> None:
    app, ana, bob = signed_in, headers(signed_in, FIRST), headers(signed_in, SECOND)
    first, second = app.cloud.vnet_ids[:2]
    begun = app.api.post("/api/peerings", json=app.request(vnet_id=first), headers=ana).json()
    app.api.post("/api/peerings", json=app.request(vnet_id=first), headers=bob).raise_for_status()
    other = app.api.post("/api/peerings", json=app.request(vnet_id=second), headers=bob).json()
    app.api.post("/api/peerings", json=app.request(vnet_id=second), headers=ana).raise_for_status()
    for one in (begun, other):
        while app.api.get(one["url"], headers=bob).json()["state"] != "connected":
            pass
    app.api.post(f"{begun['url']}/pause", json={"why": "a freeze"}, headers=ana).raise_for_status()
    app.api.post("/api/pause", json={"why": "a freeze"}, headers=ana).raise_for_status()
    assert app.api.post("/api/peerings", json={}, headers=ana).status_code == 400
    assert app.api.post("/api/peerings", json={}, headers=headers(app, FIRST, "reader")).status_code == 403
    before = rows(app)
    identity = app.api.get(begun["url"], headers=bob).json()["requested_by"]["id"]
    assert FIRST in before
    assert identity in before
    answer = app.api.post("/api/callers/erase", json={"caller": FIRST.upper()}, headers=bob)
    runs = sum(len(app.api.get(f"{one['url']}/runs", headers=bob).json()["runs"]) for one in (begun, other))
    assert (answer.status_code, answer.json()) == (200, {"peerings": 2, "runs": runs, "refusals": 2, "left": 0})
    after = rows(app)
    assert FIRST not in after
    assert identity not in after
    assert after.count(SECOND) == before.count(SECOND)
    assert app.api.get(begun["url"], headers=bob).json()["requested_by"] == {"name": "erased", "id": None}
    assert app.api.get("/api/peerings?requested_by=erased&count=true", headers=bob).json()["count"] == 1
    again = app.api.post("/api/callers/erase", json={"caller": FIRST}, headers=bob).json()
    assert again == {"peerings": 0, "runs": 0, "refusals": 0, "left": 0}
    bobs = app.api.get(other["url"], headers=bob).json()["requested_by"]["id"]
    app.api.post("/api/callers/erase", json={"caller": bobs}, headers=ana).raise_for_status()
    assert SECOND not in rows(app)
    assert bobs not in rows(app)


def test_a_row_that_cannot_be_read_is_told(signed_in: Deployment) -> None:
    app, ana = signed_in, headers(signed_in, FIRST)
    begun = app.api.post("/api/peerings", json=app.request(), headers=ana).json()
    while app.api.get(begun["url"], headers=ana).json()["state"] != "connected":
        pass
    app.api.post("/api/pause", json={"why": "a freeze"}, headers=ana).raise_for_status()
    change_row(app, begun["id"], {"record_schema": schema.FIRST + 1})
    with table_of(app) as table:
        table.update_entity({"PartitionKey": "pauses", "RowKey": "all", "pause_schema": schema.FIRST + 1})
    answer = app.api.post("/api/callers/erase", json={"caller": FIRST}, headers=ana)
    assert (answer.status_code, answer.json()) == (200, {"peerings": 0, "runs": 1, "refusals": 0, "left": 2})


def test_a_pause_that_ends_meanwhile_does_not_come_back(signed_in: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    app, ana = signed_in, headers(signed_in, FIRST)
    app.api.post("/api/pause", json={"why": "a freeze"}, headers=ana).raise_for_status()
    pauses = importlib.import_module("clients.pauses")
    genuine = pauses.erased

    def slow(*given: object) -> object:
        with table_of(app) as table:
            table.delete_entity("pauses", "all")
        return genuine(*given)

    with monkeypatch.context() as patched:
        patched.setattr(pauses, "erased", slow)
        answer = app.api.post("/api/callers/erase", json={"caller": FIRST}, headers=ana).json()
    assert (answer["left"], "paused_all" in app.api.get("/api/overview", headers=ana).json()) == (1, False)
    assert app.api.post("/api/callers/erase", json={"caller": FIRST}, headers=ana).json()["left"] == 0
