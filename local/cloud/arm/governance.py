"""What ARM shows of its own holds: locks, policies and deny assignments, each to those who may read it.

The forms are those of the published examples of Microsoft.Authorization.
"""

from typing import Any, Final

from local.cloud.arm.holds import DenyAssignment, Lock, PolicyAssignment, is_inside
from local.cloud.arm.service import Arm, arm_error
from local.cloud.server.wire import Request, Response

_AUTHORIZATION: Final = "Microsoft.Authorization"
_PREFIX: Final = r"(?P<scope>/subscriptions/.+?)/providers/Microsoft\.Authorization"
#: How a deny assignment names everybody.
_EVERYBODY: Final = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined", "displayName": ""}


class ArmGovernance:
    """The lists of what holds on a scope: what is on it, above it and inside it; with `atScope()` not inside."""

    def __init__(self, arm: Arm) -> None:
        self._arm, self._world = arm, arm.world
        routes = arm.routes
        routes.add("GET", rf"{_PREFIX}/locks", self._locks)
        routes.add("GET", rf"{_PREFIX}/denyAssignments", self._deny_assignments)
        routes.add("GET", rf"{_PREFIX}/policyAssignments", self._policy_assignments)
        routes.add("GET", rf"{_PREFIX}/policyExemptions", self._policy_exemptions)
        routes.add("GET", rf"{_PREFIX}/policyDefinitions/(?P<name>[^/]+)", self._policy_definition)

    def _locks(self, request: Request, scope: str) -> Response:
        return self._listed(request, scope, "locks", [(lock.scope, lock_body(lock)) for lock in self._world.locks])

    def _deny_assignments(self, request: Request, scope: str) -> Response:
        held = [(denied.scope, _deny_assignment_body(denied)) for denied in self._world.deny_assignments]
        return self._listed(request, scope, "denyAssignments", held)

    def _policy_assignments(self, request: Request, scope: str) -> Response:
        # A scope that an assignment exempts does not list it.
        held = [(p.scope, _policy_assignment_body(p)) for p in self._world.policies if not _exempts(p, scope)]
        return self._listed(request, scope, "policyAssignments", held)

    def _policy_exemptions(self, request: Request, scope: str) -> Response:
        # There are none here: a scope is exempted in the assignment.
        return self._listed(request, scope, "policyExemptions", [])

    def _listed(self, request: Request, scope: str, kind: str, held: list[tuple[str, dict[str, Any]]]) -> Response:
        self._arm.authorize(request, f"{_AUTHORIZATION}/{kind}/read", scope)
        inside = request.query.get("$filter", "") != "atScope()"
        found = [body for where, body in held if is_inside(where, scope) or (inside and is_inside(scope, where))]
        return Response(200, {"value": found})

    def _policy_definition(self, request: Request, scope: str, name: str) -> Response:
        self._arm.authorize(request, f"{_AUTHORIZATION}/policyDefinitions/read", scope)
        found = next((p for p in self._world.policies if p.definition_id.lower() == request.path.lower()), None)
        if found is None:
            raise arm_error(404, "PolicyDefinitionNotFound", f"The policy definition '{name}' could not be found.")
        return Response(200, _policy_definition_body(found))


def _exempts(policy: PolicyAssignment, scope: str) -> bool:
    return any(is_inside(exempted, scope) for exempted in policy.not_scopes)


def lock_body(lock: Lock) -> dict[str, Any]:
    """A lock as ARM shows it."""
    return {
        "id": lock.id,
        "name": lock.name,
        "type": f"{_AUTHORIZATION}/locks",
        "properties": {"level": lock.level},
    }


def _deny_assignment_body(denied: DenyAssignment) -> dict[str, Any]:
    permission = {"actions": list(denied.actions), "notActions": [], "dataActions": [], "notDataActions": []}
    return {
        "id": denied.id,
        "name": denied.name,
        "type": f"{_AUTHORIZATION}/denyAssignments",
        "properties": {
            "denyAssignmentName": denied.title,
            "description": "",
            "permissions": [permission],
            "scope": denied.scope,
            "doNotApplyToChildScopes": False,
            "principals": [_EVERYBODY],
            "excludePrincipals": [{"id": one, "type": "ServicePrincipal"} for one in denied.excluded],
            "isSystemProtected": True,
        },
    }


def _policy_assignment_body(policy: PolicyAssignment) -> dict[str, Any]:
    return {
        "id": policy.id,
        "name": policy.name,
        "type": f"{_AUTHORIZATION}/policyAssignments",
        "properties": {
            "displayName": policy.title,
            "description": "",
            "policyDefinitionId": policy.definition_id,
            "scope": policy.scope,
            "notScopes": list(policy.not_scopes),
            "parameters": {},
            "enforcementMode": "Default" if policy.enforced else "DoNotEnforce",
        },
    }


def _policy_definition_body(policy: PolicyAssignment) -> dict[str, Any]:
    details = {"details": {"actionNames": ["delete"]}} if policy.effect == "denyAction" else {}
    return {
        "id": policy.definition_id,
        "name": policy.name,
        "type": f"{_AUTHORIZATION}/policyDefinitions",
        "properties": {
            "displayName": policy.title,
            "policyType": "Custom",
            "mode": "All",
            "parameters": {},
            "policyRule": {
                "if": {"field": "type", "equals": policy.resource_type},
                "then": {"effect": policy.effect, **details},
            },
        },
    }
