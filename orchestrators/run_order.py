"""The one orchestrator of a peering: it carries out the order that it reads in the peering's record.

Its instance id is the peering's id, so the engine runs one of it at a time. Which order is carried out, the record
decides: a start without an open order ends at once, and whoever ends an order looks for the next one.
"""

from collections.abc import Callable, Generator
from typing import Final, cast

from orchestrators.durable import OrchestrationContext, Task, Workflow
from orchestrators.establish import establish, release_rights, repair
from orchestrators.lost import LostError, reliably
from orchestrators.remove import remove
from orchestrators.rotate import rotate
from orchestrators.run import Run, Running, repair_order
from orchestrators.waiting import attempt
from peering.checks import CheckOne, Found
from peering.orders import Taken, Taking
from peering.steps import Operation
from peering.webhook import Delivery


def cancel(run: Run) -> Running:
    """End with what is there: the run whose place was taken has stopped."""
    yield from release_rights(run, run.known)
    yield from _retire_unknown_credentials(run)
    run.state = "stopped"
    yield from run.conclude()


def check(run: Run) -> Running:
    """Check the peering; a repair that follows is an order of its own, put in the place of this one."""
    if "" < run.unsettled < run.started and (yield from _retire_unknown_credentials(run)):
        run.settled = run.started
    asked = CheckOne(id=run.peering["id"], at=run.context.current_utc_datetime.isoformat())
    found = cast("Found", (yield from reliably(run.context, "check_one", asked)))
    run.state = "checked"
    repairs = found["repairs"] if run.order.get("repairs", True) else []
    yield from run.conclude(then=repair_order(run, repairs) if repairs else None)
    if found["undelivered"]:
        delivery = Delivery(id=run.peering["id"], deadlines=run.deadlines, after="")
        yield from reliably(run.context, "begin_delivery", delivery)


def _retire_unknown_credentials(run: Run) -> Generator[Task, object, bool]:
    """Remove what a run that was broken off may have made without anybody's knowledge; returns whether none is left."""
    # An application that was taken over has its own credential, until the app has rotated it.
    own = run.known.get("existing") != "adopted" or "credential" in run.known
    if "application_object_id" not in run.known or not own:
        return True
    request = run.request(run.known)
    outcome = yield from attempt(run.context, "retire_unknown_credentials", request, f"{run.execution}u", run.deadlines)
    return "problem" not in outcome


OPERATIONS: Final[dict[Operation, Callable[[Run], Running]]] = {
    "establish": establish,
    "repair": repair,
    "rotate": rotate,
    "remove": remove,
    "check": check,
    "cancel": cancel,
}


def run_order(context: OrchestrationContext) -> Workflow:
    """Carry out the open order of a peering, and after it the next one.

    Input: `{"id": ...}`, the peering's. Output: what was left to do; the outcome is in the registry. An order whose
    calls the platform loses again and again stays open, and is resumed.
    """
    given, execution = cast("dict[str, str]", context.get_input()), context.new_uuid().replace("-", "")[:12]
    taking = Taking(id=given["id"], execution=execution, at=context.current_utc_datetime.isoformat())
    try:
        taken = cast("Taken | None", (yield from reliably(context, "take_order", taking)))
        if taken is None:
            return "no open order"
        yield from OPERATIONS[taken["order"]["operation"]](Run(context, taken, execution))
    except LostError as error:
        return f"to be resumed: {error}"
    context.continue_as_new(given)
    return None
