"""Events of locks and subscriptions."""

from typing import cast

from local.cloud.arm_holds import Level, Lock
from local.cloud.events.named import UnknownEventError
from local.cloud.world import World


def add_lock(world: World, scope: str, level: str, name: str = "do-not-touch") -> None:
    """Somebody locks a scope."""
    if level not in ("ReadOnly", "CanNotDelete"):
        raise UnknownEventError(f"there is no level {level}; there are ReadOnly and CanNotDelete")
    world.locks.append(Lock(scope, name, cast("Level", level)))


def remove_lock(world: World, scope: str, name: str = "do-not-touch") -> None:
    """Somebody takes a lock off."""
    found = [lock for lock in world.locks if (lock.scope.lower(), lock.name) == (scope.lower(), name)]
    if not found:
        raise UnknownEventError(f"there is no lock {name} on {scope}")
    world.locks.remove(found[0])


def disable_subscription(world: World, subscription_id: str) -> None:
    """A subscription is disabled: it can be read, and nothing else."""
    world.disabled.add(subscription_id.lower())


def enable_subscription(world: World, subscription_id: str) -> None:
    """A subscription is enabled again."""
    world.disabled.discard(subscription_id.lower())
