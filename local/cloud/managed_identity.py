"""The endpoint that App Service and Functions give to an app for the tokens of its managed identities.

It keeps tokens until they expire, a day long: application permissions given meanwhile show in the next one only
(Azure's documentation of managed identities, "Are managed identities tokens cached?").
"""

import time
import uuid
from datetime import datetime
from typing import Final

from local.cloud.entra import Entra, is_resource
from local.cloud.server.wire import ApiError, Request, Response
from local.cloud.world.world import ServicePrincipal, World

_VERSION: Final = "2019-08-01"
_LIFETIME: Final = 24 * 3600


class ManagedIdentityEndpoint:
    """Tokens for user-assigned managed identities, by client id; there is no system-assigned one.

    Args:
        world: the identities.
        entra: who issues their tokens.
    """

    def __init__(self, world: World, entra: Entra) -> None:
        self._world, self._entra = world, entra
        #: The tokens that are handed out again until they expire, by identity and resource, and until when.
        self._kept: dict[tuple[str, str], tuple[dict[str, str], datetime]] = {}

    def answer(self, request: Request) -> Response:
        """Answer `GET $IDENTITY_ENDPOINT?api-version=2019-08-01&resource=..&client_id=..`.

        Raises:
            ApiError: the request is not one that it takes.
        """
        world, query = self._world, request.query
        if request.headers.get("x-identity-header") != world.identity_header:
            raise identity_error(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if query.get("api-version") != _VERSION:
            raise identity_error(400, f"The api-version has to be {_VERSION}.")
        found = world.principals.by("app_id", query.get("client_id", "").lower())
        identity = next((p for p in found if p.kind == "ManagedIdentity" and p.enabled), None)
        if identity is None:
            text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
            raise identity_error(400, text)
        resource = query.get("resource", "")
        if not is_resource(resource):
            raise identity_error(
                400, f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
            )
        body, until = self._kept.get((identity.id, resource), ({}, world.now))
        if until <= world.now:
            body, until = self._new(identity, resource), world.after(_LIFETIME)
            self._kept[identity.id, resource] = body, until
        return Response(200, body)

    def _new(self, identity: ServicePrincipal, resource: str) -> dict[str, str]:
        expires = int(time.time()) + _LIFETIME
        return {
            "access_token": self._entra.issue(identity, resource, _LIFETIME),
            "client_id": identity.app_id,
            "expires_on": str(expires),
            "not_before": str(expires - _LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
        }


def identity_error(status: int, message: str) -> ApiError:
    """A refusal in the endpoint's own form (Azure's documentation of managed identities in App Service).

    Args:
        status: the HTTP status.
        message: its text.
    """
    return ApiError(Response(status, {"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}))
