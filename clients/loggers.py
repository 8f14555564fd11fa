"""The log levels of the SDKs: warnings and above, and nothing about sign-ins, which the app logs itself.

The Python worker's root logger is at INFO. There the SDKs write each request with its whole URL, and a URL may hold a
secret: a webhook's has its signature in the query.
"""

import logging
from typing import Final

#: The loggers of the packages that call remote services; their children inherit the level.
SDKS: Final = (
    "aiohttp",
    "azure",
    "h2",
    "hpack",
    "httpcore",
    "httpx",
    "kiota_abstractions",
    "kiota_authentication_azure",
    "kiota_http",
    "msal",
    "msal_extensions",
    "msgraph",
    "msgraph_core",
    "opentelemetry",
    "requests",
    "urllib3",
)


def quieten() -> None:
    """Keep the SDKs' records of single requests out of the log."""
    for name in SDKS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its warnings contain Entra's response, which may contain the request with the password.
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
