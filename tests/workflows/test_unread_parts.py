"""A part that cannot be read costs a check its verdict, a plan a problem, and a start nothing that is not needed."""

import importlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from local.deployment import Deployment, deploy
from peering.record import Record
from tests.workflows.rights import give, take_reader
from tests.workflows.sweeping import sweep, until_swept

ARM = r"management\.azure\.com"
#: For as long as a test takes.
ALWAYS = 10_000


def test_a_sweep_that_may_not_list_a_subscriptions_assignments_lists_those_of_each_vnet(
    deployment: Deployment,
) -> None:
    take_reader(deployment, give(deployment))
    identity = deployment.settle()["id"]
    deployment.until_ended(identity)
    deployment.clear_requests()
    sweep(deployment)
    assert until_swept(deployment) == {"checked": 1, "changed": 1, "repairs": 0}
    assert deployment.record(identity)["health"]["verdict"] == "healthy"
    # Nothing was found wrong that a second look would have had to refute.
    assert len([one for one in deployment.cloud.requests if one.service == "aiven" and "/vpcs/" in one.path]) == 1


def test_a_sweep_that_cannot_list_a_subscriptions_assignments_asks_no_vnet_for_them(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.until_ended(status["id"])
    listed = {"host": ARM, "method": "GET", "path": "^/subscriptions/[^/]+/providers/.*/roleAssignments$"}
    deployment.knobs(faults=[{**listed, "status": 400, "code": "BadRequest", "times": ALWAYS}])
    deployment.clear_requests()
    sweep(deployment)
    until_swept(deployment)
    health = deployment.record(status["id"])["health"]
    assert (health["verdict"], [one["problem"]["code"] for one in health["problems"]]) == (
        "unknown",
        ["remote-refused"],
    )
    vnet = status["facts"]["vnet_id"].lower()
    asked = [r.path for r in deployment.cloud.requests if r.path.lower().startswith(vnet) and "roleAssign" in r.path]
    assert asked == []


def test_a_peering_whose_look_cannot_be_judged_is_unknown(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    identity = deployment.settle()["id"]

    def failing(*_: object) -> None:
        raise KeyError("a part of the look")

    monkeypatch.setattr(importlib.import_module("activities.checks.verdicts"), "findings", failing)
    with caplog.at_level(logging.ERROR):
        health = deployment.check(identity)["health"]
    assert (health["verdict"], [one["code"] for one in health["problems"]]) == ("unknown", ["unexpected-error"])
    assert f"peering={identity} could not be judged" in caplog.text


def test_verdicts_that_cannot_be_noted_together_are_noted_one_by_one(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, noted = (deployment.settle(vnet_id=vnet)["id"] for vnet in deployment.cloud.vnet_ids[:2])
    deployment.until_ended(noted)
    registry = importlib.import_module("clients.registry.tables").Registry
    change = registry.change

    async def together(*_: object) -> None:
        raise ConnectionError

    async def alone(self: object, one: str, *given: Callable[[Record], object], **more: bool) -> object:
        if one == failing:
            raise ConnectionError
        return await change(self, one, *given, **more)

    monkeypatch.setattr(registry, "change_health", together)
    monkeypatch.setattr(registry, "change", alone)
    sweep(deployment)
    assert until_swept(deployment) == {
        "checked": 1,
        "changed": 1,
        "repairs": 0,
        "failed": {"check_vnets": 1, "note_unseen": 1},
    }
    assert deployment.record(noted)["health"]["verdict"] == "healthy"
    assert "health" not in deployment.record(failing)


def test_the_plan_of_a_removal_says_what_could_not_be_read(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    path = f"/api/peerings/{identity}?dryRun=true"
    refused = {"host": ARM, "method": "GET", "path": "/permissions$", "status": 400, "code": "BadRequest"}
    deployment.knobs(faults=[{**refused, "times": ALWAYS}])
    found = deployment.api.delete(path).json()["obstacles"]
    assert {one["code"] for one in found} == {"remote-refused"}
    deployment.knobs(faults=[])
    assert deployment.api.delete(path).json()["obstacles"] == []


def test_a_start_connects_although_the_app_may_not_read_its_rights_in_the_subscription(
    deployment: Deployment,
) -> None:
    where = {"host": ARM, "method": "GET", "path": "^/subscriptions/[^/]+/providers/[^/]+/permissions$"}
    deployment.knobs(faults=[{**where, "status": 403, "code": "AuthorizationFailed", "times": ALWAYS}])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")


@pytest.mark.parametrize("status", [403, 200])
def test_a_vault_without_its_id_or_whose_settings_are_hidden_is_no_obstacle(tmp_path: Path, status: int) -> None:
    hidden = {"host": ARM, "method": "GET", "path": "/Microsoft.KeyVault/vaults/[^/]+$", "status": 403}
    with deploy(tmp_path, settings={} if status == 403 else {"KEY_VAULT_ID": ""}) as deployment:
        deployment.knobs(faults=[{**hidden, "code": "AuthorizationFailed", "times": ALWAYS}] if status == 403 else [])
        started = deployment.settle()
        assert started["state"] == "connected", started.get("problem")
