"""Microsoft.Authorization in ARM: role definitions and role assignments.

Codes and texts are those of azure-cli's recordings, of public error reports and of Azure's RBAC troubleshooting page.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from local.cloud import rbac
from local.cloud.arm import Arm, arm_error
from local.cloud.wire import Request, Response
from local.cloud.world import RoleAssignment, RoleDefinition

_AUTHORIZATION: Final = r"/providers/Microsoft\.Authorization"
_SCOPE: Final = r"(?P<scope>/subscriptions/.+?)"
_DEFINITIONS: Final = rf"{_SCOPE}{_AUTHORIZATION}/roleDefinitions"
_ASSIGNMENTS: Final = rf"{_SCOPE}{_AUTHORIZATION}/roleAssignments"
_ID: Final = r"/(?P<name>[0-9a-f-]{36})"
_ROLE_NAME: Final = re.compile(r"roleName eq '((?:[^']|'')*)'")
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
        routes.add("GET", _ASSIGNMENTS, self._list_assignments)
        routes.add("GET", _ASSIGNMENTS + _ID, self._get_assignment)
        routes.add("PUT", _ASSIGNMENTS + _ID, self._put_assignment)
        routes.add("DELETE", _ASSIGNMENTS + _ID, self._delete_assignment)

    # Role definitions.

    def _visible(self, tenant: str, scope: str) -> list[RoleDefinition]:
        roles = (role for role in self._world.roles if role.built_in or role.tenant_id == tenant)
        return [
            r for r in roles if r.built_in or any(rbac.contains(s, scope) or rbac.contains(scope, s) for s in r.scopes)
        ]

    def _list_definitions(self, request: Request, scope: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/read", scope)
        found = self._visible(caller.tenant_id, scope)
        if expression := request.query.get("$filter"):
            match = _ROLE_NAME.fullmatch(expression.strip())
            if match is None:
                raise arm_error(400, "BadRequestFormat", f"The filter '{expression}' is not supported.")
            found = [role for role in found if role.role_name.lower() == match[1].replace("''", "'").lower()]
        return Response(200, {"value": [definition_body(scope, role) for role in found]})

    def _definition(self, scope: str, name: str, tenant: str) -> RoleDefinition:
        for role in self._visible(tenant, scope):
            if role.name == name.lower():
                return role
        raise arm_error(
            404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist."
        )

    def _get_definition(self, request: Request, scope: str, name: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/read", scope)
        return Response(200, definition_body(scope, self._definition(scope, name, caller.tenant_id)))

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
        role = next((r for r in self._world.roles if r.name == name.lower()), None)
        if role is None:
            role = RoleDefinition(
                name.lower(), "", "", built_in=False, tenant_id=caller.tenant_id, scopes=[], actions=[]
            )
            self._world.roles.append(role)
        permission = (properties.get("permissions") or [{}])[0]
        role.role_name, role.description = properties["roleName"], properties.get("description") or ""
        role.scopes, role.actions = scopes, permission.get("actions") or []
        role.not_actions = permission.get("notActions") or []
        role.data_actions = permission.get("dataActions") or []
        role.not_data_actions = permission.get("notDataActions") or []
        return Response(201, definition_body(scope, role))

    def _delete_definition(self, request: Request, scope: str, name: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleDefinitions/delete", scope)
        role = next((r for r in self._visible(caller.tenant_id, scope) if r.name == name.lower()), None)
        if role is None:
            return Response(204)
        if any(assignment.role == role.name for assignment in self._world.assignments):
            message = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)."
            raise arm_error(400, "RoleDefinitionHasAssignments", message)
        self._world.roles.remove(role)
        return Response(200, definition_body(scope, role))

    # Role assignments.

    def _list_assignments(self, request: Request, scope: str) -> Response:
        self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/read", scope)
        expression = request.query.get("$filter", "").strip()
        found = [a for a in self._world.assignments if rbac.contains(a.scope, scope) or rbac.contains(scope, a.scope)]
        if expression.startswith("atScope()"):
            found = [a for a in found if rbac.contains(a.scope, scope)]
        if expression and expression != "atScope()":
            match = _PRINCIPAL.fullmatch(expression)
            if match is None:
                raise arm_error(400, "BadRequestFormat", f"The filter '{expression}' is not supported.")
            found = [a for a in found if a.principal_id == (match[1] or match[2])]
        return Response(200, {"value": [assignment_body(a) for a in found]})

    def _get_assignment(self, request: Request, scope: str, name: str) -> Response:
        self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/read", scope)
        found = self._find(scope, name)
        if found is None:
            raise arm_error(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
        return Response(200, assignment_body(found))

    def _find(self, scope: str, name: str) -> RoleAssignment | None:
        same = (a for a in self._world.assignments if a.name == name.lower())
        return next((a for a in same if a.scope.lower() == scope.lower()), None)

    def _put_assignment(self, request: Request, scope: str, name: str) -> Response:
        caller = self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/write", scope)
        wanted = request.json()["properties"]
        role = self._definition(scope, wanted["roleDefinitionId"].rpartition("/")[2], caller.tenant_id)
        principal_id = wanted["principalId"].lower()
        self._check_principal(caller.tenant_id, principal_id, typed=bool(wanted.get("principalType")))
        triple = (scope.lower(), role.name, principal_id)
        for held in self._world.assignments:
            same = (held.scope.lower(), held.role, held.principal_id) == triple
            if held.name == name.lower() and same:
                return Response(200, assignment_body(held))
            if held.name == name.lower():
                message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
                raise arm_error(400, "RoleAssignmentUpdateNotPermitted", message)
            if same:
                raise arm_error(409, "RoleAssignmentExists", "The role assignment already exists.")
        made = self._world.assign(name.lower(), scope, role, principal_id)
        made.description, made.condition = wanted.get("description"), wanted.get("condition")
        return Response(201, assignment_body(made))

    def _check_principal(self, tenant: str, principal_id: str, *, typed: bool) -> None:
        if any(application.id == principal_id for application in self._world.applications):
            message = "Principals of type Application cannot validly be used in role assignments."
            raise arm_error(400, "PrincipalTypeNotSupported", message)
        now = self._world.now
        known = any(
            p.id == principal_id and p.tenant_id == tenant and p.visible_at <= now for p in self._world.principals
        )
        if not known and not typed:
            message = (
                f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. Check that you"
                " have the correct principal ID. If you are creating this principal and then immediately assigning a"
                " role, this error might be related to a replication delay. In this case, set the role assignment"
                " principalType property to a value, such as ServicePrincipal, User, or Group.  See"
                " https://aka.ms/docs-principaltype"
            )
            raise arm_error(400, "PrincipalNotFound", message)

    def _delete_assignment(self, request: Request, scope: str, name: str) -> Response:
        self._arm.authorize(request, "Microsoft.Authorization/roleAssignments/delete", scope)
        found = self._find(scope, name)
        if found is None:
            return Response(204)
        self._world.assignments.remove(found)
        return Response(200, assignment_body(found))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def role_id(scope: str, name: str) -> str:
    """The full id of a role, as seen from a scope: its subscription's."""
    return f"{'/'.join(scope.split('/')[:3])}/providers/Microsoft.Authorization/roleDefinitions/{name}"


def definition_body(scope: str, role: RoleDefinition) -> dict[str, Any]:
    """A role definition as ARM shows it."""
    return {
        "properties": {
            "roleName": role.role_name,
            "type": "BuiltInRole" if role.built_in else "CustomRole",
            "description": role.description,
            "assignableScopes": role.scopes,
            "permissions": [
                {
                    "actions": role.actions,
                    "notActions": role.not_actions,
                    "dataActions": role.data_actions,
                    "notDataActions": role.not_data_actions,
                }
            ],
            "createdBy": None,
            "updatedBy": None,
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
            "createdBy": None,
            "updatedBy": None,
            "delegatedManagedIdentityResourceId": None,
            "description": assignment.description,
        },
        "id": f"{assignment.scope}/providers/Microsoft.Authorization/roleAssignments/{assignment.name}",
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
    }
