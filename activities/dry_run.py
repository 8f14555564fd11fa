"""The dry run: the looks that a start or a removal begins with, without Durable Functions. Nothing is changed."""

import asyncio
from importlib import import_module

from activities.blueprint import MODULES
from activities.step import Activity
from clients.settings import settings
from peering.checks import Neighbours
from peering.look import PrincipalLook, if_seen
from peering.outcome import Facts, Occurrence, StepRequest
from peering.plan import LOOKS, Step, ready
from peering.registry import Record
from peering.spec import Peering


async def look(peering: Peering, known: Facts) -> tuple[Facts, list[Occurrence]]:
    """Do every look that can be done; returns the facts gathered and the problems met.

    Args:
        peering: what is asked for.
        known: what earlier runs gathered.
    """
    facts, problems, begun = Facts(), list[Occurrence](), list[str]()
    while wave := list(ready(LOOKS, facts, begun)):
        begun += [step.name for step in wave]
        outcomes = await asyncio.gather(*(_activity(step)(_request(peering, step, facts, known)) for step in wave))
        for outcome in outcomes:
            facts |= outcome.get("facts", {})
            problems += [outcome["problem"]] if "problem" in outcome else []
    return facts, problems


async def look_at_removal(
    record: Record,
) -> tuple[Facts, Neighbours, PrincipalLook | None, list[Occurrence]]:
    """Look at what a removal looks at first: what is there, who shares it, and the platform's service principal."""
    from activities.directory_looks import principals
    from activities.looking import part
    from activities.neighbours import neighbours_of
    from activities.removal import belongings

    peering, platform = record["peering"], str(settings().platform_application_id)
    outcome, shared, seen = await asyncio.gather(
        belongings(StepRequest(peering=peering, facts=record["facts"])),
        neighbours_of(peering),
        part(lambda: principals([platform])),
    )
    problems = [found["problem"] for found in (outcome, seen) if "problem" in found]
    held = if_seen(seen) or {}
    return outcome.get("facts", {}), shared, held.get(platform), problems


def _activity(step: Step) -> Activity:
    module = next(module for module, names in MODULES.items() if step.name in names)
    activity: Activity = getattr(import_module(f"activities.{module}"), step.name)
    return activity


def _request(peering: Peering, step: Step, facts: Facts, known: Facts) -> StepRequest:
    recalled = {name: known[name] for name in (*step.yields, *step.recalls) if name in known}
    return StepRequest(peering=peering, facts=recalled | {name: facts[name] for name in step.needs})
