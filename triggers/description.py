"""`/api/openapi.json` and `/api/docs`: the description of the API, for machines and for people.

The page is one response: it contains unmodified Swagger UI and the document, so that it loads nothing from other hosts.
Its parts need no key, and its Content-Security-Policy lists the hashes of all scripts that may run.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

import azure.functions as func

from clients.durable import DurableClient
from triggers.documents.answers import json_answer
from triggers.documents.openapi import document

_FILES: Final = Path(__file__).with_name("swagger_ui")
_BEGIN: Final = """
SwaggerUIBundle({
  spec: JSON.parse(document.getElementById("document").textContent),
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>aiven-azure-peering: the HTTP API</title>
<style>{style}</style>
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page shows /api/openapi.json with a script.</noscript>
<script id="document" type="application/json">{document}</script>
<script>{bundle}</script>
<script>{begin}</script>
</body>
</html>
"""


async def show_openapi(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/openapi.json`: this document."""
    return json_answer(document())


async def show_docs(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/docs`: this document as a page to read and to try out."""
    page, policy = _page()
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return func.HttpResponse(page, mimetype="text/html", headers=headers)


@cache
def _page() -> tuple[str, str]:
    """The page, and its Content-Security-Policy."""
    style, bundle = ((_FILES / name).read_text() for name in ("swagger-ui.css", "swagger-ui-bundle.js"))
    # Only the beginning of a tag could end a script.
    text = json.dumps(document()).replace("<", "\\u003c")
    page = _PAGE.format(style=style, document=text, bundle=bundle, begin=_BEGIN)
    policy = {
        "default-src": "'none'",
        "script-src": f"{_hash(bundle)} {_hash(_BEGIN)}",
        "style-src": _hash(style),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return page, "; ".join(f"{name} {value}" for name, value in policy.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
