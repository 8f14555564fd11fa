"""The common part of all steps: facts in, facts or one problem out, never an exception."""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from activities.remote_errors import problem_of, with_fresh_token
from clients.fencing import work_for
from clients.registry import registry
from clients.telemetry import count, measure, note_outcome, span_named
from peering.facts import Facts
from peering.outcome import Outcome, ProblemError, StepRequest, superseded
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.record import Record
from peering.registry import keep_facts
from peering.runs import deterministic_id
from peering.spec import Fence, Peering
from peering.step_names import STEP_NAMES, StepName
from peering.steps import KEPT, REMOVED

log: Final = logging.getLogger("aiven_azure_peering.step")

#: Entra may list a new object late: a recorded one is polled for a minute before it counts as deleted.
LOOKS_IN_DIRECTORY: Final = 12

#: How long, in seconds, a wait relies on the responses of a remote service.
_TOLD_LASTS: Final = 900.0

Step = Callable[[Peering, Facts], Awaitable[Facts]]
Activity = Callable[[StepRequest], Awaitable[Outcome]]


def step(function: Step) -> Activity:
    """Create an activity from a step function."""

    async def activity(request: StepRequest) -> Outcome:
        started = time.perf_counter()
        with span_named(function.__name__) as made:
            made.set_attribute("peering.id", request["peering"]["id"])
            try:
                outcome = await with_fresh_token(partial(_outcome, function, request))
            except Exception as error:
                outcome = {"problem": problem_of(error, function.__name__)}
            code = outcome["problem"]["code"] if "problem" in outcome else None
            note_outcome(made, code, is_final=code is not None and PROBLEMS[code].deadline is None)
        seconds = time.perf_counter() - started
        log.info(
            "step=%s peering=%s outcome=%s seconds=%.3f",
            *(function.__name__, request["peering"]["id"], code or "done", seconds),
        )
        measure("peering.step.duration", seconds, step=function.__name__, outcome=code or "done")
        if request["facts"].get("tries"):
            count("peering.step.polls", step=function.__name__)
        return outcome

    activity.__name__ = activity.__qualname__ = function.__name__
    activity.__doc__ = function.__doc__
    return activity


async def _outcome(function: Step, request: StepRequest) -> Outcome:
    if "fence" in request and not await registry().is_own(request["fence"]):
        return {"problem": superseded()}
    work_for(request.get("fence"))
    facts = await function(request["peering"], {**request["facts"], "call": _call(request)})
    if "fence" in request and (function.__name__ in KEPT or not facts.keys().isdisjoint(REMOVED)):
        await keep(request["fence"], request["facts"], {STEP_NAMES[function.__name__]: facts})
    return {"facts": facts}


def _call(request: StepRequest) -> str:
    """Names a call of a step: another delivery of the same call has the same input, and no other call has it."""
    return deterministic_id("call", json.dumps(request, sort_keys=True))[:8]


def look_again(facts: Facts, looks: int, code: ProblemCode, detail: str) -> None:
    """End this poll, unless enough polls came before: absence counts after so many consistent reads.

    Raises:
        ProblemError: of that code; the orchestrator polls again after some seconds.
    """
    if facts.get("tries", 0) < looks:
        raise ProblemError(code, detail, retry_after=5)


def told_since(facts: Facts) -> float:
    """How old, in seconds, responses may be for a poll: as old as its wait, at most a quarter of an hour.

    More VPCs than Aiven answers for in a minute take several polls.
    """
    if "looked_at" not in facts:
        return 0.0
    waited = datetime.fromisoformat(facts["looked_at"]) - datetime.fromisoformat(facts["waits_since"])
    return min(_TOLD_LASTS, waited.total_seconds())


async def keep(fence: Fence, gathered: Facts, made: Mapping[StepName, Facts]) -> None:
    """Store the facts that steps created in the peering's record immediately, because the response may be lost.

    Args:
        fence: the execution's; the record is that of its peering.
        gathered: the inputs of the steps, and other facts that they found.
        made: the facts that each step yields, by its name.
    """

    def keeping(record: Record | None, now: datetime) -> tuple[Record | None, None]:
        if record is not None:
            keep_facts(record, fence, gathered, made, now.isoformat())
        return record, None

    await registry().change(fence["id"], keeping)
