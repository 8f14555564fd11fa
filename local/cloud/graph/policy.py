"""The tenant's app management policy: what applications may have, as its knobs set it."""

from datetime import datetime, timedelta
from typing import Any, Final

from local.cloud.graph.access import Access
from local.cloud.graph.errors import graph_error
from local.cloud.graph.query import in_context
from local.cloud.server.wire import Request, Response, Routes
from local.cloud.world.world import World

_ID: Final = "d015220e-9789-4e8e-bbcc-270fe419229d"
_SINCE: Final = "2019-10-19T10:37:00Z"


class AppManagementPolicy:
    """The policy, to be read with a permission of its own."""

    def __init__(self, world: World, access: Access, routes: Routes) -> None:
        self._world, self._access = world, access
        routes.add("GET", r"/v1\.0/policies/defaultAppManagementPolicy", self._get)

    def _get(self, request: Request) -> Response:
        self._access.reader(request, "Policy.Read.")
        knobs, restrictions = self._world.knobs, list[dict[str, Any]]()
        if knobs.password_addition_forbidden:
            restrictions.append(_restriction("passwordAddition", None))
        if knobs.password_lifetime_days is not None:
            restrictions.append(_restriction("passwordLifetime", f"P{knobs.password_lifetime_days}D"))
        body = {
            "id": _ID,
            "displayName": "Default app management tenant policy",
            "description": "Default tenant policy that enforces app management restrictions.",
            "isEnabled": bool(restrictions) or knobs.multi_tenant_forbidden,
            "applicationRestrictions": {"passwordCredentials": restrictions, "keyCredentials": []},
            "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        }
        return Response(200, in_context(request, "policies/defaultAppManagementPolicy/$entity", body))


def _restriction(kind: str, longest: str | None) -> dict[str, Any]:
    return {
        "restrictionType": kind,
        "state": "enabled",
        "maxLifetime": longest,
        "restrictForAppsCreatedAfterDateTime": _SINCE,
    }


def check_audience(world: World, audience: str) -> None:
    """Let an application have an audience.

    Raises:
        ApiError: 400, the policy forbids multi-tenant applications.
    """
    if world.knobs.multi_tenant_forbidden and audience != "AzureADMyOrg":
        text = f"The sign-in audience '{audience}' is not allowed as per assigned policy '{_ID}'."
        raise graph_error(400, "SignInAudienceNotAllowedAsPerAppPolicy", text)


def check_password(world: World, starts: datetime, ends: datetime) -> None:
    """Let an application have a password of a lifetime.

    Raises:
        ApiError: 400, the policy forbids passwords, or ones that live so long.
    """
    if world.knobs.password_addition_forbidden:
        text = f"Credential type not allowed as per assigned policy '{_ID}'."
        raise graph_error(400, "CredentialTypeNotAllowedAsPerAppPolicy", text)
    longest = world.knobs.password_lifetime_days
    if longest is not None and ends - starts > timedelta(days=longest):
        text = f"Credential lifetime exceeds the max value allowed as per assigned policy '{_ID}'."
        raise graph_error(400, "CredentialInvalidLifetimeAsPerAppPolicy", text, "InvalidKeyEndDate", "EndDate")
