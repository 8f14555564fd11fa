"""The activity that checks one peering."""

from functools import partial
from typing import Final

from activities.checks.verdicts import confirmed, judged, problems_of, tell
from activities.looks.peering import look_of_peering
from clients.registry import registry
from peering.checks import CheckFound, CheckOne
from peering.record import Record, is_busy
from peering.verdicts import Checked, Judged

#: How often a check is repeated if the record changes meanwhile.
_LOOKS: Final = 3


async def check_one(given: CheckOne) -> CheckFound:
    """Check one peering, and write the verdict; a peering with a current run is skipped."""
    outcome = Judged(outdated=True)
    for _ in range(_LOOKS):
        record = await registry().record(given["id"])
        if record is None or is_busy(record):
            break
        outcome = await _checked(record, given["at"])
        # Labels or a pause may have changed meanwhile: a requested check ends with a verdict nonetheless.
        if not outcome.outdated:
            break
    return CheckFound(repairs=outcome.repair, undelivered=outcome.undelivered)


async def _checked(record: Record, at: str) -> Judged:
    peering_id, look = record["peering"]["id"], await look_of_peering(record["peering"], record["facts"])
    problems = await confirmed(record, problems_of(record, look, at), at)
    checked = Checked(revision=record["revision"], problems=problems)
    outcome = await registry().change(peering_id, partial(judged, checked, at), health=True)
    tell(peering_id, outcome)
    return outcome
