"""Answers that several routes give."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from peering.registry import UNDER_WAY, Placed

RETRY_AFTER: Final = "5"
_COLLECTION: Final = "/peerings"
_NOT_AT_ALL: Final = re.compile(r"q\s*=\s*0(\.0{0,3})?")


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON document."""
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def accepted(identity: str, url: str, placed: Placed) -> func.HttpResponse:
    """202 with the address to watch; `run` names the order, `joined` says that it was there already."""
    order = placed.order
    state = UNDER_WAY.get(order["operation"], "checking")
    body = {"id": identity, "state": state, "run": order["run"], "joined": placed.answer == "join", "url": url}
    if "supersedes" in order:
        body["superseded"] = order["supersedes"]
    return json_answer(body, 202, {"Location": url, "Retry-After": RETRY_AFTER})


def collection_url(req: func.HttpRequest) -> str:
    """The address of `/api/peerings`, without the host: that of a request is what its caller says it is."""
    path = urlsplit(req.url).path
    # Routes are found whatever their case.
    return f"{path[: path.lower().index(_COLLECTION)]}{_COLLECTION}"


def peering_url(req: func.HttpRequest, identity: str) -> str:
    """The address of one peering, without the host."""
    return f"{collection_url(req)}/{identity}"


def accepts_json(req: func.HttpRequest) -> bool:
    """Whether a caller names JSON in `Accept` as what it takes; a weight of zero names what it does not take."""
    for part in req.headers.get("accept", "").lower().split(","):
        kind, *parameters = (one.strip() for one in part.split(";"))
        if kind == "application/json" and not any(_NOT_AT_ALL.fullmatch(one) for one in parameters):
            return True
    return False
