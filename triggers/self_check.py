"""`GET /api/self-check`: what an operator needs to know about the app after a deployment."""

import os
from typing import TYPE_CHECKING, NotRequired

import azure.functions as func
from typing_extensions import TypedDict

from clients.durable import DurableClient
from clients.registry.rows import vpc_of
from peering.aiven_vpc import AivenVpc, Kind
from peering.naming import VNetId, folded
from peering.outcome import Occurrence
from peering.version import VERSION
from triggers.documents.answers import json_answer
from triggers.documents.problem_documents import FieldError, InvalidRequestError, ProblemDocument, occurrence_document
from triggers.lists import all_columns
from triggers.requests.queries import SelfCheckQuery, query_of
from triggers.schedules import faults
from triggers.timers import Timer

if TYPE_CHECKING:
    from activities.self_check import CheckedPart, Setting


class SettingDocument(TypedDict):
    """An app setting: whether it is set and required, and what is wrong with it. Never its value."""

    name: str
    description: str
    is_set: bool
    is_needed: bool
    problem: NotRequired[ProblemDocument]


class CheckDocument(TypedDict):
    """One check: whether it passed, what was found, and what is wrong."""

    name: str
    state: str
    detail: str
    problems: NotRequired[list[ProblemDocument]]


class SelfCheck(TypedDict):
    """The app's settings, identity and rights; `ok` if nothing is wrong. Further checks need valid settings."""

    ok: bool
    version: str
    settings: list[SettingDocument]
    checks: list[CheckDocument]


async def check_app(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/self-check`: the app's identity, settings, vault, registry, rights and token, each with its remedy."""
    from activities.self_check import check_settings, look_at_app

    query = query_of(req, SelfCheckQuery)
    owners, vnets = await _asked_about(query)
    settings = list(check_settings())
    sound = not any("problem" in setting for setting in settings)
    documents = [*map(_setting, settings), *(_schedule(timer, fault) for timer, fault in faults())]
    checks = await look_at_app(owners, vnets) if sound else []
    document = SelfCheck(
        ok=not any("problem" in one for one in documents) and not any(one["state"] == "problem" for one in checks),
        version=VERSION,
        settings=documents,
        checks=[_check(check) for check in checks],
    )
    return json_answer(document)


def _setting(setting: "Setting") -> SettingDocument:
    document = SettingDocument(
        name=setting["name"],
        description=setting["description"],
        is_set=setting["is_set"],
        is_needed=setting["is_needed"],
    )
    if "problem" in setting:
        document["problem"] = occurrence_document(setting["problem"])
    return document


def _schedule(timer: Timer, fault: Occurrence | None) -> SettingDocument:
    is_set = bool(os.environ.get(timer.setting))
    document = SettingDocument(name=timer.setting, description=timer.description, is_set=is_set, is_needed=False)
    if fault is not None:
        document["problem"] = occurrence_document(fault)
    return document


def _check(check: "CheckedPart") -> CheckDocument:
    document = CheckDocument(name=check["name"], state=check["state"], detail=check["detail"])
    if "problems" in check:
        document["problems"] = [occurrence_document(one) for one in check["problems"]]
    return document


async def _asked_about(query: SelfCheckQuery) -> tuple[list[AivenVpc], list[str]]:
    """The owners of VPCs and the VNets to check: those of the request, and those that have peerings."""
    if query.vnet_id is not None:
        try:
            VNetId.parse(query.vnet_id)
        except ValueError as error:
            raise InvalidRequestError([FieldError(field="vnet_id", rule=str(error))]) from None
    try:
        rows = await all_columns()
    except Exception:  # the registry's own check says why
        rows = []
    requested: dict[Kind, str | None] = {"project": query.project, "organization": query.organization_id}
    owners = [AivenVpc(kind, owner, "") for kind, owner in requested.items() if owner is not None]
    owners += [vpc_of(row)._replace(id="") for row in rows]
    vnets = [*([query.vnet_id] if query.vnet_id is not None else []), *(str(row["vnet_id"]) for row in rows)]
    # The requested ones come first; each is checked once.
    distinct_vnets = {folded(one): one for one in vnets}
    distinct_owners = {(one.kind, folded(one.owner)): one for one in owners}
    return list(distinct_owners.values()), list(distinct_vnets.values())
