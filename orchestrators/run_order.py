"""The one orchestrator of a peering: it carries out the order that it reads in the peering's record.

Its instance id is the peering's id, so the engine runs one of it at a time. Which order is carried out, the record
decides: a start without an open order ends at once, and an execution that ends an order then reads the next one.
"""

from collections.abc import Callable
from typing import Final

from orchestrators.durable import StartedWith, Workflow
from orchestrators.establish import establish, release_rights, repair
from orchestrators.lost import LostError, reliably
from orchestrators.remove import remove
from orchestrators.rotate import rotate
from orchestrators.run import CurrentRun, Running, new_execution, repair_order
from orchestrators.waiting import attempt
from peering.calls import BEGIN_DELIVERY, CHECK_ONE, RETIRE_UNKNOWN_CREDENTIALS, TAKE_ORDER, Whose
from peering.checks import CheckOne
from peering.orders import Taking
from peering.steps import Operation
from peering.webhook import Delivery


def cancel(run: CurrentRun) -> Running:
    """End with the existing objects: the superseded run has stopped."""
    yield from release_rights(run, run.known)
    yield from _retire_unknown_credentials(run)
    run.state = "stopped"
    yield from run.conclude()


def check(run: CurrentRun) -> Running:
    """Check the peering; a resulting repair is an order of its own, which replaces this one."""
    if "" < run.unsettled < run.started and (yield from _retire_unknown_credentials(run)):
        run.settled = run.started
    asked = CheckOne(id=run.peering["id"], at=run.context.current_utc_datetime.isoformat())
    if "trace" in run.order:
        asked["trace"] = run.order["trace"]
    found = yield from reliably(run.context, CHECK_ONE, asked)
    run.state = "checked"
    repairs = found["repairs"] if run.order.get("repairs", True) else []
    yield from run.conclude(then=repair_order(run, repairs) if repairs else None)
    if found["undelivered"]:
        delivery = Delivery(id=run.peering["id"], deadlines=run.deadlines, after="")
        yield from reliably(run.context, BEGIN_DELIVERY, delivery)


def _retire_unknown_credentials(run: CurrentRun) -> Workflow[bool]:
    """Remove credentials that an interrupted run may have created unrecorded; returns whether none is left."""
    # An adopted application keeps its owner's credential until the app has rotated it.
    own = run.known.get("existing") != "adopted" or "credential" in run.known
    if "application_object_id" not in run.known or not own:
        return True
    request = run.request(run.known)
    outcome = yield from attempt(run.context, RETIRE_UNKNOWN_CREDENTIALS, request, f"{run.execution}u", run.deadlines)
    return "problem" not in outcome


OPERATIONS: Final[dict[Operation, Callable[[CurrentRun], Running]]] = {
    "establish": establish,
    "repair": repair,
    "rotate": rotate,
    "remove": remove,
    "check": check,
    "cancel": cancel,
}


def run_order(context: StartedWith[Whose]) -> Workflow[str | None]:
    """Carry out the open order of a peering, and after it the next one.

    Input: `Whose`. Output: what was left to do; the outcome is in the registry. An order whose
    calls the platform loses again and again stays open, and is resumed.
    """
    given, execution = context.get_input(), new_execution(context)
    taking = Taking(id=given["id"], execution=execution, at=context.current_utc_datetime.isoformat())
    if "trace" in given:
        taking["trace"] = given["trace"]
    try:
        taken = yield from reliably(context, TAKE_ORDER, taking)
        if taken is None:
            return "no open order"
        yield from OPERATIONS[taken["order"]["operation"]](CurrentRun(context, taken, execution))
    except LostError as error:
        return f"to be resumed: {error}"
    context.continue_as_new(given)
    return None
