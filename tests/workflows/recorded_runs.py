"""The runs of a peering as the API lists them."""

from typing import Any

from local.deployment import Deployment


def runs(deployment: Deployment, identity: str) -> dict[str, dict[str, Any]]:
    """All runs of a peering, by their names."""
    found = deployment.api.get(f"/api/peerings/{identity}/runs").raise_for_status().json()["runs"]
    assert len({run["run"] for run in found}) == len(found)
    return {run["run"]: run for run in found}
