"""What the registry keeps, also when the engine has forgotten the runs."""

import asyncio
import json
from importlib import import_module

import pytest

from local.deployment import Deployment
from peering.version import VERSION


def purge(deployment: Deployment, identity: str) -> None:
    """Remove a run from the engine's history, as operators do with old ones."""
    deployment.until_ended(identity)
    assert deployment.purge(identity) == 1


def test_a_peering_outlives_the_history_of_its_runs(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    first = deployment.settle()
    purge(deployment, first["id"])
    status = deployment.status(first["id"])
    assert (status["state"], status["objects"], status["connected"]) == (
        "connected",
        first["objects"],
        first["connected"],
    )
    assert deployment.check(first["id"])["health"]["verdict"] == "healthy"
    assert deployment.rotate(first["id"])["runs"][-1]["state"] == "rotated"
    purge(deployment, first["id"])
    assert deployment.remove(first["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


def test_it_says_who_asked_which_version_made_what_and_how_runs_ended(deployment: Deployment) -> None:
    status = deployment.settle()
    assert status["requested_by"] == {"name": "holder of the function key", "id": None}
    assert {origin["app_version"] for origin in status["objects"].values()} == {VERSION}
    (run,) = status["runs"]
    assert (run["operation"], run["state"], run["by"]) == ("establish", "connected", status["requested_by"])
    assert run["started"] <= run["ended"] == status["connected"]


def test_the_size_of_a_status_stays_below_what_the_engine_takes(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    status = deployment.settle()
    assert len(json.dumps(deployment.instance(status["id"]))) < 16 * 1024


def test_a_check_during_which_labels_change_has_a_verdict(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = deployment.settle()["id"]
    module = import_module("activities.checks.check")
    look, looks = module.look_of_peering, list[object]()

    async def interrupted(*given: object) -> object:
        if not looks:
            address, body = f"/api/peerings/{identity}", {"labels": {"team": "network"}}
            answer = await asyncio.to_thread(deployment.api.patch, address, json=body)
            answer.raise_for_status()
        looks.append(given)
        return await look(*given)

    monkeypatch.setattr(module, "look_of_peering", interrupted)
    status = deployment.check(identity)
    assert (len(looks), status["labels"]) == (2, {"team": "network"})
    assert status["health"]["verdict"] == "healthy"
