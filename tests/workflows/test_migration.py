"""The registry of version 0.2.0 is brought over once: what is at rest as it is, what is under way as an order."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.durable_functions import DurableOrchestrationClient

from local.cloud import LocalCloud, Scenario
from local.deployment import Deployment, platform
from peering.request import PeeringRequest
from peering.runs import SWEEP
from tests.workflows.old_registry import CALLER, Before, Management, fire, given, keys_of, resume, row_of, run_of

OUTDATED = "vnet-peering-missing"
BUSY = {"run": "0badcafe"}
FOREIGN = {
    "azure_subscription_id": "11111111-1111-1111-1111-111111111111",
    "resource_group": "other",
    "vnet_name": "theirs",
    "state": "ACTIVE",
}


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Before]:
    """A cloud with some VNets."""
    clock = platform().clock()
    with LocalCloud(Scenario.model_validate({"vnets": 4}), tmp_path / "cloud", clock=clock, seed=1) as cloud:
        yield Before(cloud, tmp_path, clock)


def never_connected(before: Before, number: int, *runs: dict[str, Any]) -> dict[str, Any]:
    """The old record of a peering that nothing was made for yet."""
    environment = before.cloud.environment
    vnets = [v.id for v in before.cloud.world.vnets.values() if environment["AZURE_SUBSCRIPTION_ID"] in v.id]
    names = ("AIVEN_PROJECT", "AIVEN_PROJECT_VPC_ID")
    pair = dict(zip(("project", "project_vpc_id"), (environment[name] for name in names), strict=True))
    request = PeeringRequest.model_validate_json(json.dumps({**pair, "vnet_id": vnets[number]}))
    at = "2026-01-01T10:00:00+00:00"
    return {
        "peering": request.peering(),
        "facts": {},
        "revision": 1,
        "requested_by": CALLER,
        "requested": at,
        "runs": [{"operation": "establish", "by": CALLER, "started": at, **run} for run in runs],
        "objects": {},
    }


def start_other(deployment: Deployment, record: dict[str, Any]) -> httpx.Response:
    """Ask for another peering's start."""
    body = {name: record["peering"][name] for name in ("project", "project_vpc_id", "vnet_id")}
    return deployment.api.post("/api/peerings", json=body)


def test_peerings_at_rest_stay_as_they_are(before: Before) -> None:
    problem = {"code": "automation-not-authorized", "detail": "No right."}
    connected = before.connected()
    began = connected["runs"][-1]["ended"]
    finding = {"problem": {"code": OUTDATED, "detail": "Gone."}, "since": began, "repaired": began}
    connected["health"] = {"verdict": "broken", "since": began, "checked": began, "problems": [finding]}
    connected["attempts"] = {OUTDATED: began}
    ended = {"run": "1", "ended": "2026-01-01T11:00:00+00:00", "state": "failed", "problem": problem}
    failed = {**never_connected(before, 1, ended), "state": "failed"}
    other = never_connected(before, 2)
    before.fill(connected, failed, unmanaged=[FOREIGN])
    identity = connected["peering"]["id"]
    with before.app() as app:
        refused = start_other(app, other)
        assert (refused.status_code, refused.json()["code"]) == (503, "registry-being-migrated")
        assert app.api.get("/api/peerings").json()["peerings"] == []
        fire(app, "check_all_peerings")
        assert Management(app).runtime_status(SWEEP) == "none"
        resume(app)
        row = row_of(app, identity)
        added = {"changed": began, "attempts": {OUTDATED: {"at": began, "count": 1}}}
        assert row == {**connected, **added}
        assert app.status(identity)["health"]["verdict"] == "broken"
        assert app.status(failed["peering"]["id"])["problem"]["code"] == "automation-not-authorized"
        (run,) = app.api.get(f"/api/peerings/{failed['peering']['id']}/runs").json()["runs"]
        assert (run["outcome"], run["problem"]) == ("problem", problem)
        (unmanaged,) = app.api.get("/api/unmanaged").json()["unmanaged"]
        assert unmanaged["vnet_name"] == "theirs"
        assert unmanaged["project"] == connected["peering"]["project"]
        assert Management(app).entity("registry_index", "all") != []
        assert app.check(identity)["health"]["verdict"] == "healthy"
        assert start_other(app, other).status_code == 202


def test_a_second_migration_changes_nothing(before: Before) -> None:
    record = {**never_connected(before, 1), "state": "failed"}
    before.fill(record)
    with before.app() as app:
        resume(app)
        app.remove(record["peering"]["id"])
        keys = keys_of(app, "peerings"), keys_of(app, "runs")
    with before.app() as app:
        resume(app)
        assert (keys_of(app, "peerings"), keys_of(app, "runs")) == keys
        assert start_other(app, never_connected(before, 2)).status_code == 202


def test_a_start_under_way_is_begun_again(before: Before) -> None:
    record = never_connected(before, 1, BUSY)
    identity = record["peering"]["id"]
    wait = f"{identity}:{BUSY['run']}:pending_peer"
    begun = {identity: ("establish", given(record, BUSY["run"])), wait: ("await_step", {}), SWEEP: ("check_health", {})}
    before.fill(record, instances=begun)
    with before.app() as app:
        resume(app)
        assert Management(app).runtime_status(SWEEP) != "Running"
        assert Management(app).runtime_status(wait) == "Terminated"
        status = app.until(identity)
        assert status["state"] == "connected", status
        (run,) = app.api.get(f"/api/peerings/{identity}/runs").json()["runs"]
        assert (run["run"], run["outcome"], run["by"]) == (BUSY["run"], "done", CALLER)


