"""Address spaces: which of two networks' prefixes overlap."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from peering.facts import VNetPeering
from peering.naming import same_id
from peering.outcome import Occurrence


def overlapping(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """The prefixes of the first network that share addresses with the second."""
    others = [_network(prefix) for prefix in other]
    return [prefix for prefix in one if any(_overlap(_network(prefix), network) for network in others)]


# A check of all compares each project VPC's network with those around each of its VNets.
@lru_cache(maxsize=4096)
def _network(prefix: str) -> IPv4Network | IPv6Network:
    return ip_network(prefix)


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def overlaps(
    prefixes: Sequence[str], peered: Sequence[VNetPeering], project_cidr: str, own_network: str | None
) -> list[Occurrence]:
    """What of a VNet's surroundings overlaps the project VPC, which keeps the two from being peered.

    Args:
        prefixes: the VNet's own address prefixes.
        peered: the networks that the VNet is peered with.
        project_cidr: the project VPC's network.
        own_network: the ARM id of the project VPC's network, once known: its own peering is no obstacle.
    """
    found = []
    if own := overlapping(prefixes, [project_cidr]):
        detail = f"The VNet's {', '.join(own)} overlaps the project VPC's {project_cidr}."
        found.append(Occurrence(code="address-spaces-overlap", detail=detail))
    for network in peered:
        theirs = overlapping(network["prefixes"], [project_cidr])
        if theirs and not same_id(network["remote_id"], own_network):
            detail = f"{', '.join(theirs)} of {network['remote_id']}, which the VNet is peered with as"
            detail += f" {network['name']}, overlaps the project VPC's {project_cidr}."
            found.append(Occurrence(code="address-space-overlaps-peered-vnet", detail=detail))
    return found


def network_of_project(peered: Sequence[VNetPeering], project_cidr: str, known: str | None) -> str | None:
    """The ARM id of the project VPC's network, if the VNet is peered with it already.

    Args:
        peered: the networks that the VNet is peered with.
        project_cidr: the project VPC's network.
        known: the id, where an earlier run learned it; the network may have been made anew since.
    """
    by_id = next((network["remote_id"] for network in peered if same_id(network["remote_id"], known)), None)
    return by_id or next((network["remote_id"] for network in peered if network["prefixes"] == [project_cidr]), None)
