"""Verdicts: the problems of a peering in a look, the changes, and the resulting orders."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

from activities.looks.peering import look_of_peering
from activities.remote_errors import problem_of
from clients.durable import DurableClient
from clients.registry import registry
from clients.registry.orders import start_order
from clients.registry.tables import Held
from clients.settings import settings
from clients.side_by_side import side_by_side
from clients.telemetry import carried, count
from peering.drift import DRIFT, findings
from peering.look import Look
from peering.orders import APP, Order, new_order, repair_of
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.record import Record
from peering.registry import Placed, place
from peering.runs import deterministic_id
from peering.spec import Deadlines
from peering.sweep import is_news
from peering.verdicts import Checked, Judged, announce, judge, swept

log: Final = logging.getLogger("aiven_azure_peering.health")

#: How many verdicts are written in parallel if they cannot share a transaction.
_AT_ONCE: Final = 8


def problems_of(record: Record, look: Look, at: str) -> list[Occurrence]:
    """The problems of one peering; a failure does not affect the others."""
    try:
        return findings(record["peering"], record["facts"], look, datetime.fromisoformat(at))
    except Exception as error:
        log.exception("peering=%s could not be judged", record["peering"]["id"])
        return [Occurrence(code="unexpected-error", detail=type(error).__name__)]


async def confirmed(record: Record, problems: list[Occurrence], at: str) -> list[Occurrence]:
    """The problems that a second look at one peering confirms: one bad response starts no repair or rotation.

    A problem that only one of the two looks could read is unknown, not confirmed.
    """
    if all(problem["code"] not in DRIFT for problem in problems):
        return problems
    second = problems_of(record, await look_of_peering(record["peering"], record["facts"]), at)
    codes = {problem["code"] for problem in second}
    unseen = [problem for problem in second if problem["code"] not in DRIFT]
    return [problem for problem in problems if problem["code"] in codes or problem["code"] not in DRIFT] + [
        problem for problem in unseen if problem not in problems
    ]


def judged(checked: Checked, at: str, record: Record | None, _: datetime) -> tuple[Record | None, Judged]:
    """The change of a record by a check; a peering that has changed since the look is skipped."""
    if record is None:
        return None, Judged()
    found, announces = judge(record, checked, at), settings().webhook_url is not None
    if found.change is not None and announces and (dropped := announce(record, found.change)):
        log.error("event=events-dropped peering=%s count=%s", record["peering"]["id"], dropped)
    found.undelivered = announces and bool(record.get("events"))
    return record, found


async def note(held: Mapping[str, Held], checked: Mapping[str, Checked], at: str) -> dict[str, Judged]:
    """Assess peerings by their records as of the beginning of the check, and write changes; returns each result.

    A peering for which the registry fails is left out of the result, and does not affect the others.
    """
    outcomes, news = dict[str, Judged](), dict[str, Checked]()
    for one, found in checked.items():
        # A check replaces parts of a record, and does not modify them.
        after, outcome = judged(found, at, held[one].record.copy(), _moment(at))
        outcomes[one] = outcome
        if after is not None and is_news(held[one].record, after):
            news[one] = found
    changes = {one: partial(judged, found, at) for one, found in news.items()}
    try:
        written = await registry().change_health(changes, held)
    except Exception as error:
        log.warning("event=verdicts-not-noted peerings=%s problem=%s", len(news), problem_of(error, "note")["code"])
        written = await _one_by_one(news, at)
    told = {one: outcome for one, outcome in outcomes.items() if one not in news} | written
    for one, outcome in told.items():
        tell(one, outcome)
    return told


async def _one_by_one(news: Mapping[str, Checked], at: str) -> dict[str, Judged]:
    async def write(found: tuple[str, Checked]) -> tuple[str, Judged]:
        one, checked = found
        return one, await registry().change(one, partial(judged, checked, at), health=True)

    written = await side_by_side(write, news.items(), at_once=_AT_ONCE)
    for (one, _), error in written.failures:
        log.error("event=verdict-not-noted peering=%s problem=%s", one, problem_of(error, "note")["code"])
    return dict(written.results)


def tell(peering_id: str, outcome: Judged) -> None:
    """Log a changed verdict, and repeat one that is not healthy: an alert rule reads the last two days."""
    if (change := outcome.change) is not None:
        count("peering.verdicts", verdict=change["verdict"], previous=str(change["previous"]))
        log.log(
            logging.INFO if change["verdict"] == "healthy" else logging.WARNING,
            "event=verdict-changed peering=%s previous=%s verdict=%s codes=%s at=%s",
            *(peering_id, change["previous"], change["verdict"], ",".join(change["codes"]), change["at"]),
        )
    elif (health := outcome.lasting) is not None:
        count("peering.verdicts", verdict=health["verdict"], previous=health["verdict"])
        codes = sorted({finding["problem"]["code"] for finding in health["problems"]})
        log.info(
            "event=verdict-lasting peering=%s verdict=%s codes=%s since=%s",
            *(peering_id, health["verdict"], ",".join(codes), health["since"]),
        )


async def repair(
    peering_id: str, codes: list[ProblemCode], revision: int, at: str, deadlines: Deadlines, client: DurableClient
) -> bool:
    """Start a repair of findings; False if the peering has a current run, or has changed meanwhile."""
    operation, repaired = repair_of(codes)
    order: Order = {
        **new_order(operation, _name("repair", peering_id, at), APP, _moment(at), deadlines),
        "codes": repaired,
    }
    begun = await _place(peering_id, order, revision, client)
    log.info(
        "event=repair-%s peering=%s operation=%s codes=%s",
        *("started" if begun else "put-off", peering_id, operation, ",".join(repaired)),
    )
    return begun


async def settle(peering_id: str, at: str, deadlines: Deadlines, client: DurableClient) -> None:
    """Start a check for objects that an interrupted run may have left."""
    order = new_order("check", _name("settle", peering_id, at), APP, _moment(at), deadlines)
    await _place(peering_id, order, None, client)


def _name(why: str, peering_id: str, at: str) -> str:
    """The run of an automatic order: the same whenever the same check places it."""
    return deterministic_id(why, peering_id, at)[:8]


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)


async def _place(peering_id: str, order: Order, revision: int | None, client: DurableClient) -> bool:
    order = {**order, **carried()}

    def placing(record: Record | None, _: datetime) -> tuple[Record | None, Placed]:
        after, placed = place(swept(record, order["at"]) if record is not None else None, order, revision)
        return (record if placed.answer in ("409", "put off") else after), placed

    begun = (await registry().change(peering_id, placing)).answer == "accept"
    if begun:
        count("peering.orders.accepted", operation=order["operation"])
        await start_order(client, peering_id)
    return begun
