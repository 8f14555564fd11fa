"""`GET /api/overview`: the status of all peerings in numbers; what expires soon, and what waits for whom."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final, NotRequired

import azure.functions as func
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient
from clients.registry import registry, sweeps
from peering.problems import Fixer
from peering.record import Pause
from triggers.documents.answers import json_answer, peering_url
from triggers.lists import Row, all_columns, is_paused
from triggers.peerings import Trouble, troubles

#: A password that expires within this time is shown; the app renews it before if it can.
_SOON: Final = timedelta(days=30)
#: The number of peerings that are shown of each kind, the most important first.
_SHOWN: Final = 50


class SweepDocument(TypedDict):
    """The last completed check of all: when it began, when it ended, how long it took."""

    began: str
    ended: NotRequired[str]
    seconds: NotRequired[float]


class Expiring(TypedDict):
    """A peering whose password expires soon."""

    id: str
    vnet_id: str
    expires: str
    url: str


class Waiting(TypedDict):
    """A peering with a problem that must be fixed manually."""

    id: str
    vnet_id: str
    problem: Trouble
    url: str


class Overview(TypedDict):
    """The status of all peerings. `waits_for` has the longest waiting for each fixer; `counts` has all."""

    peerings: int
    states: dict[str, int]
    verdicts: dict[str, int]
    problems: dict[str, int]
    fixers: dict[str, int]
    paused: int
    paused_all: NotRequired[Pause]
    last_sweep: NotRequired[SweepDocument]
    expires_soon: list[Expiring]
    waits_for: dict[Fixer, list[Waiting]]


async def show_overview(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/overview`: counts, the last check of all, what expires soon, and what waits for whom."""
    rows = await all_columns()
    waiting = _waiting(req, rows)
    overview = Overview(
        peerings=len(rows),
        states=dict(Counter(str(row["state"]) for row in rows)),
        verdicts=dict(Counter(str(row["verdict"]) for row in rows if row.get("verdict"))),
        problems=dict(Counter(trouble["code"] for row in rows for trouble in troubles(row))),
        fixers={fixer: len(some) for fixer, some in waiting.items()},
        paused=sum(map(is_paused, rows)),
        expires_soon=_expiring(req, rows),
        waits_for={fixer: some[:_SHOWN] for fixer, some in waiting.items()},
    )
    if (pause := await pauses.of_all()) is not None:
        overview["paused_all"] = pause
    if (sweep := await _last_sweep()) is not None:
        overview["last_sweep"] = sweep
    return json_answer(overview)


async def _last_sweep() -> SweepDocument | None:
    began, ended = await sweeps.last_and_its_end()
    if not began:
        return None
    found = SweepDocument(began=began)
    if ended:
        found |= {
            "ended": ended,
            "seconds": max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()),
        }
    return found


def _expiring(req: func.HttpRequest, rows: list[Row]) -> list[Expiring]:
    until = registry().now + _SOON
    due = sorted((str(row["expires"]), str(row["RowKey"]), str(row["vnet_id"])) for row in rows if row.get("expires"))
    soon = [one for one in due if datetime.fromisoformat(one[0]) < until]
    return [
        Expiring(id=peering_id, vnet_id=vnet_id, expires=expires, url=peering_url(req, peering_id))
        for expires, peering_id, vnet_id in soon[:_SHOWN]
    ]


def _waiting(req: func.HttpRequest, rows: list[Row]) -> dict[Fixer, list[Waiting]]:
    found: dict[Fixer, list[Waiting]] = {}
    for row in rows:
        peering_id = str(row["RowKey"])
        for trouble in troubles(row):
            url, vnet_id = peering_url(req, peering_id), str(row["vnet_id"])
            waiting = Waiting(id=peering_id, vnet_id=vnet_id, problem=trouble, url=url)
            found.setdefault(trouble["fixable_by"], []).append(waiting)
    return {fixer: sorted(some, key=lambda one: one["problem"]["since"]) for fixer, some in sorted(found.items())}
