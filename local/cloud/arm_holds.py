"""What holds Azure Resource Manager back whoever asks: management locks and disabled subscriptions."""

from dataclasses import dataclass
from typing import Final, Literal

from local.cloud.wire import Request, Response

Level = Literal["ReadOnly", "CanNotDelete"]
_WRITES: Final = ("PUT", "PATCH", "POST", "DELETE")


@dataclass(frozen=True)
class Lock:
    """A lock on a scope; it holds for everything inside."""

    scope: str
    name: str
    level: Level

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.scope}/providers/Microsoft.Authorization/locks/{self.name}"

    def holds(self, path: str) -> bool:
        """Whether a path is inside its scope."""
        inside, scope = path.lower(), self.scope.lower()
        return inside == scope or inside.startswith(f"{scope}/")


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
