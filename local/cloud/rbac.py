"""Azure role-based access control: whether a principal may do something on a scope."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from local.cloud.arm_holds import DenyAssignment, is_inside
from local.cloud.world import RoleAssignment, RoleDefinition, World


@lru_cache(maxsize=4096)
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)


def matches(action: str, granted: str) -> bool:
    """Whether a role's action, which may hold `*`, covers an action."""
    return _pattern(granted).fullmatch(action) is not None


def covers(role: RoleDefinition, action: str, *, data: bool = False) -> bool:
    """Whether a role grants an action: listed, and not taken away again."""
    granted, taken = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return any(matches(action, one) for one in granted) and not any(matches(action, one) for one in taken)


def contains(scope: str, resource: str) -> bool:
    """Whether a scope is the resource itself or above it."""
    return is_inside(scope, resource)


def denial(world: World, principal_id: str, action: str, scope: str) -> DenyAssignment | None:
    """The deny assignment that takes an action on a scope away from a principal, if one does, whatever its roles."""
    held = (d for d in world.deny_assignments if contains(d.scope, scope) and principal_id not in d.excluded)
    return next((d for d in held if any(matches(action, one) for one in d.actions)), None)


def deciding(
    world: World, principal_id: str, action: str, scope: str, *, at: datetime | None = None, data: bool = False
) -> RoleAssignment | None:
    """The assignment that lets a principal do something on a scope, if one is in effect at the moment `at`."""
    moment = at or world.now
    for assignment in effective(world, principal_id, scope, moment):
        role = world.role(assignment.role)
        if role is not None and covers(role, action, data=data):
            return assignment
    return None


def effective(world: World, principal_id: str, scope: str, moment: datetime) -> Iterator[RoleAssignment]:
    """The assignments of a principal, at or above a scope, that are in effect at a moment."""
    for assignment in world.assignments.by("principal", principal_id):
        if assignment.effective_at <= moment and contains(assignment.scope, scope):
            yield assignment


def may(
    world: World, principal_id: str, action: str, scope: str, *, at: datetime | None = None, data: bool = False
) -> bool:
    """Whether a principal may do something on a scope: it has a role that allows it, and nothing takes that away."""
    if deciding(world, principal_id, action, scope, at=at, data=data) is None:
        return False
    return data or denial(world, principal_id, action, scope) is None
