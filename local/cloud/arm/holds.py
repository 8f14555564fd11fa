"""Blocks on changes in Azure Resource Manager: locks, disabled subscriptions, policies and deny assignments.

Codes and texts are those of public error reports and of Azure's RBAC and Policy reference.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from local.cloud.server.wire import ApiError, Request, Response

Level = Literal["ReadOnly", "CanNotDelete"]
Effect = Literal["deny", "denyAction", "audit"]
_WRITES: Final = ("PUT", "PATCH", "POST", "DELETE")
#: What an effect keeps from being done (learn.microsoft.com, "Azure Policy definitions denyAction effect").
_FORBIDDEN: Final[dict[Effect, str]] = {"deny": "write", "denyAction": "delete"}
_AUTHORIZATION: Final = "providers/Microsoft.Authorization"


@lru_cache(maxsize=4096)
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)


def matches(action: str, granted: str) -> bool:
    """Whether an action as roles and conditions write it, which may hold `*`, covers an action."""
    return _pattern(granted).fullmatch(action) is not None


def is_inside(scope: str, path: str) -> bool:
    """Whether a path is a scope or inside it."""
    inside, above = path.rstrip("/").lower(), scope.rstrip("/").lower()
    return inside == above or inside.startswith(f"{above}/")


@dataclass(frozen=True)
class Lock:
    """A lock on a scope; it holds for everything inside."""

    scope: str
    name: str
    level: Level

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.scope}/{_AUTHORIZATION}/locks/{self.name}"

    def holds(self, path: str) -> bool:
        """Whether a path is inside its scope."""
        return is_inside(self.scope, path)


@dataclass(frozen=True)
class DenyAssignment:
    """It takes actions on a scope, and inside, away from everybody but some: a deployment stack makes such ones."""

    name: str
    title: str
    scope: str
    actions: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.scope}/{_AUTHORIZATION}/denyAssignments/{self.name}"


@dataclass(frozen=True)
class PolicyAssignment:
    """It forbids resources of a type, or only takes note of them, on a scope and inside, but not in `not_scopes`.

    With `deny` they may not be made or changed, with `denyAction` not be deleted.
    """

    name: str
    title: str
    scope: str
    resource_type: str
    effect: Effect = "deny"
    enforced: bool = True
    not_scopes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.scope}/{_AUTHORIZATION}/policyAssignments/{self.name}"

    @property
    def definition_id(self) -> str:
        """The ARM id of its definition, which is its subscription's."""
        return f"{'/'.join(self.scope.split('/')[:3])}/{_AUTHORIZATION}/policyDefinitions/{self.name}"

    def applies(self, path: str) -> bool:
        """Whether a path is inside its scope and not exempted."""
        return is_inside(self.scope, path) and not any(is_inside(scope, path) for scope in self.not_scopes)

    def forbids(self, action: str, path: str) -> bool:
        """Whether it keeps an action, such as `Microsoft.Network/virtualNetworks/write`, from being done at a path."""
        resource_type, _, verb = action.rpartition("/")
        wanted = self.resource_type.lower() == resource_type.lower() and _FORBIDDEN.get(self.effect) == verb
        return wanted and self.enforced and self.applies(path)


def refusal(locks: list[Lock], disabled: set[str], request: Request) -> Response | None:
    """The answer to a change that a lock or a disabled subscription does not let through, if it is one."""
    if request.method not in _WRITES:
        return None
    subscription = request.path.split("/")[2].lower() if request.path.lower().startswith("/subscriptions/") else ""
    if subscription in disabled:
        message = f"The subscription '{subscription}' is disabled and therefore marked as read only."
        return Response(409, {"error": {"code": "ReadOnlyDisabledSubscription", "message": message}})
    deletes = request.method == "DELETE"
    held = [lock for lock in locks if lock.holds(request.path) and (deletes or lock.level == "ReadOnly")]
    if not held:
        return None
    what, named = ("delete" if deletes else "write"), ",".join(f"'{lock.id}'" for lock in held)
    message = (
        f"The scope '{request.path}' cannot perform {what} operation because following scope(s) are locked: {named}."
    )
    return Response(409, {"error": {"code": "ScopeLocked", "message": message}})


def obey(policies: list[PolicyAssignment], action: str, path: str) -> None:
    """Let an action be done at a path.

    Raises:
        ApiError: 403, policies forbid it; the answer names each of them.
    """
    broken = [policy for policy in policies if policy.forbids(action, path)]
    if not broken:
        return
    name, what = path.rpartition("/")[2], "Deletion of resource" if action.endswith("/delete") else "Resource"
    identifiers = json.dumps(
        [
            {
                "policyAssignment": {"name": policy.title, "id": policy.id},
                "policyDefinition": {"name": policy.title, "id": policy.definition_id},
            }
            for policy in broken
        ]
    )
    error = {
        "code": "RequestDisallowedByPolicy",
        "target": name,
        "message": f"{what} '{name}' was disallowed by policy. Policy identifiers: '{identifiers}'.",
        "additionalInfo": [{"type": "PolicyViolation", "info": _violation(policy)} for policy in broken],
    }
    raise ApiError(Response(403, {"error": error}))


def _violation(policy: PolicyAssignment) -> dict[str, Any]:
    wanted = policy.resource_type
    evaluated = {"expressionKind": "Field", "expression": "type", "path": "type", "operator": "Equals"}
    return {
        "evaluationDetails": {
            "evaluatedExpressions": [{"result": "True", **evaluated, "expressionValue": wanted, "targetValue": wanted}]
        },
        "policyDefinitionId": policy.definition_id,
        "policyDefinitionName": policy.name,
        "policyDefinitionDisplayName": policy.title,
        "policyDefinitionEffect": policy.effect,
        "policyAssignmentId": policy.id,
        "policyAssignmentName": policy.name,
        "policyAssignmentDisplayName": policy.title,
        "policyAssignmentScope": policy.scope,
        "policyAssignmentParameters": {},
    }
