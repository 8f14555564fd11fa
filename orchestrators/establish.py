"""The whole help article as one workflow, and the same table run again as a repair."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.run import Run, Running
from orchestrators.waiting import attempt
from peering.checks import CheckInput
from peering.health import DRIFT
from peering.outcome import Occurrence, StepRequest
from peering.plan import STEPS, forget, initial_facts
from peering.registry import entity_key
from peering.runs import RunInput


def establish(context: OrchestrationContext) -> Workflow:
    """Connect one VNet to one project VPC.

    Input: `RunInput`. Output and custom status: `Progress`. A run never fails with an exception for what the
    remotes answer: it ends in the state `failed` with the problem at the step that met it.
    """
    run = Run(context, cast("RunInput", context.get_input()), "establish", STEPS)
    yield from run.begin()
    yield from run.drive(initial_facts(run.peering))
    yield from _conclude(run)
    if run.state == "failed" and run.peering["on_failure"] == "rollback" and not _was_connected(run):
        yield from _roll_back(run)
    return run.progress()


def repair(context: OrchestrationContext) -> Workflow:
    """Make true again what a check found untrue: the steps whose facts it forgets run, and no others.

    Input: `RunInput` with `codes`. Output and custom status: `Progress`. A check afterwards verifies it.
    """
    given = cast("RunInput", context.get_input())
    run = Run(context, given, "repair", STEPS)
    yield from run.begin()
    if run.state == "stopped":
        return run.progress()
    forgotten = {fact for code in given.get("codes", []) for fact in DRIFT[code].repair}
    yield from run.drive({**forget(run.known, forgotten, run.peering), "repairing": True})
    yield from _conclude(run)
    yield from verify(run)
    return run.progress()


def _was_connected(run: Run) -> bool:
    """Whether there was a peering that worked before this run: that is not the run's to take away."""
    return "connection_state" in run.known or run.facts.get("found_connection_state") == "ACTIVE"


def _conclude(run: Run) -> Running:
    """Name the end of a run over the article's steps; a connection that failed or is stuck is explained."""
    if run.state == "running":
        run.state = "connected" if run.is_complete else "failed"
    yield from _diagnose(run)
    if run.state != "connected" and run.peering["privilege"] == "setup-only" and "user_role_assignment_id" in run.facts:
        request = StepRequest(peering=run.peering, facts=run.facts)
        yield from attempt(run.context, "release_rights", request, f"{run.given['run']}r", run.given["deadlines"])
    yield from run.end()


def _diagnose(run: Run) -> Running:
    for name in ("pending_peer", "vnet_peering", "connected", "active"):
        step = run.steps.get(name)
        if run.state == "failed" and step is not None and step["state"] == "failed":
            request = StepRequest(peering=run.peering, facts=run.known | run.facts)
            causes = yield run.context.call_activity("diagnose", request)
            symptom = step["problem"]["code"]
            step["problem"]["causes"] = [c for c in cast("list[Occurrence]", causes) if c["code"] != symptom]


def _roll_back(run: Run) -> Running:
    """Take away what the failed run has made; its problem stays to be seen."""
    run.state = "rolling-back"
    run.report()
    removal = RunInput(**{**run.given, "run": f"{run.given['run']}b"})
    instance = f"{run.context.instance_id}:{removal['run']}"
    ended = cast("dict[str, object]", (yield run.context.call_sub_orchestrator("remove", removal, instance)))
    run.state = "rolled-back" if ended["state"] == "removed" else "failed"
    run.report()


def verify(run: Run) -> Running:
    """Check the peering again, without repairing: whether what was done has helped."""
    peering = run.peering
    key = entity_key(peering["project"], peering["project_vpc_id"])
    check = CheckInput(only={"key": key, "id": peering["id"]}, repairs=False, deadlines=run.given["deadlines"])
    instance = f"{run.context.instance_id}:{run.given['run']}:verify"
    yield run.context.call_sub_orchestrator("check_health", check, instance)
