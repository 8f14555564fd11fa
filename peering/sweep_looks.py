"""The looks of a check of all, divided among the pieces of VNets that are assessed by them. Plain JSON."""

from collections.abc import Iterable, Mapping, Sequence

from peering.aiven_vpc import AivenVpc
from peering.drift import own_among
from peering.facts import AssignmentLook
from peering.look import ConnectionLook, Part, VpcLook, if_seen
from peering.naming import VNetId, folded, within
from peering.sweep import PieceIds, VpcToLookAt

#: The key of a VNet, independent of spelling: its subscription, its resource group and its own name.
_Names = tuple[str, str, str]
#: Every scope in a VNet, and none above one, contains this text.
_IN_A_VNET = "/providers/microsoft.network/virtualnetworks/"


def looks_for_pieces(
    vpcs: Sequence[VpcToLookAt], looks: Sequence[Part[VpcLook]]
) -> dict[int, dict[str, Part[VpcLook]]]:
    """The looks at VPCs in Aiven for each piece of VNets, by the VPCs' keys, with the connections that concern it."""
    found: dict[int, dict[str, Part[VpcLook]]] = {}
    for vpc, look in zip(vpcs, looks, strict=True):
        key = AivenVpc.of(vpc).key
        seen = if_seen(look)
        there = _by_names(seen) if seen is not None else {}
        for number, vnets in vpc["wanted"].items():
            found.setdefault(int(number), {})[key] = _with_connections_of(look, there, vnets)
    return found


def _by_names(look: VpcLook) -> dict[_Names, list[ConnectionLook]]:
    """The connections of a VPC by the names of their VNets, so that no VNet searches all of them."""
    found: dict[_Names, list[ConnectionLook]] = {}
    for connection in look["connections"]:
        found.setdefault(_names_in(connection), []).append(connection)
    return found


def _with_connections_of(
    look: Part[VpcLook], there: Mapping[_Names, list[ConnectionLook]], vnets: Iterable[str]
) -> Part[VpcLook]:
    if "problem" in look or look["found"] is None:
        return look
    names = dict.fromkeys(_names(vnet_id) for vnet_id in vnets)
    return {"found": {**look["found"], "connections": [c for one in names for c in there.get(one, ())]}}


def _names(vnet_id: str) -> _Names:
    vnet = VNetId.parse(vnet_id)
    return folded(vnet.subscription_id), folded(vnet.resource_group), folded(vnet.name)


def _names_in(connection: ConnectionLook) -> _Names:
    return folded(connection["account"]), folded(connection["resource_group"]), folded(connection["vnet"])


def unmanaged(vpc: VpcToLookAt, look: VpcLook) -> list[ConnectionLook]:
    """The connections of a VPC that no peering of the registry has."""
    there, ours = _by_names(look), {_names(vnet_id): application for vnet_id, application in vpc["ours"].items()}
    managed = {names: own_among(there.get(names, ()), application) for names, application in ours.items()}
    return [connection for connection in look["connections"] if connection != managed.get(_names_in(connection))]


def assignments_for_pieces(
    listed: Sequence[AssignmentLook], pieces: Mapping[int, PieceIds]
) -> dict[int, list[AssignmentLook]]:
    """The role assignments of a subscription for each piece of VNets.

    They are all those of its applications, and those of the platform that are in force on one of its VNets.

    Args:
        listed: the assignments.
        pieces: what the pieces are about, by their numbers.
    """
    of_principal = _pieces_with({number: ids["principals"] for number, ids in pieces.items()})
    of_platform = _pieces_with({number: ids["platforms"] for number, ids in pieces.items()})
    with_vnet = _pieces_with({number: ids["vnets"] for number, ids in pieces.items()})
    found: dict[int, list[AssignmentLook]] = {number: [] for number in pieces}
    for one in listed:
        principal, scope = folded(one["principal_id"]), folded(one["scope"])
        there = of_platform.get(principal, set())
        if there and _IN_A_VNET in scope:
            there = there & with_vnet.get(scope, set())
        for number in there | of_principal.get(principal, set()):
            found[number].append(one)
    return found


def _pieces_with(names: Mapping[int, Iterable[str]]) -> dict[str, set[int]]:
    """The numbers of the pieces by what they hold."""
    found: dict[str, set[int]] = {}
    for number, held in names.items():
        for name in held:
            found.setdefault(folded(name), set()).add(number)
    return found


def by_scope(assignments: Iterable[AssignmentLook]) -> dict[str, list[AssignmentLook]]:
    """Role assignments by their scopes."""
    found: dict[str, list[AssignmentLook]] = {}
    for one in assignments:
        found.setdefault(folded(one["scope"]), []).append(one)
    return found


def in_force_on(vnet_id: str, assignments: Mapping[str, Sequence[AssignmentLook]]) -> list[AssignmentLook]:
    """The role assignments that are in force on a VNet: on it, and on what contains it.

    Args:
        vnet_id: the VNet.
        assignments: those of its subscription by scope, as the list of all of them shows them. An assignment on no
            subscription is on something that contains this one: a management group, or the root.
    """
    scopes = (scope for scope in assignments if not scope.startswith("/subscriptions/") or within(vnet_id, scope))
    return [one for scope in scopes for one in assignments[scope]]
