"""The dry run: the looks that a start begins with, done side by side without Durable Functions. Nothing is changed."""

import asyncio
from importlib import import_module

from activities.blueprint import MODULES
from activities.step import Activity
from peering.outcome import Facts, Occurrence, StepRequest
from peering.plan import LOOKS, Step, ready
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


def _activity(step: Step) -> Activity:
    module = next(module for module, names in MODULES.items() if step.name in names)
    activity: Activity = getattr(import_module(f"activities.{module}"), step.name)
    return activity


def _request(peering: Peering, step: Step, facts: Facts, known: Facts) -> StepRequest:
    recalled = {name: known[name] for name in (*step.yields, *step.recalls) if name in known}
    return StepRequest(peering=peering, facts=recalled | {name: facts[name] for name in step.needs})
