"""The VNet peering that is a peering's own side, and what a start does to it. No I/O."""

from collections.abc import Sequence
from typing import Literal

from peering.addresses import has_ranges
from peering.facts import Facts, VNetPeering
from peering.naming import same_id
from peering.spec import Peering
from peering.states import DELETE_FIRST


def side_of(facts: Facts, peered: Sequence[VNetPeering], vpc_cidr: str | None) -> VNetPeering | None:
    """This peering's side on the VNet: the one that leads to the network of the VPC in Aiven.

    The network is known by its id once Aiven has named it; by its addresses before that, and after it was recreated.
    A VNet peering's name does not prove ownership.
    """
    remote = facts.get("to_network_id")
    known = next((s for s in peered if isinstance(remote, str) and same_id(s["remote_id"], remote)), None)
    alike = next((s for s in peered if has_ranges(s, vpc_cidr)), None)
    return known if known is not None and (alike is None or known["state"] == "Connected") else alike or known


def own_side(peering: Peering, facts: Facts, peered: Sequence[VNetPeering], vpc_cidr: str | None) -> VNetPeering | None:
    """The side that certainly belongs to this peering, so that it may be deleted.

    It leads to the network that Aiven has named. If none was ever named, addresses and name together are sufficient.
    """
    remote = facts.get("to_network_id")
    if isinstance(remote, str):
        return next((side for side in peered if same_id(side["remote_id"], remote)), None)
    named = [side for side in peered if side["name"] == peering["peering_name"]]
    return next((side for side in named if has_ranges(side, vpc_cidr)), None)


def has_lost_its_side(facts: Facts, sides: Sequence[VNetPeering]) -> bool:
    """Whether a connection is unusable: it has ended, or is ACTIVE without a working VNet peering.

    Args:
        facts: the connection's state as it was found, the network and the addresses of the VPC in Aiven.
        sides: the VNet's peerings.
    """
    if facts["found_connection_state"] != "ACTIVE":
        return facts["found_connection_state"] in (DELETE_FIRST, "DELETING")
    cidr = facts.get("project_network_cidr")
    side = side_of(facts, sides, cidr if isinstance(cidr, str) else None)
    return side is None or side["state"] == "Disconnected"


def wanted_options(peering: Peering) -> dict[str, bool | None]:
    """The options that a peering requests for its side; None leaves an option unchanged."""
    return {
        "allow_forwarded_traffic": peering["allow_forwarded_traffic"],
        "allow_gateway_transit": peering["allow_gateway_transit"],
        "use_remote_gateways": peering["use_remote_gateways"],
    }


def is_as_wanted(side: VNetPeering, peering: Peering, *, repairing: bool) -> bool:
    """Whether a side needs no PUT.

    A request enables traffic; a repair leaves that decision to the operator.
    """
    wanted = wanted_options(peering)
    differing = [option for option, value in wanted.items() if value is not None and value != side["options"][option]]
    sound = side["state"] != "Disconnected" and side["provisioning_state"] != "Failed"
    return sound and (repairing or side["options"]["allow_virtual_network_access"]) and not differing


def changes_of_side(
    peering: Peering, facts: Facts, sides: Sequence[VNetPeering], vpc_cidr: str | None
) -> set[Literal["write", "delete"]]:
    """What a start does to the VNet's side: whether it deletes a Disconnected one, and whether it creates one.

    Args:
        peering: the requested peering.
        facts: the network of the VPC in Aiven, once Aiven has named it.
        sides: the VNet's peerings.
        vpc_cidr: the VPC's ranges.
    """
    own = own_side(peering, facts, sides, vpc_cidr)
    if own is not None and own["state"] == "Disconnected":
        return {"delete", "write"}
    side = side_of(facts, sides, vpc_cidr)
    return set() if side is not None and is_as_wanted(side, peering, repairing=False) else {"write"}
