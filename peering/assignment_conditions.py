"""Whether the conditions on an identity's role assignments keep it from assigning roles. No I/O.

Only Azure can evaluate a condition completely. This module only reads the roles that it names, as Azure's portal and
infra/modules/vnet-access.bicep write them ("Examples to delegate Azure role assignment management with conditions").
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from peering.facts import AssignmentLook
from peering.look import RoleLook
from peering.naming import same_id
from peering.rights import grants

#: What an identity needs to assign a role.
ASSIGNS: Final = "Microsoft.Authorization/roleAssignments/write"
#: The built-in roles that let their holders assign roles: Owner, User Access Administrator, Role Based Access Control
#: Administrator ("Azure built-in roles").
_ADMINISTRATORS: Final = frozenset(
    {
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    }
)
_NAMED_ROLES: Final = re.compile(
    r"@Request\[Microsoft\.Authorization/roleAssignments:RoleDefinitionId\]"
    r"\s*For\w+Values:Guid(?P<other>Not)?Equals\s*\{(?P<roles>[^}]*)\}",
    re.IGNORECASE,
)


def excludes(condition: str, role: str) -> bool:
    """Whether a condition lists roles that may be assigned, and none of its lists allows this role.

    Args:
        condition: an assignment's condition.
        role: a role's GUID.
    """
    clauses = list(_NAMED_ROLES.finditer(condition))
    allowed = [
        (role.lower() in re.findall(r"[\w-]+", clause["roles"].lower())) is (clause["other"] is None)
        for clause in clauses
    ]
    return bool(clauses) and not any(allowed)


def excluded_roles(
    wanted: Mapping[str, str], principal_id: str, assignments: Iterable[AssignmentLook], roles: Mapping[str, RoleLook]
) -> Iterator[str]:
    """Warnings of the roles that an identity may not assign, by the conditions on its own assignments.

    Args:
        wanted: the GUIDs of the roles that are to be assigned, by their names.
        principal_id: the identity; what it holds as a member of a group is not seen.
        assignments: those in force where the roles are to be assigned, of all principals.
        roles: the custom roles there, by GUID.
    """
    own = [one for one in assignments if same_id(one["principal_id"], principal_id)]
    conditions = [one.get("condition", "") for one in own if _assigns(one["role"], roles)]
    for name, role in wanted.items():
        if conditions and all(excludes(condition, role) for condition in conditions):
            told = f"The condition on the app's own role assignment does not name the role {name} ({role}):"
            yield f"{told} Azure may refuse to assign it."


def _assigns(role: str, roles: Mapping[str, RoleLook]) -> bool:
    return role in _ADMINISTRATORS or (role in roles and grants(roles[role]["actions"], ASSIGNS))
