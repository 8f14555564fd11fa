"""The activity that checks one peering."""

from functools import partial

from activities.checks.verdicts import confirmed, judged, problems_of, tell
from activities.looks.peering import look_of_peering
from clients.registry import registry
from peering.checks import CheckOne, Found
from peering.record import is_busy
from peering.verdicts import Checked


async def check_one(given: CheckOne) -> Found:
    """Look at one peering, judge it, and write the verdict; a peering that a run is at work on is left alone."""
    record = await registry().record(given["id"])
    if record is None or is_busy(record):
        return Found(repairs=[], undelivered=False)
    look = await look_of_peering(record["peering"], record["facts"])
    problems = await confirmed(record, problems_of(record, look, given["at"]), given["at"])
    checked = Checked(revision=record["revision"], problems=problems)
    outcome = await registry().change(given["id"], partial(judged, checked, given["at"]), health=True)
    tell(given["id"], outcome)
    return Found(repairs=outcome.repair, undelivered=outcome.undelivered)
