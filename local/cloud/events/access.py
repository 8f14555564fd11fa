"""Events of Azure role-based access control."""

from local.cloud.arm.rbac import contains
from local.cloud.events.named import UnknownEventError, named_role
from local.cloud.world.world import RoleAssignment, World


def _held(world: World, principal_id: str, scope: str | None) -> list[RoleAssignment]:
    held = world.assignments.by("principal", principal_id)
    found = [a for a in held if scope is None or contains(scope, a.scope)]
    if not found:
        raise UnknownEventError(f"{principal_id} has no role assignment" + (f" in {scope}" if scope else ""))
    return found


def remove_role_assignments(world: World, principal_id: str, scope: str | None = None, but: str | None = None) -> None:
    """Remove a principal's role assignments, all or those in a scope, but not those in another one."""
    for assignment in _held(world, principal_id, scope):
        if but is None or not contains(but, assignment.scope):
            world.assignments.remove(assignment)


def move_role_assignment(world: World, principal_id: str, scope: str, from_scope: str | None = None) -> None:
    """Move a principal's role assignments from one scope to another."""
    for assignment in _held(world, principal_id, from_scope):
        world.assignments.remove(assignment)
        world.assign(world.guid(), scope, named_role(world, assignment.role), principal_id)


def assign_role(world: World, principal_id: str, scope: str, role: str, condition: str | None = None) -> None:
    """Assign a principal another role, with or without a condition."""
    world.assign(world.guid(), scope, named_role(world, role), principal_id).condition = condition


def change_role_definition(world: World, name: str, actions: list[str]) -> None:
    """Change the actions of a custom role."""
    role = named_role(world, name)
    if role.built_in:
        raise UnknownEventError(f"{role.role_name} is built in and cannot be changed")
    role.actions = list(actions)
