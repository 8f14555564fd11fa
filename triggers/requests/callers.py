"""The caller and its rights, from Azure Functions and App Service authentication."""

import base64
import binascii
import json
import os
from typing import Final

import azure.functions as func

from peering.outcome import ProblemError
from peering.spec import Caller
from triggers.route_table import AppRole

_UNKNOWN: Final = Caller(name="holder of the function key", id=None)
#: What each app role of Entra may do in this app.
_GRANTS: Final[dict[str, frozenset[AppRole]]] = {
    "reader": frozenset({"reader"}),
    "operator": frozenset({"reader", "operator"}),
}


def is_signed_in_here() -> bool:
    """Whether App Service authentication is enabled: only then its headers are trustworthy."""
    return os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


def caller(req: func.HttpRequest) -> Caller:
    """The signed-in identity that App Service authentication names in its headers.

    Without that authentication the client sets the headers, so they are ignored: then it is only known that the caller
    has the function key.
    """
    if not is_signed_in_here():
        return _UNKNOWN
    identity = req.headers.get("x-ms-client-principal-id")
    name = req.headers.get("x-ms-client-principal-name") or identity
    return Caller(name=name, id=identity) if name else _UNKNOWN


def check_role(req: func.HttpRequest, needed: AppRole) -> None:
    """Whether the caller has the app role that a route needs; without App Service authentication, keys decide alone.

    Raises:
        ProblemError: `role-missing`.
    """
    if not is_signed_in_here():
        return
    roles = _roles(req)
    if not any(needed in _GRANTS.get(role, ()) for role in roles):
        held = f"has {', '.join(sorted(roles))}" if roles else "has none"
        who = caller(req)
        name = who["name"] if who is not _UNKNOWN else "The request is not signed in, and"
        raise ProblemError("role-missing", f"The app role {needed} is required; {name} {held}.")


def _roles(req: func.HttpRequest) -> frozenset[str]:
    """The app roles in the claims that App Service passes, as Base64 of JSON."""
    try:
        principal = json.loads(base64.b64decode(req.headers.get("x-ms-client-principal", ""), validate=True))
        kind = principal.get("role_typ") or "roles"
        return frozenset(str(one["val"]) for one in principal["claims"] if one["typ"] in (kind, "roles"))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
