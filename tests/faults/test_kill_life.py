"""`kill -9` at random instants of a rotation, a repair and a removal: each converges and keeps its promises.

The instants are drawn from AIVEN_PEERING_KILL_SEED (default 1); set it to try others.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest

from local.clock import SystemClock
from local.cloud import LocalCloud, Scenario
from local.demo import peering_request
from local.deployment import AT_WORK
from local.processes import FunctionsApp, app_settings, start_app
from tests.workflows.by_hand import made_by_hand

SEED: Final = int(os.environ.get("AIVEN_PEERING_KILL_SEED", "1"))
#: Kills in each of the three operations.
KILLS: Final = {"rotate": 4, "repair": 3, "remove": 3}
#: Long enough for an operation to be killed several times.
SCENARIO: Final = Scenario.model_validate(
    {"secret_accepted": 2, "role_effective": 1, "operation": 1, "approved": 3, "detect": 2, "deleted": 3}
)
LONGEST_LIFE: Final = 2.0

Status = dict[str, Any]


class Mortal:
    """An app that is killed and started again, and the cloud that it works on."""

    def __init__(self, cloud: LocalCloud, state: Path) -> None:
        self.cloud, self._state, self._environment = cloud, state, app_settings(cloud.environment)
        self._lives = random.Random(SEED)  # noqa: S311 - chooses instants
        self.app: FunctionsApp = start_app(state, self._environment)
        self.identity = ""
        self.before: dict[str, Any] = {}

    def kill(self) -> None:
        """Kill the app at whatever instruction it is."""
        os.kill(self.app.process.pid, signal.SIGKILL)
        self.app.process.wait()

    def ask(self, method: str, path: str = "", **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's options
        """A request about the peering."""
        with self.app.client() as client:
            return client.request(method, f"/api/peerings/{self.identity}{path}", **options)

    def status(self) -> Status:
        """How the peering stands."""
        return cast("Status", self.ask("GET").json())

    def at_rest(self) -> bool:
        """Whether nothing is at work on the peering."""
        status = self.status()
        return status["state"] not in AT_WORK and not status["checking"]

    def rest(self, seconds: float = 120) -> Status:
        """Wait until nothing is at work on the peering."""
        deadline = time.monotonic() + seconds
        while not self.at_rest():
            assert time.monotonic() < deadline, self.status()
            time.sleep(0.2)
        return self.status()

    def survive(self, kills: int, begin: Callable[[], None], promise: Callable[[], None]) -> None:
        """Kill the app so often while it is at work, begin again when it is not, and see each time what is promised."""
        hit = 0
        begin()
        while hit < kills:
            time.sleep(self._lives.uniform(0, LONGEST_LIFE))
            if self.at_rest():
                begin()
                continue
            self.kill()
            hit += 1
            promise()
            self.app = start_app(self._state, self._environment)
        promise()


@pytest.fixture
def mortal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mortal]:
    """A connected peering, beside a manually created one."""
    with LocalCloud(SCENARIO, tmp_path / "cloud", clock=SystemClock(), seed=None) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        delays = cloud.world.knobs
        cloud.world.knobs = Scenario()
        made_by_hand(cloud, cloud.vnet_ids[-1])
        app = Mortal(cloud, tmp_path / "app")
        app.before = state(cloud)
        app.identity = app.ask("POST", json=peering_request(cloud.environment)).json()["id"]
        assert app.rest()["state"] == "connected"
        cloud.world.knobs = delays
        yield app
        app.kill()


def state(cloud: LocalCloud) -> dict[str, Any]:
    """Everything that the cloud holds, without any secret."""
    return cast("dict[str, Any]", httpx.get(f"{cloud.admin_url}/state", trust_env=False).raise_for_status().json())


def assert_one_or_two_passwords_and_one_that_works(mortal: Mortal) -> None:
    """What a rotation promises at every instant."""
    held = state(mortal.cloud)
    (application,) = [a for a in held["applications"] if a["uniqueName"]]
    keys = {password["keyId"] for password in application["passwordCredentials"]}
    calls = {password["displayName"] for password in application["passwordCredentials"]}
    stored = {
        version["tags"]["key-id"] for secret in held["secrets"] for version in secret["versions"] if version["enabled"]
    }
    assert 1 <= len(calls) <= 2
    assert keys & stored, "no password of the application is in the vault"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_ten_times_it_rotates_repairs_and_removes(mortal: Mortal) -> None:
    def promise() -> None:
        assert_one_or_two_passwords_and_one_that_works(mortal)

    mortal.survive(KILLS["rotate"], lambda: _begin(mortal, "POST", "/rotate"), promise)
    status = mortal.rest()
    assert (status["state"], status["runs"][-1]["state"]) == ("connected", "rotated"), status.get("problem")
    (application,) = [a for a in state(mortal.cloud)["applications"] if a["uniqueName"]]
    assert len(application["passwordCredentials"]) == 1
    mortal.survive(KILLS["repair"], lambda: _break_and_check(mortal, status), promise)
    mortal.rest()
    _begin(mortal, "POST", "/check")
    assert mortal.rest()["health"]["verdict"] == "healthy"
    mortal.survive(KILLS["remove"], lambda: _begin(mortal, "DELETE"), lambda: None)
    assert mortal.rest()["state"] == "removed"
    assert state(mortal.cloud) == mortal.before


def _begin(mortal: Mortal, method: str, path: str = "") -> None:
    """Ask for an operation; a peering that has just been removed is asked for again first."""
    if method == "DELETE" and mortal.status()["state"] == "removed":
        mortal.identity, identity = "", mortal.identity
        mortal.ask("POST", json=peering_request(mortal.cloud.environment)).raise_for_status()
        mortal.identity = identity
        assert mortal.rest()["state"] == "connected"
    mortal.ask(method, path).raise_for_status()


def _break_and_check(mortal: Mortal, status: Status) -> None:
    """Delete the VNet peering behind the app's back, unless it is gone still, and have the peering checked."""
    facts = status["facts"]
    event = {"kind": "delete-vnet-peering", "vnet_id": facts["vnet_id"], "remote_id": facts["to_network_id"]}
    httpx.post(f"{mortal.cloud.admin_url}/events", json=event, trust_env=False)
    _begin(mortal, "POST", "/check")
