"""The endpoint that App Service and Functions give to an app for the tokens of its managed identities."""

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.cloud.entra import is_resource
from local.cloud.gateway import Gateway

_VERSION: Final = "2019-08-01"
_LIFETIME: Final = 24 * 3600


class ManagedIdentityEndpoint:
    """Tokens for user-assigned managed identities, by client id; there is no system-assigned one."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def token(self, request: Request) -> JSONResponse:
        """Answer `GET $IDENTITY_ENDPOINT?api-version=2019-08-01&resource=..&client_id=..`."""
        with self._gateway.lock:
            return self._token(request)

    def _token(self, request: Request) -> JSONResponse:
        world, query = self._gateway.world, request.query_params
        if request.headers.get("x-identity-header") != world.identity_header:
            return _refused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if query.get("api-version") != _VERSION:
            return _refused(400, f"The api-version has to be {_VERSION}.")
        found = world.principals.by("app_id", query.get("client_id", "").lower())
        identity = next((p for p in found if p.kind == "ManagedIdentity" and p.enabled), None)
        if identity is None:
            text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
            return _refused(400, text)
        resource = query.get("resource", "")
        if not is_resource(resource):
            return _refused(400, f"AADSTS500011: The resource principal named {resource} was not found in the tenant.")
        expires = int(time.time()) + _LIFETIME
        body = {
            "access_token": self._gateway.entra.issue(identity, resource, _LIFETIME),
            "client_id": identity.app_id,
            "expires_on": str(expires),
            "not_before": str(expires - _LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
        }
        return JSONResponse(body)


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message, "correlationId": ""}, status)
