"""Requests of the app to the remotes: which ones deleted something, and other answers to them."""

from collections.abc import Mapping
from typing import Any, Final

from local.deployment import Deployment

_ARM: Final = r"management\.azure\.com"


def deletions(deployment: Deployment) -> list[dict[str, Any]]:
    """The requests that deleted a connection or a VNet peering."""
    kinds = ("peering-connection", "virtualNetworkPeerings")
    return [r for r in deployment.writes() if r["method"] == "DELETE" and any(kind in r["path"] for kind in kinds)]


def answer(deployment: Deployment, bodies: Mapping[str, object], status: int = 200) -> None:
    """Answer GETs of paths that end so with these documents."""
    faults = [
        {"host": _ARM, "method": "GET", "path": f"{path}$", "status": status, "body": body, "times": 1000}
        for path, body in bodies.items()
    ]
    deployment.knobs(faults=faults)
