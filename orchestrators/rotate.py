"""A new credential for the created application, proven to work in both tenants before the old one goes."""

from typing import cast

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.establish import verify
from orchestrators.run import Run
from orchestrators.waiting import attempt
from peering.outcome import Facts, StepRequest
from peering.plan import ROTATION
from peering.runs import RunInput

_OLD = ("credential", "secret_name", "secret_version", "secret_expires", "secret_key_id")


def rotate(context: OrchestrationContext) -> Workflow:
    """Rotate a peering's password, or go from a password to a federated credential and back.

    Input: `RunInput`. Output and custom status: `Progress`. A candidate that could not be proven is removed again, so
    the old credential stays the only one; one that was proven is in use, whatever becomes of the old one.
    """
    given = cast("RunInput", context.get_input())
    run = Run(context, given, "rotate", ROTATION)
    yield from run.begin()
    if run.state == "stopped":
        return run.progress()
    kept = {name: value for name, value in run.known.items() if name not in _OLD}
    wanted = given.get("credential", run.peering["credential"])
    yield from run.drive({**kept, "rotation": {"run": given["run"], "credential": wanted}})
    if run.state == "running":
        run.state = "rotated" if run.is_complete else "failed"
    candidate = cast("Facts", run.facts.get("candidate", {}))
    if "credential_proven" in run.facts:
        run.facts |= candidate
    elif candidate and not (candidate["credential"] == run.known.get("credential") == "federated"):
        request = StepRequest(peering=run.peering, facts=run.facts)
        yield from attempt(context, "discard_credential", request, f"{given['run']}d", given["deadlines"])
    run.facts = {n: v for n, v in run.facts.items() if n not in ("rotation", "candidate", "credential_proven")}
    yield from run.end()
    yield from verify(run)
    return run.progress()
