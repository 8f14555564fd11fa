"""What all steps have in common: facts in, facts or one problem out, never an exception."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from activities.remote_errors import Meanings, occurrence_of
from clients.credentials import automation_credential
from clients.registry import registry
from peering.outcome import Facts, Occurrence, Outcome, StepRequest
from peering.plan import KEPT, OBJECTS, OF_THE_RUN
from peering.registry import Record, note_origins
from peering.spec import Fence, Peering

log: Final = logging.getLogger("aiven_azure_peering.step")

#: Answers that a token from before a right was granted would give as well.
_STALE_TOKEN: Final = frozenset(
    {
        "automation-not-authorized",
        "automation-graph-permission-missing",
        "vault-access-denied",
        "registry-access-denied",
    }
)


Step = Callable[[Peering, Facts], Awaitable[Facts]]
Activity = Callable[[StepRequest], Awaitable[Outcome]]


def step(meanings: Mapping[str, str] | None = None) -> Callable[[Step], Activity]:
    """Make an activity of a step function.

    Args:
        meanings: which problem this step takes a remote's code for, where the catalogue says otherwise.
    """

    def wrap(function: Step) -> Activity:
        async def activity(request: StepRequest) -> Outcome:
            started = time.perf_counter()
            outcome = await _outcome(function, request, meanings or {})
            log.info(
                "step=%s peering=%s outcome=%s seconds=%.3f",
                function.__name__,
                request["peering"]["id"],
                outcome["problem"]["code"] if "problem" in outcome else "done",
                time.perf_counter() - started,
            )
            return outcome

        activity.__name__ = activity.__qualname__ = function.__name__
        activity.__doc__ = function.__doc__
        return activity

    return wrap


async def _outcome(function: Step, request: StepRequest, meanings: Meanings) -> Outcome:
    try:
        if "fence" in request and not await registry().is_own(request["fence"]):
            return {"problem": Occurrence(code="run-superseded", detail="The order is another one now.")}
        facts = await function(request["peering"], request["facts"])
        if "fence" in request and function.__name__ in KEPT:
            gathered = {name: value for name, value in request["facts"].items() if name not in OF_THE_RUN}
            await _keep(request["fence"], function.__name__, gathered, facts)
    except Exception as error:
        occurrence = occurrence_of(error, meanings)
        if occurrence is None:
            log.exception("step=%s peering=%s", function.__name__, request["peering"]["id"])
            occurrence = Occurrence(code="unexpected-error", detail=type(error).__name__)
        if occurrence["code"] in _STALE_TOKEN:
            automation_credential().forget()
        return {"problem": occurrence}
    else:
        return {"facts": facts}


async def _keep(fence: Fence, name: str, gathered: Facts, made: Facts) -> None:
    """Put what a step made into the peering's record at once, for the answer may be lost; and what it was made of."""

    def keeping(record: Record | None, now: datetime) -> tuple[Record | None, None]:
        if record is not None:
            record["facts"] = gathered | record["facts"] | made
            # Before another execution takes for found what this one has made.
            if name in OBJECTS:
                note_origins(record, now.isoformat())
        return record, None

    await registry().change(fence["id"], keeping)
