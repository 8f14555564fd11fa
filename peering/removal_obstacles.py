"""Obstacles to a removal, from what it would delete and what blocks that. No I/O."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from peering.facts import Facts, Neighbours
from peering.holds import (
    ASSIGNMENTS,
    PEERINGS,
    ROLES,
    DenyingPolicy,
    Holds,
    of_denials,
    of_policies,
    of_subscription,
    of_unread,
    perhaps,
)
from peering.look import PrincipalLook
from peering.naming import VNetId, within
from peering.outcome import Occurrence
from peering.rights import Granted, lacking
from peering.spec import Peering
from peering.step_names import StepName


class AzureLooks(NamedTuple):
    """What may prevent changes in Azure; None is what could not be read.

    Attributes:
        holds: what blocks changes of the VNet by any identity.
        policies: those that deny what is done to it, or may.
        granted: what the app's roles grant it on the VNet.
        granted_above: what they grant it in its subscription, where roles are.
    """

    holds: Holds | None
    policies: Collection[DenyingPolicy] | None
    granted: Collection[Granted] | None
    granted_above: Collection[Granted] | None


@dataclass(frozen=True)
class RemovalLooks:
    """The data for a removal's plan, as far as it could be read.

    Attributes:
        facts: what its first step found; empty if that step could not read.
        made_first: the steps whose objects it first creates again, to delete the VNet peering.
        made_roles: the ids of the roles that its starts created, by name; without those that its record holds.
        gone: the steps whose recorded objects are not found: rights, service principals, and what was adopted.
        removed_assignments: the ids of the assignments that would be deleted; None if that could not be read.
        assigned_elsewhere: the GUIDs of roles that others have, too.
        neighbours: the other users of shared objects in the registry.
        identity: the object id of the app's own identity.
        principals: the service principals in the customer's tenant, by the step that creates each; None if they could
            not be read.
        in_azure: what may prevent changes in Azure.
        lacking: by the step that creates an object, the problems of its removal. They are missing rights outside Azure
            and, for the VNet peering, obstacles to recreating the application's objects first.
        warnings: what may prevent a removal, in words.
        problems: those of the preflight.
    """

    facts: Facts
    made_first: Collection[StepName]
    made_roles: Mapping[str, str]
    gone: Collection[StepName]
    removed_assignments: Collection[str] | None
    assigned_elsewhere: Collection[str]
    neighbours: Neighbours
    identity: str
    principals: Mapping[StepName, PrincipalLook] | None
    in_azure: AzureLooks
    lacking: Mapping[StepName, Collection[Occurrence]]
    warnings: Collection[str]
    problems: Collection[Occurrence]


class _Deletion(NamedTuple):
    """An object on the VNet, or above it, in words; the rights to delete it, and whether the app does it itself."""

    what: str
    action: str
    by_app: bool


#: The objects that are deleted in Azure, by the step that creates them.
_IN_AZURE: Final[Mapping[StepName, _Deletion]] = {
    "vnet_peering": _Deletion("the VNet peering", f"{PEERINGS}/delete", by_app=False),
    "user_role_assignment": _Deletion("the application's role assignment", f"{ASSIGNMENTS}/delete", by_app=True),
    "platform_role_assignment": _Deletion("the platform's role assignment", f"{ASSIGNMENTS}/delete", by_app=True),
    "user_role": _Deletion("the application's role", f"{ROLES}/delete", by_app=True),
    "platform_role": _Deletion("the platform's role", f"{ROLES}/delete", by_app=True),
}


def in_the_way(peering: Peering, deleted: Mapping[StepName, str | None], looks: RemovalLooks) -> Iterator[Occurrence]:
    """The problems that would end a removal.

    Args:
        peering: the peering.
        deleted: the ids of what would be deleted, by the step that makes it.
        looks: what there is, and what may hold it.
    """
    vnet = VNetId.parse(peering["vnet_id"])
    in_azure = {name: deletion for name, deletion in _IN_AZURE.items() if name in deleted}
    by_app, by_others = _actions(deleted, looks)
    user = (looks.principals or {}).get("user_service_principal")
    if "vnet_peering" in deleted and user is not None and not user["enabled"]:
        detail = f"The application's service principal {user['id']} is disabled."
        yield Occurrence(code="application-disabled", detail=detail)
    yield from of_policies(looks.in_azure.policies or (), by_app | by_others)
    if looks.in_azure.holds is not None and in_azure:
        yield from of_subscription(looks.in_azure.holds, vnet)
        yield from _of_locks(looks.in_azure.holds, vnet, {in_azure[name].what: deleted[name] for name in in_azure})
        yield from of_denials(looks.in_azure.holds, vnet, looks.identity, by_app, by_others)
    above = {action for action in by_app if action.startswith(ROLES)}
    if looks.in_azure.granted is not None:
        yield from lacking(looks.in_azure.granted, by_app - above, str(vnet))
    if looks.in_azure.granted_above is not None:
        yield from lacking(looks.in_azure.granted_above, above, vnet.subscription_scope)
    missing = [one for name, found in looks.lacking.items() if name in deleted for one in found]
    # One permission may be lacking for several objects.
    yield from (one for number, one in enumerate(missing) if one not in missing[:number])


def may_be_in_the_way(deleted: Collection[StepName], looks: RemovalLooks) -> list[str]:
    """Warnings about what may end a removal; it depends on more than the plan can read.

    Args:
        deleted: what would be deleted, by the step that makes it.
        looks: what there is, and what may hold it.
    """
    doubtful = perhaps(looks.in_azure.policies or (), set().union(*_actions(deleted, looks)))
    return [*doubtful, *of_unread(looks.in_azure.holds, looks.in_azure.policies), *looks.warnings]


def _actions(deleted: Collection[StepName], looks: RemovalLooks) -> tuple[set[str], set[str]]:
    """The actions of a removal in Azure: those of the app itself, and those of other identities."""
    in_azure = [deletion for name, deletion in _IN_AZURE.items() if name in deleted]
    by_app = {deletion.action for deletion in in_azure if deletion.by_app}
    if "vnet_peering" in deleted:
        # The application deletes the VNet peering, so its role is always assigned first.
        by_app |= {f"{ASSIGNMENTS}/write", *([f"{ROLES}/write"] if "user_role" in looks.made_first else [])}
    return by_app, {deletion.action for deletion in in_azure if not deletion.by_app}


def _of_locks(holds: Holds, vnet: VNetId, things: Mapping[str, str | None]) -> Iterator[Occurrence]:
    """The problems with locks, all of which keep what is inside their scope from being deleted.

    The rule: learn.microsoft.com, "Lock your Azure resources to protect your infrastructure".
    """
    for lock in holds.locks:
        scope = str(lock["id"]).rpartition("/providers/Microsoft.Authorization/locks/")[0]
        if kept := [what for what, where in things.items() if within(where or str(vnet), scope)]:
            detail = f"The lock {lock['id']} blocks the deletion of {', '.join(kept)}."
            yield Occurrence(code="scope-locked", detail=detail)
