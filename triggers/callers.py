"""Who asks, as Azure Functions gives it."""

import os
from typing import Final

import azure.functions as func

from peering.spec import Caller

_UNKNOWN: Final = Caller(name="holder of the function key", id=None)


def caller(req: func.HttpRequest) -> Caller:
    """The signed-in identity that App Service authentication names in its headers.

    Without that authentication the headers are whatever the client sent, so they are not believed: all that is known
    then is that the caller has the function key.
    """
    if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return _UNKNOWN
    identity = req.headers.get("x-ms-client-principal-id")
    name = req.headers.get("x-ms-client-principal-name") or identity
    return Caller(name=name, id=identity) if name else _UNKNOWN
