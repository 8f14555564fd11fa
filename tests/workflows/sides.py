"""The sides of a VNet: those that there are, a third one, and one that is lost."""

from local.deployment import Deployment
from tests.workflows.cloud_objects import vnet_of
from tests.workflows.waiting import NEVER


def sides(deployment: Deployment) -> list[tuple[str, str, str]]:
    """The VNet's peerings: name, state and where to."""
    return [(p.name, p.state, p.remote_id) for p in vnet_of(deployment).peerings]


def peer_with_third(deployment: Deployment, state: str = "Connected") -> str:
    """Peer the VNet with a third network; returns the peering's name."""
    vnet = vnet_of(deployment)
    deployment.event(
        kind="add-vnet-peering-to-overlapping-network", vnet_id=vnet.id, prefixes=["10.97.0.0/24"], name="Third-VNet"
    )
    vnet.peerings[-1].state = state
    return vnet.peerings[-1].name


def lose_side(deployment: Deployment) -> None:
    """Delete the VNet peering without Aiven detecting it."""
    deployment.knobs(detect=NEVER)
    vnet = vnet_of(deployment)
    deployment.event(kind="delete-vnet-peering", vnet_id=vnet.id, remote_id=vnet.peerings[0].remote_id)
