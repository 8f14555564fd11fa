"""Azure role-based access control: whether a principal may do something on a scope."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from local.cloud.arm import abac
from local.cloud.arm.holds import DenyAssignment, is_inside, matches
from local.cloud.world.world import RoleAssignment, RoleDefinition, World, subscription_of

#: Where the assignments of a whole directory are: its root management group is named like the tenant.
MANAGEMENT_GROUP: Final = "/providers/Microsoft.Management/managementGroups/"


def covers(role: RoleDefinition, action: str, *, data: bool = False) -> bool:
    """Whether a role grants an action: listed, and not excluded."""
    granted, taken = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return any(matches(action, one) for one in granted) and not any(matches(action, one) for one in taken)


def contains(scope: str, resource: str) -> bool:
    """Whether a scope is the resource itself or above it."""
    return is_inside(scope, resource)


def denial(world: World, principal_id: str, action: str, scope: str) -> DenyAssignment | None:
    """The deny assignment that denies a principal an action on a scope, if there is one, whatever its roles."""
    held = (d for d in world.deny_assignments if contains(d.scope, scope) and principal_id not in d.excluded)
    return next((d for d in held if any(matches(action, one) for one in d.actions)), None)


def reaches(world: World, assignment: RoleAssignment, resource: str) -> bool:
    """Whether an assignment's scope is the resource itself or above it.

    The root and the root management group are above everything in their tenant.
    """
    if not assignment.tenant_id:
        return contains(assignment.scope, resource)
    subscription = world.subscriptions.get(subscription_of(resource))
    return subscription is not None and subscription.tenant_id == assignment.tenant_id


def deciding(
    world: World,
    principal_id: str,
    action: str,
    scope: str,
    *,
    at: datetime | None = None,
    data: bool = False,
    attributes: abac.Attributes | None = None,
) -> RoleAssignment | None:
    """The assignment that lets a principal do something on a scope, if one is in effect at the moment `at`.

    An assignment with a condition counts where that holds for the `attributes` of the request and the resource.
    """
    for assignment in granting(world, principal_id, action, scope, at=at, data=data):
        if assignment.condition is None or abac.holds(assignment.condition, action, attributes or {}):
            return assignment
    return None


def granting(
    world: World, principal_id: str, action: str, scope: str, *, at: datetime | None = None, data: bool = False
) -> Iterator[RoleAssignment]:
    """The assignments in effect whose roles allow a principal to do something on a scope, whatever their conditions."""
    for assignment in effective(world, principal_id, scope, at or world.now):
        role = world.role(assignment.role)
        if role is not None and covers(role, action, data=data):
            yield assignment


def effective(world: World, principal_id: str, scope: str, moment: datetime) -> Iterator[RoleAssignment]:
    """The assignments of a principal, at or above a scope, that are in effect at a moment."""
    for assignment in world.assignments.by("principal", principal_id):
        if assignment.effective_at <= moment and reaches(world, assignment, scope):
            yield assignment


def may(
    world: World, principal_id: str, action: str, scope: str, *, at: datetime | None = None, data: bool = False
) -> bool:
    """Whether a principal may do something on a scope: a role allows it, and nothing denies it."""
    if deciding(world, principal_id, action, scope, at=at, data=data) is None:
        return False
    return data or denial(world, principal_id, action, scope) is None
