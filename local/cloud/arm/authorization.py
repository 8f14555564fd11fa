"""Microsoft.Authorization in ARM: role definitions, role assignments, and the caller's own permissions.

Codes and texts are those of azure-cli's recordings, of public error reports and of Azure's RBAC troubleshooting page.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from local.cloud.arm import rbac
from local.cloud.arm.service import Arm, arm_error
from local.cloud.server.wire import ApiError, Request, Response
from local.cloud.world.world import RoleAssignment, RoleDefinition, subscription_of

_AUTHORIZATION: Final = r"/providers/Microsoft\.Authorization"
_SCOPE: Final = r"(?P<scope>/subscriptions/.+?)"
_DEFINITIONS: Final = rf"{_SCOPE}{_AUTHORIZATION}/roleDefinitions"
_ASSIGNMENTS: Final = rf"{_SCOPE}{_AUTHORIZATION}/roleAssignments"
_ID: Final = r"/(?P<name>[0-9a-f-]{36})"
#: The filters of role definitions: what each one compares.
_ROLE_FILTERS: Final = (
    (re.compile(r"roleName eq '((?:[^']|'')*)'"), "role_name"),
    (re.compile(r"type eq '(\w+)'"), "kind"),
)
#: What all principals here are, managed identities too: they have neither users nor groups.
_PRINCIPAL_TYPE: Final = "ServicePrincipal"
_PRINCIPAL: Final = re.compile(r"(?:principalId eq '([^']+)')|(?:(?:atScope\(\) and )?assignedTo\('([^']+)'\))")


class ArmAuthorization:
    """The authorization provider's routes."""

    def __init__(self, arm: Arm) -> None:
        self._arm, self._world = arm, arm.world
        routes = arm.routes
        routes.add("GET", _DEFINITIONS, self._list_definitions)
        routes.add("GET", _DEFINITIONS + _ID, self._get_definition)
        routes.add("PUT", _DEFINITIONS + _ID, self._put_definition)
        routes.add("DELETE", _DEFINITIONS + _ID, self._delete_definition)
        routes.add("GET", _DEFINITIONS.removeprefix(_SCOPE) + _ID, self._get_built_in)
        routes.add("GET", rf"{_SCOPE}{_AUTHORIZATION}/permissions", self._permissions)
        routes.add("GET", _ASSIGNMENTS, self._list_assignments)
        routes.add("GET", _ASSIGNMENTS + _ID, self._get_assignment)
        routes.add("PUT", _ASSIGNMENTS + _ID, self._put_assignment)
        routes.add("DELETE", _ASSIGNMENTS + _ID, self._delete_assignment)

    # Role definitions.

    def _visible(self, tenant: str, scope: str) -> list[RoleDefinition]:
        return [role for role in self._world.shown_roles() if _is_visible(role, tenant, scope)]

    def _list_definitions(self, request: Request, scope: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/read", scope)
        found = self._visible(caller.tenant_id, scope)
        if expression := request.query.get("$filter", "").strip():
            found = [role for role in found if _fits(role, expression)]
        return Response(200, {"value": [definition_body(scope, role) for role in found]})

    def _definition(self, scope: str, name: str, tenant: str) -> RoleDefinition:
        role = self._world.role(name)
        if role is None or not _is_visible(role, tenant, scope):
            raise _no_definition(name)
        return role

    def _get_definition(self, request: Request, scope: str, name: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/read", scope)
        found = next((r for r in self._visible(caller.tenant_id, scope) if r.name == name.lower()), None)
        if found is None:
            raise _no_definition(name)
        return Response(200, definition_body(scope, found))

    def _get_built_in(self, request: Request, name: str) -> Response:
        self._arm.token(request)
        role = self._world.role(name)
        if role is None or not role.built_in:
            raise _no_definition(name)
        return Response(200, definition_body("", role))

    def _put_definition(self, request: Request, scope: str, name: str) -> Response:
        properties = request.json()["properties"]
        scopes = properties.get("assignableScopes") or []
        for assignable in scopes or [scope]:
            caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/write", assignable)
        if not scopes:
            raise arm_error(400, "MissingAssignableScopes", "The role definition has no assignable scopes.")
        for other in self._world.roles:
            same = other.role_name.lower() == properties["roleName"].lower() and other.name != name.lower()
            if same and (other.built_in or other.tenant_id == caller.tenant_id):
                message = "A role definition cannot be updated with a name that already exists."
                raise arm_error(409, "RoleDefinitionWithSameNameExists", message)
        role = self._world.role(name)
        if role is None:
            role = RoleDefinition(
                name.lower(), "", "", built_in=False, tenant_id=caller.tenant_id, scopes=[], actions=[]
            )
            role.created, role.created_by = self._world.now, caller.object_id
            self._world.roles.append(role)
        role.updated, role.updated_by = self._world.now, caller.object_id
        permission = (properties.get("permissions") or [{}])[0]
        role.role_name, role.description = properties["roleName"], properties.get("description") or ""
        role.scopes, role.actions = scopes, permission.get("actions") or []
        role.not_actions = permission.get("notActions") or []
        role.data_actions = permission.get("dataActions") or []
        role.not_data_actions = permission.get("notDataActions") or []
        return Response(201, _just_written(definition_body(scope, role)))

    def _delete_definition(self, request: Request, scope: str, name: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/delete", scope)
        role = self._world.role(name)
        if role is None or not _is_visible(role, caller.tenant_id, scope):
            return Response(204)
        if self._world.assignments.by("role", role.name):
            message = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)."
            raise arm_error(400, "RoleDefinitionHasAssignments", message)
        self._world.roles.remove(role)
        self._world.dropped_roles.append((role, self._world.now))
        return Response(200, definition_body(scope, role))

    # Role assignments.

    def _list_assignments(self, request: Request, scope: str) -> Response:
        self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/read", scope)
        expression = request.query.get("$filter", "").strip()
        upwards = expression.startswith("atScope()")
        if expression in ("", "atScope()"):
            found = self._at_scope(scope) if upwards else self._around(scope)
        else:
            match = _PRINCIPAL.fullmatch(expression)
            if match is None:
                raise arm_error(400, "BadRequestFormat", f"The filter '{expression}' is not supported.")
            held = self._world.assignments.by("principal", (match[1] or match[2]).lower())
            below = [] if upwards else [a for a in held if rbac.contains(scope, a.scope)]
            above = (a for a in held if rbac.reaches(self._world, a, scope) and a not in below)
            found = [*above, *below]
        return Response(200, {"value": [assignment_body(a) for a in found if self._world.is_listed(a.created)]})

    def _at_scope(self, scope: str) -> list[RoleAssignment]:
        """The assignments at a scope and above it, up to the management group and the root of its tenant."""
        tenant = self._arm.subscription(subscription_of(scope)).tenant_id
        parts = scope.rstrip("/").lower().split("/")
        above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        above.insert(1, f"{rbac.MANAGEMENT_GROUP}{tenant}".lower())
        held = (a for one in above for a in self._world.assignments.by("scope", one))
        return [a for a in held if a.tenant_id in ("", tenant)]

    def _around(self, scope: str) -> list[RoleAssignment]:
        """The assignments at a scope, above it and below it."""
        by_scope = self._world.assignments.index_of("scope")
        below = (held for one, held in by_scope.items() if rbac.contains(scope, str(one)))
        above = (a for a in self._at_scope(scope) if not rbac.contains(scope, a.scope))
        return [*above, *(a for held in below for a in held)]

    def _get_assignment(self, request: Request, scope: str, name: str) -> Response:
        self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/read", scope)
        found = self._find(scope, name)
        if found is None:
            raise arm_error(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
        return Response(200, assignment_body(found))

    def _find(self, scope: str, name: str) -> RoleAssignment | None:
        same = self._world.assignments.by("name", name.lower())
        return next((a for a in same if a.scope.lower() == scope.lower()), None)

    def _put_assignment(self, request: Request, scope: str, name: str) -> Response:
        wanted = request.json()["properties"]
        attributes = _attributes("Request", wanted)
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/write", scope, attributes)
        role = self._definition(scope, wanted["roleDefinitionId"].rpartition("/")[2], caller.tenant_id)
        principal_id = wanted["principalId"].lower()
        self._check_principal(caller.tenant_id, principal_id, wanted.get("principalType"))
        held = self._world.assignments.by("principal", principal_id)
        same = next((a for a in held if a.scope.lower() == scope.lower() and a.role == role.name), None)
        named = self._world.assignments.first("name", name.lower())
        if named is not None and named is not same:
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise arm_error(400, "RoleAssignmentUpdateNotPermitted", message)
        if same is not None:
            known = f"The ID of the existing role assignment is {same.name.replace('-', '')}."
            raise arm_error(409, "RoleAssignmentExists", f"The role assignment already exists. {known}")
        self._check_limit(scope)
        made = self._world.assign(name.lower(), scope, role, principal_id)
        made.description, made.condition = wanted.get("description"), wanted.get("condition")
        made.by = caller.object_id
        return Response(201, _just_written(assignment_body(made)))

    def _check_limit(self, scope: str) -> None:
        held = self._world.assignments.by("subscription", subscription_of(scope))
        if len(held) >= self._world.knobs.role_assignment_limit:
            message = "No more role assignments can be created (code: RoleAssignmentLimitExceeded)."
            raise arm_error(400, "RoleAssignmentLimitExceeded", message)

    def _check_principal(self, tenant: str, principal_id: str, kind: str | None) -> None:
        """Let only a principal have a role that is of the kind that is said; one not known yet is believed to be."""
        if self._world.applications.by("id", principal_id):
            message = "Principals of type Application cannot validly be used in role assignments."
            raise arm_error(400, "PrincipalTypeNotSupported", message)
        found = self._world.principal_with_id(principal_id)
        known = found is not None and found.tenant_id == tenant and found.visible_at <= self._world.now
        if not known and not kind:
            message = (
                f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. Check that you"
                " have the correct principal ID. If you are creating this principal and then immediately assigning a"
                " role, this error might be related to a replication delay. In this case, set the role assignment"
                " principalType property to a value, such as ServicePrincipal, User, or Group.  See"
                " https://aka.ms/docs-principaltype"
            )
            raise arm_error(400, "PrincipalNotFound", message)
        if known and kind and kind.lower() != _PRINCIPAL_TYPE.lower():
            message = (
                f"The PrincipalId '{principal_id.replace('-', '')}' has type '{_PRINCIPAL_TYPE}' , which is different"
                f" from specified PrinciaplType '{kind}'."
            )
            raise arm_error(400, "UnmatchedPrincipalType", message)

    def _delete_assignment(self, request: Request, scope: str, name: str) -> Response:
        found = self._find(scope, name)
        action = "Microsoft.Authorization/roleAssignments/delete"
        if found is None:
            caller = self._arm.caller(request, subscription_of(scope))
            # There is nothing that a condition could be about.
            if not any(rbac.granting(self._world, caller.object_id, action, scope)):
                raise self._arm.not_authorized(caller, action, scope)
            return Response(204)
        self._arm.authorize(request, action, scope, _attributes("Resource", assignment_body(found)["properties"]))
        self._world.assignments.remove(found)
        return Response(200, assignment_body(found))

    # What the caller may do.

    def _permissions(self, request: Request, scope: str) -> Response:
        # The SDK leaves an empty parent resource between two slashes.
        resource = re.sub("//+", "/", scope)
        caller = self._arm.caller(request, resource.split("/")[2])
        held = rbac.effective(self._world, caller.object_id, resource, self._world.now)
        roles = (self._world.role(assignment.role) for assignment in held)
        return Response(200, {"value": [_permission(role) for role in roles if role is not None]})


def _no_definition(name: str) -> ApiError:
    return arm_error(
        404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist."
    )


def _is_visible(role: RoleDefinition, tenant: str, scope: str) -> bool:
    """Whether a role can be assigned at a scope, or below it."""
    if role.built_in:
        return True
    return role.tenant_id == tenant and any(rbac.contains(s, scope) or rbac.contains(scope, s) for s in role.scopes)


def _fits(role: RoleDefinition, expression: str) -> bool:
    for pattern, attribute in _ROLE_FILTERS:
        if match := pattern.fullmatch(expression):
            return str(getattr(role, attribute)).lower() == match[1].replace("''", "'").lower()
    raise arm_error(400, "BadRequestFormat", f"The filter '{expression}' is not supported.")


def _permission(role: RoleDefinition) -> dict[str, list[str]]:
    return {
        "actions": role.actions,
        "notActions": role.not_actions,
        "dataActions": role.data_actions,
        "notDataActions": role.not_data_actions,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _attributes(whose: str, properties: dict[str, Any]) -> dict[str, str]:
    """What the conditions of role assignments may ask about one: the names are those of Azure's reference."""
    prefix = f"@{whose}[Microsoft.Authorization/roleAssignments:"
    given = {
        "RoleDefinitionId": str(properties["roleDefinitionId"]).rpartition("/")[2],
        "PrincipalId": properties["principalId"],
        # A request that does not name the type has none that a condition could match.
        "PrincipalType": properties.get("principalType"),
    }
    return {f"{prefix}{name}]": str(value) for name, value in given.items() if value}


def _just_written(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a PUT, which does not say yet who made it."""
    return {**body, "properties": {**body["properties"], "createdBy": None}}


def role_id(scope: str, name: str) -> str:
    """The full id of a role, as seen from a scope: its subscription's."""
    subscription = "/".join(scope.split("/")[:3]) if scope.lower().startswith("/subscriptions/") else ""
    return f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{name}"


def definition_body(scope: str, role: RoleDefinition) -> dict[str, Any]:
    """A role definition as ARM shows it."""
    return {
        "properties": {
            "roleName": role.role_name,
            "type": role.kind,
            "description": role.description,
            "assignableScopes": role.scopes,
            "permissions": [_permission(role)],
            "createdOn": _stamp(role.created),
            "updatedOn": _stamp(role.updated),
            "createdBy": role.created_by,
            "updatedBy": role.updated_by,
        },
        "id": role_id(scope, role.name),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.name,
    }


def assignment_body(assignment: RoleAssignment) -> dict[str, Any]:
    """A role assignment as ARM shows it."""
    return {
        "properties": {
            "roleDefinitionId": role_id(assignment.scope, assignment.role),
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": assignment.condition,
            "conditionVersion": "2.0" if assignment.condition else None,
            "createdOn": _stamp(assignment.created),
            "updatedOn": _stamp(assignment.created),
            "createdBy": assignment.by,
            "updatedBy": assignment.by,
            "delegatedManagedIdentityResourceId": None,
            "description": assignment.description,
        },
        "id": f"{assignment.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{assignment.name}",
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
    }
