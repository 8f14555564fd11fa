"""What holds Azure back from changes of a VNet, whoever asks, and the problems that it makes. No I/O."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from peering.denials import denied_actions
from peering.naming import VNetId
from peering.outcome import Occurrence

#: States of a subscription that takes changes (learn.microsoft.com, "Azure subscription states").
_WRITABLE: Final = ("Enabled", "PastDue")
PEERINGS: Final = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
ASSIGNMENTS: Final = "Microsoft.Authorization/roleAssignments"
ROLES: Final = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True)
class Holds:
    """What the app may read of what holds a VNet.

    Attributes:
        subscription: the state of its subscription.
        locks: the locks in force on it, as Azure lists them.
        denials: the deny assignments in force on it, likewise.
    """

    subscription: str
    locks: list[dict[str, Any]]
    denials: list[dict[str, Any]]


@dataclass(frozen=True)
class DenyingPolicy:
    """A policy assignment, as people know it, and the actions that it denies: True for those denied for certain."""

    name: str
    denied: Mapping[str, bool]


def of_subscription(holds: Holds, vnet: VNetId) -> Iterator[Occurrence]:
    """The problem with a subscription that takes no changes.

    Args:
        holds: what holds the VNet.
        vnet: the VNet.
    """
    if holds.subscription not in _WRITABLE:
        detail = f"The subscription {vnet.subscription_id} is {holds.subscription}."
        yield Occurrence(code="subscription-disabled", detail=detail)


def of_denials(
    holds: Holds, vnet: VNetId, identity: str, by_app: Collection[str], by_others: Collection[str]
) -> Iterator[Occurrence]:
    """The problems with deny assignments that take away what is needed.

    Args:
        holds: what holds the VNet.
        vnet: the VNet.
        identity: the object id of the app's own identity.
        by_app: the actions that it needs on the VNet, and for roles on its subscription.
        by_others: those that identities need that are not there yet, or not known.
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
    """The problems with policy assignments that deny for certain what is needed.

    Args:
        policies: those that deny something, or may.
        actions: what is needed.
    """
    for policy in policies:
        if denied := [action for action in sorted(actions) if policy.denied.get(action)]:
            yield Occurrence(code="policy-denied", detail=f"{policy.name} forbids {', '.join(denied)}.")


def perhaps(policies: Iterable[DenyingPolicy], actions: Collection[str]) -> list[str]:
    """Warnings of the policy assignments that may deny what is needed.

    Args:
        policies: those that deny something, or may.
        actions: what is needed.
    """
    doubtful = [(p.name, [action for action in sorted(actions) if p.denied.get(action) is False]) for p in policies]
    return [f"{name} may forbid {', '.join(may)}; more than the type decides." for name, may in doubtful if may]
