"""Waits until a run is at a certain place, in the machine's time."""

import time
from collections.abc import Callable

from local.deployment import Deployment, Status

#: Longer than any wait of a test.
NEVER = 10 * 86400


def while_waiting(deployment: Deployment, identity: str, step: str) -> Status:
    """Wait until a step of the run under way waits for something."""
    deadline = time.monotonic() + 30 * deployment.patience
    while True:
        status = deployment.status(identity)
        if any(one["name"] == step and one["state"] == "waiting" for one in status["steps"]):
            return status
        assert time.monotonic() < deadline, status
        time.sleep(0.1)


def until_gone(deployment: Deployment, identity: str, seconds: float = 60) -> Status:
    """Wait until the peering has been removed."""
    deadline = time.monotonic() + seconds * deployment.patience
    while (status := deployment.status(identity))["state"] != "removed" or status["operation"] != "remove":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    return status


def soon(deployment: Deployment, holds: Callable[[], bool]) -> None:
    """Wait in the machine's time, while the virtual one stands still, until something holds."""
    deadline = time.monotonic() + 20 * deployment.patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
