"""A new credential for the created application, verified in both tenants before the old one is removed."""

from orchestrators.lost import note_lost
from orchestrators.run import CurrentRun, Running, check_order
from orchestrators.waiting import attempt
from peering.calls import DISCARD_CREDENTIAL
from peering.facts import CredentialFacts, without
from peering.steps import CREDENTIAL, REMOVED, ROTATION


def rotate(run: CurrentRun) -> Running:
    """Rotate a peering's password, or change from a password to a federated credential and back.

    A candidate that could not be verified is removed, so the old credential stays the only one. A verified one is used,
    even if the old one cannot be removed. So is an unverified one, if there is no other credential.
    """
    kept = without(run.known, {*CREDENTIAL, *REMOVED})
    wanted = run.order.get("credential", run.peering["credential"])
    yield from run.drive(ROTATION, {**kept, "rotation": {"run": run.run, "credential": wanted}})
    if run.state == "running":
        run.state = "rotated" if run.is_complete else "failed"
    candidate = run.facts.get("candidate", CredentialFacts())
    if "credential_proven" in run.facts:
        run.facts = {**run.facts, **candidate}
    elif candidate and not (candidate["credential"] == run.known.get("credential") == "federated"):
        yield from _discard(run)
    yield from run.conclude(then=check_order(run))


def _discard(run: CurrentRun) -> Running:
    """Remove the candidate; a late call creates no other one."""
    yield from run.fence_off()
    if run.is_superseded:
        return
    request = run.request(run.facts)
    discarded = yield from attempt(run.context, DISCARD_CREDENTIAL, request, f"{run.execution}d", run.deadlines)
    if "problem" in discarded:
        # A later check removes what is left.
        yield from note_lost(run.context, run.peering["id"])
    else:
        run.facts |= discarded["facts"]
