"""A new credential for the created application, proven to work in both tenants before the old one goes."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.establish import verify
from orchestrators.run import Run
from peering.outcome import StepRequest
from peering.plan import ROTATION
from peering.runs import RunInput

_OLD = ("credential", "secret_name", "secret_version", "secret_expires")


def rotate(context: OrchestrationContext) -> Workflow:
    """Rotate a peering's password, or go from a password to a federated credential and back.

    Input: `RunInput`. Output and custom status: `Progress`. A candidate that could not be proven is removed again, so
    the old credential stays the only one.
    """
    given = cast("RunInput", context.get_input())
    run = Run(context, given, "rotate", ROTATION)
    yield from run.begin()
    kept = {name: value for name, value in run.known.items() if name not in _OLD}
    wanted = given.get("credential", run.peering["credential"])
    yield from run.drive({**kept, "rotation": {"run": given["run"], "credential": wanted}})
    if run.state == "running":
        run.state = "rotated" if run.is_complete else "failed"
    if run.state != "rotated" and "credential_proven" not in run.facts and "candidate" in run.facts:
        request = StepRequest(peering=run.peering, facts=run.facts)
        yield context.call_activity("discard_credential", request)
    run.facts = {n: v for n, v in run.facts.items() if n not in ("rotation", "candidate", "credential_proven")}
    yield from run.end()
    yield from verify(run)
    return run.progress()
