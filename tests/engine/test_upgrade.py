"""On one task hub of the genuine engine another version's code is followed by today's: nothing is lost."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import LocalCloud, Scenario
from local.deployment import Deployment, deploy_to, deployed_on
from local.genuine import GenuinePlatform
from local.package import deployed_files
from local.processes import PROJECT

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]

#: The commit of version 0.2.0, the release before today's.
RELEASE: Final = "609bf4c"
#: The folders that a version is made of.
ROOMS: Final = ("activities", "clients", "entities", "function_app", "orchestrators", "peering", "triggers")
#: No timer fires by itself.
STILL: Final = {"RESUME_SCHEDULE": "0 0 0 1 1 *"}
_SECONDS: Final = 120


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release's files."""
    packed = subprocess.run(["git", "archive", RELEASE], cwd=PROJECT, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip(f"left out: the history of the repository does not reach back to {RELEASE}")
    directory = tmp_path_factory.mktemp("release")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(directory, filter="data")
    return directory


@contextmanager
def todays_modules_aside() -> Iterator[None]:
    """Have the packages of today's app imported again meanwhile: the release has packages of the same names."""
    aside = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ROOMS}
    for name in aside:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in ROOMS]:
            del sys.modules[name]
        sys.modules.update(aside)


def begin(deployment: Deployment, number: int) -> str:
    """Ask for the peering of a VNet; returns its id. The release's API takes project VPCs alone."""
    body = deployment.request(vnet_id=deployment.cloud.vnet_ids[number])
    answer = deployment.api.post("/api/peerings", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def until(deployment: Deployment, identity: str, *states: str) -> dict[str, Any]:
    """Wait until a peering is in one of some states; of the release's status, too, only these are read."""
    deadline = time.monotonic() + _SECONDS
    while (status := deployment.api.get(f"/api/peerings/{identity}").json()).get("state") not in states:
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    return dict(status)


def until_requested(deployment: Deployment, count: int) -> None:
    """Wait until so many connections were requested of Aiven."""
    deadline = time.monotonic() + _SECONDS
    while sum(1 for one in deployment.writes() if "peering-connection" in one["path"]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def bring_over(deployment: Deployment, identity: str) -> None:
    """Fire the timer that migrates the registry until a peering can be changed: it would come every minute."""
    deadline, answer = time.monotonic() + _SECONDS, None
    while answer is None or answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        assert time.monotonic() < deadline, answer
        deployment.fire("resume_orders")
        answer = deployment.api.patch(f"/api/peerings/{identity}", json={"note": None})
    assert answer.status_code == HTTPStatus.OK, answer.text


def test_a_deployment_of_the_last_release_with_a_run_under_way_goes_on_with_todays_code(
    genuine_platform: GenuinePlatform, release: Path, tmp_path: Path
) -> None:
    clock, state = genuine_platform.clock(), tmp_path / "app"
    scenario = Scenario(vnets=2)
    with deployed_on(genuine_platform), LocalCloud(scenario, tmp_path / "cloud", clock=clock, seed=1) as cloud:
        with todays_modules_aside(), deploy_to(cloud, state, clock, app=release) as old:
            at_rest = begin(old, 0)
            facts = until(old, at_rest, "connected")["facts"]
            old.knobs(approved=6 * 3600, detect=6 * 3600)
            under_way = begin(old, 1)
            until_requested(old, 2)
        with deploy_to(cloud, state, clock, settings=STILL) as today:
            today.knobs(approved=0, detect=0)
            bring_over(today, at_rest)
            assert until(today, at_rest, "connected")["facts"]["application_id"] == facts["application_id"]
            assert today.check(at_rest)["health"]["verdict"] == "healthy"
            assert until(today, under_way, "connected", "failed")["state"] == "connected"
            assert today.check(under_way)["health"]["verdict"] == "healthy"
            requested = [one for one in today.writes() if "peering-connection" in one["path"]]
            assert len({one["path"] for one in requested}) <= 2
            for identity in (at_rest, under_way):
                assert today.remove(identity)["state"] == "removed"


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """Today's app, as a later version."""
    directory = tmp_path / "next"
    for name in deployed_files():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, directory / name)
    host = json.loads((directory / "host.json").read_text())
    host["extensions"]["durableTask"]["defaultVersion"] = "99.0.0"
    (directory / "host.json").write_text(json.dumps(host))
    return directory


def test_what_a_later_version_has_begun_is_begun_again_after_a_rollback(
    genuine_platform: GenuinePlatform, next_release: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, state = genuine_platform.clock(), tmp_path / "app"
    with deployed_on(genuine_platform), LocalCloud(Scenario(), tmp_path / "cloud", clock=clock, seed=1) as cloud:
        with todays_modules_aside(), deploy_to(cloud, state, clock, app=next_release, settings=STILL) as later:
            later.knobs(approved=6 * 3600, detect=6 * 3600)
            identity = begin(later, 0)
            until_requested(later, 1)
        with deploy_to(cloud, state, clock) as today:
            today.knobs(approved=0, detect=0)
            assert until(today, identity, "connected", "failed")["state"] == "connected"
            assert "event=order-resumed" in caplog.text
            assert today.check(identity)["health"]["verdict"] == "healthy"
            assert today.remove(identity)["state"] == "removed"
