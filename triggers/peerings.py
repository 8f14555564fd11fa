"""`/api/peerings`: start a peering or plan a start, and list all peerings."""

from collections.abc import Iterator
from typing import Final, Literal, NotRequired
from urllib.parse import urlencode

import azure.functions as func
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient
from clients.registry import registry
from clients.registry.rows import FOR_EVER, findings_in, quoted, vpc_of
from peering.aiven_vpc import AivenVpc, VpcNames
from peering.naming import VNetId, earlier_peering_id, same_id
from peering.outcome import ProblemError
from peering.problems import PROBLEMS, Fixer
from peering.progress import PeeringState, state_named
from peering.record import Pause, Record
from peering.spec import Peering
from triggers.documents.answers import collection_url, json_answer, peering_url
from triggers.lists import Row, is_paused, labels_of, listed
from triggers.orders import place_order
from triggers.plans import plan_of_start
from triggers.requests.bodies import json_body
from triggers.requests.callers import caller
from triggers.requests.queries import ListQuery, given, is_dry, query_of

#: Columns that are shown if they are not empty.
_TOLD: Final[tuple[Literal["verdict", "verdict_since", "problem", "operation", "expires", "note"], ...]] = (
    *("verdict", "verdict_since", "problem"),
    *("operation", "expires", "note"),
)


class Trouble(TypedDict):
    """Why a peering is not healthy: a problem of the last check, or the one that the last run ended with."""

    code: str
    title: str
    fixable_by: Fixer
    since: str


class Told(TypedDict, total=False):
    """Columns of the list that are only shown if they have a value. `paused_until` is null if its pause has no end."""

    verdict: str
    verdict_since: str
    problem: str
    operation: str
    expires: str
    note: str
    paused_until: str | None


class PeeringSummary(VpcNames, Told):
    """One peering in the list. `problem` is the one that its last run ended with, `problems` lists all."""

    id: str
    state: PeeringState
    problems: list[Trouble]
    vnet_id: str
    requested_by: str
    changed: str
    labels: dict[str, str]
    url: str


class PeeringList(TypedDict):
    """A page of peerings; `next` is the address of the next one, and `cursor` its start.

    `paused_all` is the pause of all peerings.
    """

    peerings: list[PeeringSummary]
    cursor: NotRequired[str]
    next: NotRequired[str]
    count: NotRequired[int]
    paused_all: NotRequired[Pause]


async def start_peering(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
    """`POST /api/peerings`: start a peering, or join the current run.

    With `dryRun=true` its plan is the answer, and nothing is started.
    """
    from clients.settings import settings
    from peering.request import PeeringRequest

    dry = is_dry(req)
    json_body(req)
    request = PeeringRequest.model_validate_json(req.get_body())
    peering = request.peering()
    settings().check_credential(peering["credential"])
    settings().check_subscription(VNetId.parse(peering["vnet_id"]).subscription_id)
    peering["id"] = await _id_of(peering)
    await _check_limit(peering["id"], caller(req)["name"])

    def note(record: Record) -> None:
        if "labels" in request.model_fields_set:
            record["labels"] = dict(sorted(request.labels.items()))
        if "note" in request.model_fields_set:
            record["note"] = request.note

    if dry:
        return await plan_of_start(peering, note)
    return await place_order(req, client, peering["id"], "establish", {"peering": peering}, lambda _: None, note)


async def _check_limit(peering_id: str, name: str) -> None:
    """Check that a caller may request a peering; one that exists may be requested again by anyone.

    Requests at the same time do not see each other's peerings.

    Raises:
        ProblemError: `caller-limit-reached`.
    """
    from clients.settings import settings

    most = settings().peerings_per_caller
    if most is None or await registry().record(peering_id) is not None:
        return
    if len(await registry().columns(f"requested_by eq {quoted(name)}", limit=most)) == most:
        raise ProblemError("caller-limit-reached", f"{name} has requested {most} peerings or more that exist.")


async def _id_of(peering: Peering) -> str:
    """The id of a pair: the one in its record, which may be that of an earlier version."""
    vpc = AivenVpc.of(peering)
    earlier = earlier_peering_id(vpc.owner, vpc.id, peering["vnet_id"])
    if earlier == peering["id"]:
        return earlier
    record = await registry().record(earlier)
    return (
        earlier if record is not None and same_id(record["peering"]["vnet_id"], peering["vnet_id"]) else peering["id"]
    )


async def list_peerings(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/peerings`: the peerings in pages, filtered, searched, sorted and counted; why each is not healthy."""
    page = await listed(query_of(req, ListQuery))
    document = PeeringList(peerings=[_summary(req, row) for row in page.rows])
    if page.cursor is not None:
        document["cursor"] = page.cursor
        document["next"] = f"{collection_url(req)}?{urlencode({**given(req), 'cursor': page.cursor})}"
    if page.count is not None:
        document["count"] = page.count
    if (pause := await pauses.shown()) is not None:
        document["paused_all"] = pause
    return json_answer(document)


def troubles(row: Row) -> Iterator[Trouble]:
    """Why a peering is not healthy, by its columns."""
    found = findings_in(row)
    if row.get("problem"):
        since = str(row.get("problem_since") or row["changed"])
        found = {str(row["problem"]): since, **found}
    for code, since in found.items():
        problem = PROBLEMS.get(code)
        if problem is not None:
            yield Trouble(code=code, title=problem.title, fixable_by=problem.fixer, since=since)


def _summary(req: func.HttpRequest, row: Row) -> PeeringSummary:
    """One line of the list."""
    peering_id = str(row["RowKey"])
    return {
        "id": peering_id,
        "state": state_named(str(row["state"])),
        "problems": list(troubles(row)),
        **vpc_of(row).names,
        "vnet_id": str(row["vnet_id"]),
        "requested_by": str(row["requested_by"]),
        "changed": str(row["changed"]),
        "labels": labels_of(row),
        "url": peering_url(req, peering_id),
        **_told(row),
    }


def _told(row: Row) -> Told:
    told = Told()
    for name in _TOLD:
        if row.get(name):
            told[name] = str(row[name])
    if is_paused(row):
        until = str(row["paused_until"])
        told["paused_until"] = until if until != FOR_EVER else None
    return told
