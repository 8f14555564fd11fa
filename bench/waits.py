"""How often a wait is looked at, and how late its end is noticed, on a virtual clock."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final, TypedDict

from local.deployment import deploy

WAITS: Final = (10, 60, 600, 3600)


class WaitCost(TypedDict):
    """What one wait cost: seconds of it, looks, and how late its end was noticed."""

    wait: float
    looks: int
    lag: float


def wait_cost(seconds: float) -> WaitCost:
    """Let Aiven take so many seconds to build its side, and see when the app notices."""
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        deployment.knobs(approved=seconds)
        status = deployment.settle()
        steps = {step["name"]: step for step in status["steps"]}
        requested = datetime.fromisoformat(steps["peering_connection"]["finished"])
        noticed = datetime.fromisoformat(steps["pending_peer"]["finished"])
        waited = (noticed - requested).total_seconds()
        return WaitCost(wait=seconds, looks=steps["pending_peer"]["tries"], lag=waited - seconds)
