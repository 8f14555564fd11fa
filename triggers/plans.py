"""Plans: what a start or a removal would do, according to its preflight; nothing is changed."""

import azure.functions as func
from typing_extensions import TypedDict

from clients.registry import registry
from peering.dry_run import OptionChange, PlannedStep, Result, changes_of_notes, plan_of
from peering.facts import Facts
from peering.record import Record
from peering.removal_plan import RemovalResult, RemovedObject, removal_plan_of
from peering.spec import Peering
from triggers.documents.answers import json_answer
from triggers.documents.problem_documents import ProblemDocument, occurrence_document
from triggers.orders import Noting


class PlanDocument(TypedDict):
    """What a start would do. Obstacles stop it; it waits for transient ones."""

    id: str
    peering: Peering
    result: Result
    steps: list[PlannedStep]
    changes: list[OptionChange]
    obstacles: list[ProblemDocument]
    waits: list[ProblemDocument]
    warnings: list[str]
    facts: Facts


class RemovalPlanDocument(TypedDict):
    """What a removal would do. Obstacles stop it; it waits for transient ones."""

    id: str
    peering: Peering
    result: RemovalResult
    steps: list[RemovedObject]
    obstacles: list[ProblemDocument]
    waits: list[ProblemDocument]
    warnings: list[str]


async def plan_of_start(peering: Peering, noting: Noting) -> func.HttpResponse:
    """What a start would do.

    Args:
        peering: the requested peering.
        noting: what the request also changes of an existing record.
    """
    from activities.looks.start import facts_of, look

    record = await registry().record(peering["id"])
    notes = _notes(record, noting) if record is not None else []
    outcomes = await look(peering, record["facts"] if record else {})
    problems = [outcome["problem"] for outcome in outcomes.values() if "problem" in outcome]
    plan = plan_of(peering, facts_of(outcomes), problems, record, notes)
    document = PlanDocument(
        id=peering["id"],
        peering=peering,
        result=plan["result"],
        steps=plan["steps"],
        changes=plan["changes"],
        obstacles=[occurrence_document(one) for one in plan["obstacles"]],
        waits=[occurrence_document(one) for one in plan["waits"]],
        warnings=plan["warnings"],
        facts=plan["facts"],
    )
    return json_answer(document)


def _notes(record: Record, noting: Noting) -> list[OptionChange]:
    noted = record.copy()
    noting(noted)
    return changes_of_notes(record, noted)


async def plan_of_removal(record: Record) -> func.HttpResponse:
    """What a removal would do."""
    from activities.looks.removal import look_at_removal

    plan = removal_plan_of(record, await look_at_removal(record))
    document = RemovalPlanDocument(
        id=record["peering"]["id"],
        peering=record["peering"],
        result=plan["result"],
        steps=plan["steps"],
        obstacles=[occurrence_document(one) for one in plan["obstacles"]],
        waits=[occurrence_document(one) for one in plan["waits"]],
        warnings=plan["warnings"],
    )
    return json_answer(document)
