"""The looks that a removal begins with, without Durable Functions. Nothing is changed."""

import asyncio

from clients.settings import settings
from peering.checks import Neighbours
from peering.look import PrincipalLook, if_seen
from peering.outcome import Facts, Occurrence, StepRequest
from peering.registry import Record


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
