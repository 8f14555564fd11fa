"""What blocks changes of a VNet by any identity, and the resulting problems. No I/O."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from peering.denials import denied_actions
from peering.naming import VNetId, within
from peering.outcome import Occurrence

#: States of a subscription that accepts changes (learn.microsoft.com, "Azure subscription states").
_WRITABLE: Final = ("Enabled", "PastDue")
PEERINGS: Final = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments"
ROLES: Final = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True)
class Holds:
    """The holds on a VNet that the app may read.

    Attributes:
        subscription: the state of its subscription.
        locks: the locks in force on it, as Azure lists them.
        denials: the deny assignments in force on it, likewise.
        unread: what the app may not read, in words: the other attributes then say nothing about it.
    """

    subscription: str
    locks: list[dict[str, Any]]
    denials: list[dict[str, Any]]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class DenyingPolicy:
    """A policy assignment by its display name, and the actions that it denies: True for those certainly denied.

    `is_unread`: the app may not read one of its definitions, which may deny more.
    """

    name: str
    denied: Mapping[str, bool]
    is_unread: bool = False


def of_subscription(holds: Holds, vnet: VNetId) -> Iterator[Occurrence]:
    """The problem with a subscription that accepts no changes.

    Args:
        holds: the holds on the VNet.
        vnet: the VNet.
    """
    if holds.subscription not in _WRITABLE:
        detail = f"The subscription {vnet.subscription_id} is {holds.subscription}."
        yield Occurrence(code="subscription-disabled", detail=detail)


def of_unread(holds: Holds | None, policies: Collection[DenyingPolicy] | None) -> list[str]:
    """A warning about parts of a VNet that the app may not read: they may block a change.

    Args:
        holds: the holds on the VNet; None if they could not be read.
        policies: its policy assignments; None if the app may not read them.
    """
    unread = [*(holds.unread if holds is not None else ()), *(["its policy assignments"] if policies is None else [])]
    if hidden := [policy.name for policy in policies or () if policy.is_unread and policy.denied]:
        others = f" and {len(hidden) - 1} others" if len(hidden) > 1 else ""
        unread.append(f"the definitions of {hidden[0]}{others}")
    return [f"The app may not read of the VNet: {', '.join(unread)}. They may block a change."] if unread else []


def locks_on(holds: Holds, *resources: str) -> dict[str, str]:
    """The levels of the locks that cover one of some resources, by the locks' ids.

    Args:
        holds: the holds on a VNet; its list of locks also has those of what is below it.
        resources: the ARM ids.
    """
    levels = {str(lock["id"]): str(lock["properties"]["level"]) for lock in holds.locks}
    scopes = {name: name.rpartition("/providers/Microsoft.Authorization/locks/")[0] for name in levels}
    return {name: level for name, level in levels.items() if any(within(one, scopes[name]) for one in resources)}


def of_denials(
    holds: Holds, vnet: VNetId, identity: str, by_app: Collection[str], by_others: Collection[str]
) -> Iterator[Occurrence]:
    """The problems with deny assignments that deny needed actions.

    Args:
        holds: the holds on the VNet.
        vnet: the VNet.
        identity: the object id of the app's own identity.
        by_app: the actions that it needs on the VNet, and for roles on its subscription.
        by_others: the actions of identities that do not exist yet or are unknown.
    """
    above = sorted(action for action in by_app if action.startswith(ROLES))
    on_vnet = sorted({*by_app} - {*above})
    for denial in holds.denials:
        actions = [
            *denied_actions(denial["properties"], str(vnet), identity, on_vnet, sorted(by_others)),
            *denied_actions(denial["properties"], vnet.subscription_scope, identity, above, ()),
        ]
        if actions:
            name = denial["properties"].get("denyAssignmentName") or denial.get("name")
            detail = f"The deny assignment {name} ({denial['id']}) denies {', '.join(actions)}."
            yield Occurrence(code="deny-assignment", detail=detail)


def of_policies(policies: Iterable[DenyingPolicy], actions: Collection[str]) -> Iterator[Occurrence]:
    """The problems with policy assignments that certainly deny a needed action.

    Args:
        policies: those that deny something, or may do so.
        actions: the needed actions.
    """
    for policy in policies:
        if denied := [action for action in sorted(actions) if policy.denied.get(action)]:
            yield Occurrence(code="policy-denied", detail=f"{policy.name} forbids {', '.join(denied)}.")


def perhaps(policies: Iterable[DenyingPolicy], actions: Collection[str]) -> list[str]:
    """Warnings about policy assignments that may deny a needed action.

    Args:
        policies: those that deny something, or may do so.
        actions: the needed actions.
    """
    doubtful = [
        (p.name, [action for action in sorted(actions) if p.denied.get(action) is False])
        for p in policies
        if not p.is_unread
    ]
    return [
        f"{name} may forbid {', '.join(may)}; this depends on more than the resource type."
        for name, may in doubtful
        if may
    ]
