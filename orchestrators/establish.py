"""The whole procedure of the help article as one workflow, and the same table as a repair."""

from orchestrators.lost import reliably
from orchestrators.remove import take_away
from orchestrators.run import CurrentRun, Running, check_order
from orchestrators.waiting import attempt
from peering.calls import DIAGNOSE, RELEASE_RIGHTS
from peering.drift import DRIFT
from peering.facts import Facts, only
from peering.outcome import StepRequest
from peering.steps import REMOVED, STEPS, forget, initial_facts


def establish(run: CurrentRun) -> Running:
    """Connect one VNet to one project VPC.

    A run never fails with an exception because of a remote service: it ends in the state `failed` with the problem of
    the step that met it. A run that was interrupted during its rollback continues the rollback.
    """
    if run.order.get("phase") != "rolling-back":
        yield from run.drive(STEPS, initial_facts(run.peering), looks_ahead=True)
        yield from _explain(run)
    else:
        run.state = "failed"
    goes_back = run.state == "failed" and run.peering["on_failure"] == "rollback" and not _was_connected(run)
    if goes_back:
        yield from _roll_back(run)
    yield from run.conclude(drop=run.state == "rolled-back")


def repair(run: CurrentRun) -> Running:
    """Repair what a check found: the steps whose facts it discards run, and no others.

    A check afterwards verifies it: an order of its own, which replaces this one.
    """
    forgotten = {fact for code in run.order.get("codes", []) for fact in DRIFT[code].repair}
    yield from run.drive(STEPS, {**forget(run.known, forgotten, run.peering), "repairing": True}, looks_ahead=True)
    yield from _explain(run)
    yield from run.conclude(then=check_order(run))


def _was_connected(run: CurrentRun) -> bool:
    """Whether a working peering existed before this run: the run must not remove it."""
    found = run.facts.get("found_connection_state") == "ACTIVE" and not run.has_requested_connection
    return found or "connection_state" in run.known


def _explain(run: CurrentRun) -> Running:
    """The final state of a run of the article's steps; a failed or stuck connection is diagnosed."""
    if run.state == "running":
        run.state = "connected" if run.is_complete else "failed"
    yield from _diagnose(run)
    if run.state == "failed":
        yield from release_rights(run, run.facts)


def release_rights(run: CurrentRun, facts: Facts) -> Running:
    """With `setup-only`: remove the created application's role, if it was assigned."""
    if run.peering["privilege"] == "setup-only" and "user_role_assignment_id" in facts:
        yield from run.fence_off()
        if run.is_superseded:
            return
        yield from attempt(run.context, RELEASE_RIGHTS, run.request(facts), f"{run.execution}r", run.deadlines)


def _diagnose(run: CurrentRun) -> Running:
    for name in ("pending_peer", "vnet_peering", "connected", "active"):
        step = run.steps.get(name)
        if run.state == "failed" and step is not None and step["state"] == "failed":
            request = StepRequest(peering=run.peering, facts=run.known | run.facts)
            causes = yield from reliably(run.context, DIAGNOSE, request)
            symptom = step["problem"]["code"]
            step["problem"]["causes"] = [c for c in causes if c["code"] != symptom]


def _roll_back(run: CurrentRun) -> Running:
    """Remove what the failed run has created; its problem is kept."""
    steps, facts = run.steps, run.facts
    run.state = "rolling-back"
    yield from run.enter_phase("rolling-back")
    if run.is_superseded:
        return
    run.known |= facts
    run.state = "running"
    gone = yield from take_away(run)
    if not run.is_superseded:
        run.state = "rolled-back" if gone else "failed"
    back = {name: step for name, step in run.steps.items() if run.state == "failed"}
    run.steps, run.facts = back | steps, facts | only(run.facts, REMOVED)
