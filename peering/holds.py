"""What holds Azure back from changes of a VNet, whoever asks, and the problems that it makes. No I/O."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peering.denials import denied_actions
from peering.naming import VNetId
from peering.outcome import Occurrence

#: States of a subscription that takes changes (learn.microsoft.com, "Azure subscription states").
_WRITABLE: Final = ("Enabled", "PastDue")


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
    """A policy assignment, as people know it, that denies something; not `sure` where more than the type decides."""

    name: str
    sure: bool


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
    holds: Holds, vnet: VNetId, identity: str, by_app: Sequence[str], by_others: Sequence[str]
) -> Iterator[Occurrence]:
    """The problems with deny assignments that take away what is needed; the arguments are those of `denied_actions`.

    Args:
        holds: what holds the VNet.
        vnet: the VNet.
        identity: the object id of the app's own identity.
        by_app: the actions that it needs.
        by_others: those that other identities need.
    """
    for denial in holds.denials:
        if actions := denied_actions(denial["properties"], str(vnet), identity, by_app, by_others):
            name = denial["properties"].get("denyAssignmentName") or denial.get("name")
            detail = f"The deny assignment {name} ({denial['id']}) denies {', '.join(actions)}."
            yield Occurrence(code="deny-assignment", detail=detail)


def of_policies(policies: Iterable[DenyingPolicy]) -> Iterator[Occurrence]:
    """The problems with policy assignments that deny something for certain.

    Args:
        policies: those that deny it, or may.
    """
    for policy in policies:
        if policy.sure:
            yield Occurrence(code="policy-denied", detail=f"{policy.name} forbids it.")


def perhaps(policies: Iterable[DenyingPolicy]) -> list[str]:
    """Warnings of the policy assignments that may deny it.

    Args:
        policies: those that deny it, or may.
    """
    return [f"{p.name} may forbid it; that depends on more than the type." for p in policies if not p.sure]
