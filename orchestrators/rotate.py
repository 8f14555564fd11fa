"""A new credential for the created application, proven to work in both tenants before the old one goes."""

from typing import cast

from orchestrators.lost import note_lost
from orchestrators.run import Run, Running, check_order
from orchestrators.waiting import attempt
from peering.outcome import Facts
from peering.plan import ROTATION

_OLD = ("credential", "secret_name", "secret_version", "secret_expires", "secret_key_id")


def rotate(run: Run) -> Running:
    """Rotate a peering's password, or go from a password to a federated credential and back.

    A candidate that could not be proven is removed again, so the old credential stays the only one; one that was proven
    is in use, whatever becomes of the old one.
    """
    kept = {name: value for name, value in run.known.items() if name not in _OLD}
    wanted = run.order.get("credential", run.peering["credential"])
    yield from run.drive(ROTATION, {**kept, "rotation": {"run": run.run, "credential": wanted}})
    if run.state == "running":
        run.state = "rotated" if run.is_complete else "failed"
    candidate = cast("Facts", run.facts.get("candidate", {}))
    if "credential_proven" in run.facts:
        run.facts |= candidate
    elif candidate and not (candidate["credential"] == run.known.get("credential") == "federated"):
        discarded = yield from attempt(
            run.context, "discard_credential", run.request(run.facts), f"{run.execution}d", run.deadlines
        )
        if "problem" in discarded:
            # A later check looks for what is left.
            yield from note_lost(run.context, run.peering["id"])
    yield from run.conclude(then=check_order(run))
