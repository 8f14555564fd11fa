"""`kill -9` at random instants: the peering still becomes ACTIVE, and nothing exists twice.

The instants are drawn from AIVEN_PEERING_KILL_SEED (default 1); set it to try others.
"""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest

from local.demo import peering_request
from local.processes import FunctionsApp, app_settings, local_cloud, start_app

SEED: Final = int(os.environ.get("AIVEN_PEERING_KILL_SEED", "1"))
KILLS: Final = 10
#: A run without kills takes about this long; the instants are spread over the times between starts.
LONGEST_LIFE: Final = 2.0


def _kill(app: FunctionsApp) -> None:
    os.kill(app.process.pid, signal.SIGKILL)
    app.process.wait()


def _state(cloud: dict[str, str]) -> dict[str, Any]:
    answer = httpx.get(f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/state", trust_env=False)
    return cast("dict[str, Any]", answer.raise_for_status().json())


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_ten_times_it_ends_active_with_one_of_each(tmp_path: Path) -> None:
    lives = random.Random(SEED)  # noqa: S311 - chooses instants
    with local_cloud(tmp_path, "kill") as cloud:
        environment = app_settings(cloud)
        app = start_app(tmp_path / "app", environment)
        with app.client() as client:
            started = client.post("/api/peerings", json=peering_request(cloud))
        identity = started.json()["id"]
        interrupted = 0
        for _ in range(KILLS):
            time.sleep(lives.uniform(0, LONGEST_LIFE))
            with app.client() as client:
                interrupted += client.get(f"/api/peerings/{identity}").json()["state"] == "running"
            _kill(app)
            app = start_app(tmp_path / "app", environment)
        try:
            status = _end(app, identity)
        finally:
            _kill(app)
        assert status["state"] == "connected", status.get("problem")
        assert interrupted >= KILLS // 2, f"only {interrupted} kills hit a run"
        _assert_one_of_each(_state(cloud), cloud)


def _end(app: FunctionsApp, identity: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    with app.client() as client:
        while True:
            status = cast("dict[str, Any]", client.get(f"/api/peerings/{identity}").json())
            if status["state"] != "running" or time.monotonic() > deadline:
                return status
            time.sleep(0.2)


def _assert_one_of_each(state: dict[str, Any], cloud: dict[str, str]) -> None:
    """One application, one service principal of each, one of each role and assignment, one of either peering."""
    made = [a for a in state["applications"] if (a["uniqueName"] or "").startswith("aiven-azure-peering-")]
    assert len(made) == 1
    live = made[0]["passwordCredentials"]
    # What a killed call has left goes later: its next delivery cannot tell it from one that is at work.
    assert len({password["displayName"] for password in live}) == 1
    (secret,) = state["secrets"]
    assert secret["versions"][-1]["tags"]["key-id"] in {password["keyId"] for password in live}
    ours = [p for p in state["servicePrincipals"] if p["tenantId"] == cloud["AZURE_TENANT_ID"]]
    assert sorted(Counter(p["appId"] for p in ours).values()) == [1, 1, 1]
    names = [role["properties"]["roleName"] for role in state["roleDefinitions"]]
    assert len([name for name in names if name.startswith("Aiven VNet peering (platform)")]) == 1
    assert len([name for name in names if name.startswith("Aiven VNet peering (application)")]) == 1
    on_vnet = [
        a["properties"] for a in state["roleAssignments"] if a["properties"]["scope"].endswith(cloud["VNET_NAME"])
    ]
    assert sorted(Counter(a["principalId"] for a in on_vnet).values()) == [1, 1]
    assert len(state["peeringConnections"]) == 1
    assert len([p for p in state["virtualNetworkPeerings"] if cloud["VNET_NAME"] in p["id"].split("/")]) == 1
