"""Events of blocks on changes in Azure: locks, disabled subscriptions, policies and deny assignments."""

from typing import cast, get_args

from local.cloud.arm.holds import DenyAssignment, Effect, Level, Lock, PolicyAssignment
from local.cloud.events.named import UnknownEventError, named_scope
from local.cloud.world.world import World


def add_lock(world: World, scope: str, level: str, name: str = "do-not-touch") -> None:
    """Lock a scope."""
    if level not in ("ReadOnly", "CanNotDelete"):
        raise UnknownEventError(f"there is no level {level}; there are ReadOnly and CanNotDelete")
    world.locks.append(Lock(named_scope(world, scope), name, cast("Level", level)))


def remove_lock(world: World, scope: str, name: str = "do-not-touch") -> None:
    """Remove a lock."""
    found = [lock for lock in world.locks if (lock.scope.lower(), lock.name) == (scope.lower(), name)]
    if not found:
        raise UnknownEventError(f"there is no lock {name} on {scope}")
    world.locks.remove(found[0])


def assign_policy(
    world: World,
    scope: str,
    resource_type: str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
    name: str = "no-peerings",
    title: str = "No VNet peerings",
    effect: str = "deny",
    enforced: bool = True,
    not_scopes: list[str] | None = None,
) -> None:
    """Assign a policy that forbids resources of a type on a scope.

    With the effect `denyAction` it forbids that they are deleted; with `audit` it only takes note.
    """
    if effect not in get_args(Effect):
        raise UnknownEventError(f"there is no effect {effect}; there are {', '.join(get_args(Effect))}")
    exempted = tuple(not_scopes or ())
    world.policies.append(
        PolicyAssignment(
            name, title, named_scope(world, scope), resource_type, cast("Effect", effect), enforced, exempted
        )
    )


def remove_policy(world: World, scope: str, name: str = "no-peerings") -> None:
    """Remove a policy assignment."""
    found = [policy for policy in world.policies if (policy.scope.lower(), policy.name) == (scope.lower(), name)]
    if not found:
        raise UnknownEventError(f"there is no policy assignment {name} on {scope}")
    world.policies.remove(found[0])


def add_deny_assignment(
    world: World,
    scope: str,
    actions: list[str],
    title: str = "Deny assignment of a stack",
    but: list[str] | None = None,
) -> None:
    """A deployment stack denies actions on a scope to everybody `but` some principals."""
    where = named_scope(world, scope)
    world.deny_assignments.append(DenyAssignment(world.guid(), title, where, tuple(actions), tuple(but or ())))


def remove_deny_assignments(world: World, scope: str) -> None:
    """The deny assignments of a scope go with the stack that made them."""
    kept = [denied for denied in world.deny_assignments if denied.scope.lower() != scope.lower()]
    if len(kept) == len(world.deny_assignments):
        raise UnknownEventError(f"there is no deny assignment on {scope}")
    world.deny_assignments[:] = kept


def disable_subscription(world: World, subscription_id: str) -> None:
    """A subscription is disabled: it can be read, and nothing else."""
    world.disabled.add(subscription_id.lower())


def enable_subscription(world: World, subscription_id: str) -> None:
    """A subscription is enabled again."""
    world.disabled.discard(subscription_id.lower())
