"""The scheduled check, fired and waited for."""

from typing import Any

from local.deployment import Deployment


def sweep(deployment: Deployment) -> None:
    """Fire the scheduled check."""
    deployment.fire("check_all_peerings")


def until_swept(deployment: Deployment) -> dict[str, Any]:
    """Wait for the scheduled check; returns its output."""
    found = deployment.until_ended("health-sweep")
    assert found["runtimeStatus"] == "Completed", found
    return dict(found["output"])