def test_a_removal_under_way_is_carried_out(before: Before) -> None:
    applications = len(before.cloud.world.applications)
    record = before.connected()
    assert len(before.cloud.world.applications) > applications
    record["runs"].append(run_of("remove", BUSY["run"], record))
    identity = record["peering"]["id"]
    before.fill(record, instances={identity: ("remove", given(record, BUSY["run"]))})
    with before.app() as app:
        resume(app)
        assert app.until(identity)["state"] == "removed"
        assert len(before.cloud.world.applications) == applications


def test_a_removal_that_waits_for_a_start_to_stop_takes_its_place(before: Before) -> None:
    record = never_connected(before, 1, BUSY)
    identity = record["peering"]["id"]
    before.fill(
        record,
        instances={
            identity: ("establish", given(record, BUSY["run"])),
            f"{identity}:removal": ("stop_and_remove", given(record, "2")),
        },
    )
    with before.app() as app:
        resume(app)
        assert app.until(identity)["state"] == "removed"
        assert Management(app).runtime_status(f"{identity}:removal") == "Terminated"
        last, first = app.api.get(f"/api/peerings/{identity}/runs").json()["runs"]
        assert (last["run"], last["operation"], last["outcome"]) == ("2", "remove", "done")
        assert (first["run"], first["outcome"], first["superseded_by"]) == (BUSY["run"], "superseded", "2")


def test_a_start_that_the_old_registry_had_not_heard_of_is_carried_out(before: Before) -> None:
    known, new = {**never_connected(before, 1), "state": "failed"}, never_connected(before, 2)
    identity = new["peering"]["id"]
    before.fill(known, instances={identity: ("establish", given(new, "3"))})
    with before.app() as app:
        resume(app)
        assert app.until(identity)["state"] == "connected"


def test_the_first_start_of_all_is_carried_out(before: Before) -> None:
    new = never_connected(before, 2)
    identity = new["peering"]["id"]
    before.fill(instances={identity: ("establish", given(new, "3"))})
    with before.app() as app:
        refused = start_other(app, never_connected(before, 1))
        assert (refused.status_code, refused.json()["code"]) == (503, "registry-being-migrated")
        resume(app)
        assert app.until(identity)["state"] == "connected"


def test_a_migration_that_is_interrupted_goes_on(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [{**never_connected(before, number), "state": "failed"} for number in (1, 2)]
    busy = never_connected(before, 3, BUSY)
    identity = busy["peering"]["id"]
    before.fill(*records, busy, instances={identity: ("establish", given(busy, BUSY["run"]))})
    with before.app() as app:
        registry: Any = import_module("clients.registry.tables").Registry
        change, left = registry.change, [True, True]

        async def failing(self: object, peering_id: str, *others: object, **options: object) -> object:
            if peering_id == records[1]["peering"]["id"] and left and left.pop():
                raise ConnectionError("killed")
            return await change(self, peering_id, *others, **options)

        monkeypatch.setattr(registry, "change", failing)
        resume(app)
        assert ("migrations", "entities") not in keys_of(app, "peerings")
        assert start_other(app, records[0]).status_code == 503
        untouched = row_of(app, records[0]["peering"]["id"])
        resume(app)
        assert start_other(app, records[0]).status_code == 503
        resume(app)
        assert {key for _, key in keys_of(app, "peerings")} >= {r["peering"]["id"] for r in (*records, busy)}
        assert row_of(app, records[0]["peering"]["id"]) == untouched
        assert app.until(identity)["state"] == "connected"
        assert start_other(app, records[0]).status_code == 202


def test_a_new_installation_waits_for_nothing(before: Before) -> None:
    with before.app() as app:
        assert start_other(app, never_connected(before, 1)).status_code == 202
        assert ("migrations", "entities") in keys_of(app, "peerings")


@pytest.mark.parametrize("asked", ["read_entity_state", "get_status_by"])
def test_an_engine_that_does_not_tell_what_it_holds_lets_nothing_be_changed(
    before: Before, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    async def silent(*_: object) -> None:
        raise Exception("The engine answers 500.")  # noqa: TRY002 - the SDK's

    with before.app() as app:
        with monkeypatch.context() as patch:
            patch.setattr(DurableOrchestrationClient, asked, silent)
            refused = start_other(app, never_connected(before, 1))
            assert (refused.status_code, refused.json()["code"]) == (503, "registry-being-migrated")
            assert "does not list" in refused.json()["detail"]
            resume(app)
            assert ("migrations", "entities") not in keys_of(app, "peerings")
        assert start_other(app, never_connected(before, 1)).status_code == 202


def test_an_old_start_that_does_not_end_lets_nothing_be_changed(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ignored(*_: object) -> None:
        """Come to nothing."""

    record = never_connected(before, 1, BUSY)
    identity = record["peering"]["id"]
    before.fill(record, instances={identity: ("establish", given(record, BUSY["run"]))})
    with before.app() as app:
        with monkeypatch.context() as patch:
            patch.setattr(import_module("clients.durable"), "_PAUSE", 0.0)
            patch.setattr(DurableOrchestrationClient, "terminate", ignored)
            resume(app)
            assert ("migrations", "entities") not in keys_of(app, "peerings")
            assert start_other(app, never_connected(before, 2)).status_code == 503
        resume(app)
        assert app.until(identity)["state"] == "connected"
        assert start_other(app, never_connected(before, 2)).status_code == 202
