"""App Service authentication in front of an app: it names the signed-in user in headers that no client can set."""

import base64
import json
import os
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

#: The headers that the platform removes from every request while authentication is enabled.
_OWN: Final = "x-ms-client-principal"
_SCHEME: Final = "bearer "


@dataclass(frozen=True)
class Principal:
    """A signed-in user, with the app roles that Entra has assigned."""

    name: str
    id: str
    roles: tuple[str, ...]

    def headers(self) -> dict[str, str]:
        """The headers that the app gets."""
        claims = [{"typ": "name", "val": self.name}, *({"typ": "roles", "val": role} for role in self.roles)]
        principal = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims}
        return {
            "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
            "x-ms-client-principal-id": self.id,
            "x-ms-client-principal-name": self.name,
            "x-ms-client-principal-idp": "aad",
        }


class AppService:
    """The signed-in users, by their bearer tokens; disabled unless `WEBSITE_AUTH_ENABLED` is true.

    Requests without a known token go on to the app, as they do where unauthenticated access is allowed.
    """

    def __init__(self) -> None:
        self._signed_in: dict[str, Principal] = {}

    def sign_in(self, name: str, roles: Collection[str]) -> str:
        """Sign a user in; returns the bearer token of their requests."""
        token = secrets.token_urlsafe(32)
        self._signed_in[token] = Principal(name, str(uuid4()), tuple(roles))
        return token

    def headers(self, given: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request as the app gets them."""
        if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
            return dict(given)
        kept = {name: value for name, value in given.items() if not name.lower().startswith(_OWN)}
        token = given.get("authorization", "")
        known = self._signed_in.get(token[len(_SCHEME) :]) if token.lower().startswith(_SCHEME) else None
        return kept | (known.headers() if known is not None else {})
