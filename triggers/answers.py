"""Answers that several routes give."""

import json
from collections.abc import Mapping
from typing import Final

import azure.functions as func

from peering.registry import UNDER_WAY, Placed

RETRY_AFTER: Final = "5"


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON document."""
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def accepted(identity: str, url: str, placed: Placed) -> func.HttpResponse:
    """202 with the address to watch; `run` names the order, `joined` says that it was there already."""
    order = placed.order
    state = UNDER_WAY.get(order["operation"], "checking")
    body = {"id": identity, "state": state, "run": order["run"], "joined": placed.answer == "join", "url": url}
    if "supersedes" in order:
        body["superseded"] = order["supersedes"]["run"]
    return json_answer(body, 202, {"Location": url, "Retry-After": RETRY_AFTER})


def collection_url(req: func.HttpRequest) -> str:
    """The address of `/api/peerings`, as the caller reached it."""
    base, _, _ = req.url.partition("?")[0].partition("/peerings")
    return f"{base}/peerings"


def peering_url(req: func.HttpRequest, identity: str) -> str:
    """The address of one peering."""
    return f"{collection_url(req)}/{identity}"
