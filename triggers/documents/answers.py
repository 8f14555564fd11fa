"""Answers that several routes give."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final, NotRequired
from urllib.parse import urlsplit

import azure.functions as func
from typing_extensions import TypedDict

from peering.progress import PeeringState
from peering.record import UNDER_WAY
from peering.registry import Placed

RETRY_AFTER: Final = "5"
_API: Final = "/api/"
_NOT_AT_ALL: Final = re.compile(r"q\s*=\s*0(\.0{0,3})?")


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON document."""
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def etag(body: bytes, revision: int | None = None) -> str:
    """The ETag of an answer; that of a peering begins with the revision of its record."""
    digest = hashlib.sha256(body).hexdigest()[:16]
    return f'"{digest}"' if revision is None else f'"{revision}-{digest}"'


def is_current(known: str, tag: str) -> bool:
    """Whether what `If-None-Match` lists has the ETag of an answer (RFC 9110, 13.1.2)."""
    return tag in (one.strip().removeprefix("W/") for one in known.split(","))


class Accepted(TypedDict):
    """An order that was stored: `run` names it, `joined` says that it existed already."""

    id: str
    state: PeeringState
    run: str
    joined: bool
    url: str
    superseded: NotRequired[str]


def accepted(peering_id: str, url: str, placed: Placed) -> func.HttpResponse:
    """202 with the address to poll; `run` names the order, `joined` says that it existed already."""
    order = placed.order
    state = UNDER_WAY.get(order["operation"], "checking")
    body = Accepted(id=peering_id, state=state, run=order["run"], joined=placed.answer == "join", url=url)
    if "supersedes" in order:
        body["superseded"] = order["supersedes"]
    return json_answer(body, 202, {"Location": url, "Retry-After": RETRY_AFTER})


def collection_url(req: func.HttpRequest) -> str:
    """The address of `/api/peerings`, without the host: the caller chooses the host of a request."""
    path = urlsplit(req.url).path
    # Routes ignore case.
    return f"{path[: path.lower().index(_API)]}{_API}peerings"


def peering_url(req: func.HttpRequest, peering_id: str) -> str:
    """The address of one peering, without the host."""
    return f"{collection_url(req)}/{peering_id}"


def accepts_json(req: func.HttpRequest) -> bool:
    """Whether `Accept` includes JSON; a weight of zero excludes it."""
    for part in req.headers.get("accept", "").lower().split(","):
        kind, *parameters = (one.strip() for one in part.split(";"))
        if kind == "application/json" and not any(_NOT_AT_ALL.fullmatch(one) for one in parameters):
            return True
    return False
