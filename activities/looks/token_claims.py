"""Reads claims without verifying the signature; the remote service enforces authorization."""

import base64
import json


def _payload(token: str) -> dict[str, object]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise ValueError("the access token is not a JWT") from None
    return dict(claims)


def token_claims(token: str) -> dict[str, str]:
    """The claims in a JWT's payload (RFC 7519) that are texts: `tid`, `oid`, `appid` and others.

    Raises:
        ValueError: the token is not a JWT.
    """
    return {name: value for name, value in _payload(token).items() if isinstance(value, str)}


def token_roles(token: str) -> set[str]:
    """The application permissions in a token's `roles` claim (Entra, "access token claims"); none for a user's token.

    Raises:
        ValueError: the token is not a JWT.
    """
    roles = _payload(token).get("roles")
    return {str(role) for role in roles} if isinstance(roles, list) else set()
