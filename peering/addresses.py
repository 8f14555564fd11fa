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


# A check of all compares each VPC's ranges with those around each of its VNets.
@lru_cache(maxsize=4096)
def _network(prefix: str) -> IPv4Network | IPv6Network:
    return ip_network(prefix)


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def ranges(vpc_cidr: str | None) -> list[str]:
    """The ranges of a VPC in Aiven, which facts and looks hold as one text, separated by commas."""
    return vpc_cidr.split(", ") if vpc_cidr is not None else []


def has_ranges(network: VNetPeering, vpc_cidr: str | None) -> bool:
    """Whether the addresses of a peered network are those of a VPC in Aiven."""
    return vpc_cidr is not None and sorted(network["prefixes"]) == sorted(ranges(vpc_cidr))


def overlaps(
    prefixes: Sequence[str], peered: Sequence[VNetPeering], vpc_cidr: str, own_network: str | None
) -> list[Occurrence]:
    """The networks of a VNet and its peerings that overlap the VPC in Aiven, which prevents a peering.

    Args:
        prefixes: the VNet's own address prefixes.
        peered: the networks that the VNet is peered with.
        vpc_cidr: the VPC's ranges.
        own_network: the ARM id of the VPC's network, once known: its own peering is no obstacle.
    """
    found = []
    if own := overlapping(prefixes, ranges(vpc_cidr)):
        detail = f"The VNet's {', '.join(own)} overlaps the VPC's {vpc_cidr}."
        found.append(Occurrence(code="address-spaces-overlap", detail=detail))
    for network in peered:
        theirs = overlapping(network["prefixes"], ranges(vpc_cidr))
        if theirs and not same_id(network["remote_id"], own_network):
            detail = f"{', '.join(theirs)} of {network['remote_id']}, which the VNet is peered with as"
            detail += f" {network['name']}, overlaps the VPC's {vpc_cidr}."
            found.append(Occurrence(code="address-space-overlaps-peered-vnet", detail=detail))
    return found


def network_of_vpc(peered: Sequence[VNetPeering], vpc_cidr: str, known: str | None) -> str | None:
    """The ARM id of the network of a VPC in Aiven, if the VNet is peered with it already.

    Args:
        peered: the networks that the VNet is peered with.
        vpc_cidr: the VPC's ranges.
        known: the id, if an earlier run learned it; the network may have been recreated since.
    """
    by_id = next((network["remote_id"] for network in peered if same_id(network["remote_id"], known)), None)
    return by_id or next((network["remote_id"] for network in peered if has_ranges(network, vpc_cidr)), None)
