"""The registry is lost with all its rows: no connection goes with it, and the same requests build it again."""

from pathlib import Path

import pytest

from local import backup
from local.deployment import Deployment
from tests.workflows.lost_registry import lose_registry, table_service

pytestmark = pytest.mark.both_kinds


def test_a_saved_registry_is_restored_with_its_history(deployment: Deployment, tmp_path: Path) -> None:
    saved = tmp_path / "registry.jsonl"
    identity = deployment.settle()["id"]
    deployment.check(identity)
    deployment.until_ended(identity)
    # A list also says when a row was written, which it now was again.
    paths = (f"/api/peerings/{identity}", f"/api/peerings/{identity}/runs")
    before = [deployment.api.get(path).json() for path in paths]
    with table_service(deployment) as service:
        written = backup.save(service, saved)
        lose_registry(deployment)
        assert deployment.api.get(f"/api/peerings/{identity}").status_code == 404
        assert backup.restore(service, saved) == written
    assert set(written) == set(backup.TABLES)
    assert [deployment.api.get(path).json() for path in paths] == before
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    assert deployment.rotate(identity)["state"] == "connected"


def test_the_same_request_finds_what_exists_and_recreates_nothing(deployment: Deployment) -> None:
    empty = deployment.cloud_state()
    before = deployment.settle()
    there = deployment.cloud_state()
    lose_registry(deployment)
    assert deployment.api.get("/api/peerings").json()["peerings"] == []
    after = deployment.settle()
    assert (after["id"], after["state"]) == (before["id"], "connected")
    assert deployment.cloud_state() == there
    assert deployment.check(after["id"])["health"]["verdict"] == "healthy"
    assert deployment.remove(after["id"])["state"] == "removed"
    assert deployment.cloud_state() == empty
