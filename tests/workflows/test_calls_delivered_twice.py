"""The platform delivers a call at least once: each one runs twice, the second beside the first or right after it."""

import asyncio
import importlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.cloud.world.world import Application
from local.deployment import Deployment, Status, deploy
from local.host.hostility import Kind
from peering.runs import FUNCTION_TIMEOUT
from tests.workflows.cloud_objects import application_of
from tests.workflows.delivered_twice import Twice


@pytest.fixture(params=range(2))
def deployment(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The app on a host that delivers every call twice; the moments follow from the seed."""
    with deploy(tmp_path, hostile=request.param) as deployed:
        deployed.host.hostility.resume({Kind.ACTIVITY_TWICE: 1})
        deployed.knobs(latency=0.01)
        yield deployed


def assert_works(deployment: Deployment, status: Status, application: Application) -> None:
    """The password that the registry names is one that the application has."""
    facts = deployment.record(status["id"])["facts"]
    (vault,) = deployment.cloud.world.vaults.values()
    version = next(v for v in vault.secrets[facts["secret_name"]] if v.version == facts["secret_version"])
    assert version.enabled
    assert version.value in {password.text for password in application.passwords}
    assert facts["secret_key_id"] in {password.key_id for password in application.passwords}


def test_the_credential_that_is_heard_of_works_and_stays_the_only_one(deployment: Deployment) -> None:
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    application = application_of(deployment, status["facts"]["application_id"])
    assert_works(deployment, status, application)
    for _ in range(2):
        rotated = deployment.rotate(status["id"])
        assert rotated["runs"][-1]["state"] == "rotated", rotated["runs"][-1]
        assert_works(deployment, status, application)
    deployment.later(status["id"], 2 * FUNCTION_TIMEOUT + timedelta(seconds=1))
    checked = deployment.check(status["id"])
    assert (checked["state"], checked["health"]["verdict"]) == ("connected", "healthy"), checked["health"]
    assert len(application.passwords) == 1
    assert_works(deployment, status, application)


@pytest.mark.both_kinds
def test_what_is_made_is_there_once_and_what_is_removed_is_gone(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle()
    facts = status["facts"]
    once = _counted(deployment)
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    repaired = deployment.check(status["id"])
    assert (repaired["state"], repaired["health"]["verdict"]) == ("connected", "healthy"), repaired["health"]
    assert _counted(deployment) == once
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed.get("problem")) == ("removed", None)
    assert deployment.cloud_state() == before


def _counted(deployment: Deployment) -> dict[str, int]:
    """How many objects of each kind there are, but for passwords: two calls may have made one each."""
    return {kind: len(objects) for kind, objects in deployment.cloud_state().items()}


def test_a_delivery_that_comes_after_its_run_makes_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, late, calls = threading.Event(), threading.Event(), list[object]()
    with deploy(tmp_path, hostile=Twice("new_credential", after=0.0)) as deployment:
        status = deployment.settle()
        passwords = importlib.import_module("activities.steps.passwords")
        genuine = passwords._make_password

        async def slow(*given: object) -> object:
            calls.append(given)
            if len(calls) == 1:
                return await genuine(*given)
            await asyncio.to_thread(ended.wait, 60)
            try:
                return await genuine(*given)
            finally:
                late.set()

        monkeypatch.setattr(passwords, "_make_password", slow)
        rotated = deployment.rotate(status["id"])
        assert rotated["runs"][-1]["state"] == "rotated"
        ended.set()
        assert late.wait(20)
        assert len(calls) == 2
        (password,) = application_of(deployment, status["facts"]["application_id"]).passwords
        assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]
