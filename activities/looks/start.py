"""All preflight steps of a start, in one activity: each begins when its needs are known."""

import asyncio
from importlib import import_module

from activities.blueprint import MODULES
from activities.looks.ahead import Read, begun
from activities.remote_errors import occurrence_of
from activities.step import Activity, keep
from clients.registry import registry
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts, only
from peering.naming import VNetId, secret_name
from peering.outcome import LookRequest, Looks, Outcome, StepRequest, superseded
from peering.spec import Peering
from peering.step_names import StepName
from peering.steps import KEPT, LOOKS, Step, is_needless, ready
from peering.unfit import chosen_role_names


async def look_ahead(request: LookRequest) -> Looks:
    """Run every preflight step that can run, and store the facts that are to be stored.

    If a step ends with a problem, the steps that need its facts are left out.

    Returns:
        The outcome of each step; or a problem, if the registry fails or another order has superseded this one.
    """
    fence = request["fence"]
    try:
        if not await registry().is_own(fence):
            return {"problem": superseded()}
        outcomes = await look(request["peering"], request["known"], request["facts"])
        if kept := {name: one["facts"] for name, one in outcomes.items() if name in KEPT and "facts" in one}:
            await keep(fence, request["facts"] | facts_of(outcomes), kept)
    except Exception as error:
        problem = occurrence_of(error)
        if problem is None:
            raise
        return {"problem": problem}
    return outcomes


async def look(peering: Peering, known: Facts, facts: Facts | None = None) -> dict[StepName, Outcome]:
    """Run every preflight step that can run; returns the outcome of each.

    Args:
        peering: what is asked for.
        known: what earlier runs gathered.
        facts: what this run has gathered.
    """
    gathered, outcomes = Facts(**(facts or {})), dict[StepName, Outcome]()
    under_way: dict[asyncio.Future[Outcome], StepName] = {}
    started: set[str] = set()
    wanted = [step.name for step in LOOKS if not is_needless(step, gathered)]
    async with begun(read for name in wanted for read in _reads(name, peering)):
        while True:
            for step in ready(LOOKS, gathered, started):
                started.add(step.name)
                under_way[asyncio.ensure_future(_activity(step)(_request(peering, step, gathered, known)))] = step.name
            if not under_way:
                return {step.name: outcomes[step.name] for step in LOOKS if step.name in outcomes}
            ended, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                outcome = outcomes[under_way.pop(task)] = task.result()
                if "facts" in outcome:
                    gathered |= outcome["facts"]


def _reads(name: StepName, peering: Peering) -> list[Read]:
    """The reads of a step that depend only on the request: they need not wait for earlier steps."""
    from activities.looks import own_rights, remotes, vault_rights
    from activities.steps import aiven, holds, inventory

    vnet, vpc = VNetId.parse(peering["vnet_id"]), AivenVpc.of(peering)
    by_step: dict[StepName, list[Read]] = {
        "project_vpc": [(aiven.read_vpc, (vpc,))],
        "vnet": [(remotes.vnet, (str(vnet),))],
        "price": [(aiven.hourly_prices, (vpc,))],
        "inventory": [
            (inventory.own_directory, (peering["id"],)),
            (remotes.assignments, (str(vnet),)),
            (remotes.custom_roles, (str(vnet),)),
            *((remotes.roles_named, (str(vnet), name)) for name in chosen_role_names(peering)),
            (remotes.one_secret, (secret_name(peering["id"]),)),
        ],
        "automation_rights": [
            (own_rights.permissions_on_vnet, (str(vnet),)),
            (own_rights.lacking_in_aiven, (vpc,)),
            (vault_rights.look_at_vault, ()),
        ],
        "limits": [(remotes.assignments_in_subscription, (vnet.subscription_id,))],
        "holds": [(holds.held_by, (str(vnet),)), (holds.denying, (str(vnet),))],
    }
    return by_step.get(name, [])


def facts_of(outcomes: dict[StepName, Outcome]) -> Facts:
    """All facts that steps have collected."""
    gathered: Facts = {}
    for outcome in outcomes.values():
        if "facts" in outcome:
            gathered |= outcome["facts"]
    return gathered


def _activity(step: Step) -> Activity:
    module = next(module for module, names in MODULES.items() if step.name in names)
    activity: Activity = getattr(import_module(f"activities.{module}"), step.name)
    return activity


def _request(peering: Peering, step: Step, facts: Facts, known: Facts) -> StepRequest:
    recalled = only(known, (*step.yields, *step.recalls))
    return StepRequest(peering=peering, facts=recalled | only(facts, (*step.recalls, *step.needs)))
