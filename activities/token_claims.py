"""Reading who a token is for. Nothing is decided by it, so its signature is not checked."""

import base64
import json


def token_claims(token: str) -> dict[str, str]:
    """The claims in a JWT's payload (RFC 7519) that are texts: `tid`, `oid`, `appid` and others.

    Raises:
        ValueError: the token is not a JWT.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise ValueError("the access token is not a JWT") from None
    return {name: value for name, value in claims.items() if isinstance(value, str)}
