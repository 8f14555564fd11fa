"""The endpoint that App Service and Functions give to an app for the tokens of its managed identities.

It keeps tokens until they expire, a day long: application permissions given meanwhile show in the next one only
(Azure's documentation of managed identities, "Are managed identities tokens cached?").
"""

import time
import uuid
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.cloud.entra import is_resource
from local.cloud.gateway import Gateway
from local.cloud.world import ServicePrincipal

_VERSION: Final = "2019-08-01"
_LIFETIME: Final = 24 * 3600


class ManagedIdentityEndpoint:
    """Tokens for user-assigned managed identities, by client id; there is no system-assigned one."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        #: The tokens that are handed out again until they expire, by identity and resource, and until when.
        self._kept: dict[tuple[str, str], tuple[dict[str, str], datetime]] = {}

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
        body, until = self._kept.get((identity.id, resource), ({}, world.now))
        if until <= world.now:
            body, until = self._new(identity, resource), world.after(_LIFETIME)
            self._kept[identity.id, resource] = body, until
        return JSONResponse(body)

    def _new(self, identity: ServicePrincipal, resource: str) -> dict[str, str]:
        expires = int(time.time()) + _LIFETIME
        return {
            "access_token": self._gateway.entra.issue(identity, resource, _LIFETIME),
            "client_id": identity.app_id,
            "expires_on": str(expires),
            "not_before": str(expires - _LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
        }


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}, status)
