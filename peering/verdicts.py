"""How a check changes the record of a peering: its verdict, the repairs that are due, the events."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import TypedDict

from peering.drift import BLOCKERS, DRIFT, verdict_of
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.record import (
    Attempt,
    Change,
    Finding,
    Health,
    Record,
    is_busy,
    is_paused,
    is_watched,
    last_completed,
)


class Checked(TypedDict):
    """What a check found out about one peering, as of a revision of its record."""

    revision: int
    problems: list[Occurrence]


#: The maximum length of stored events in characters: a fifth of a row's capacity, some hundred events.
MOST_OF_EVENTS: Final = 100_000
#: The last changes of verdict that a record keeps.
KEPT_VERDICTS: Final = 20
#: The pause after an ineffective repair, and after an incomplete one: doubled with every try.
FIRST_PAUSE: Final = timedelta(hours=1)
FIRST_RETRY: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(days=1)
#: After so many doublings, either pause is longer than the longest one.
_DOUBLINGS: Final = 10


def swept(record: Record, at: str) -> Record:
    """A record as of the last check of all peerings, which writes nothing if nothing has changed.

    A change of the record starts from this one: afterwards, it is unknown whether that check or the change was first.

    Args:
        record: the record in the registry.
        at: when that check began.
    """
    left_out = not is_watched(record) or is_busy(record) or (at != "" and is_paused(record, at))
    if "health" not in record or left_out or record["changed"] > at:
        return record
    return {**record, "health": {**record["health"], "checked": max(record["health"]["checked"], at)}}


@dataclass
class Judged:
    """The result of a check of one peering: the change of its verdict, and the findings to repair.

    `lasting`: the verdict, if it has not changed and is not healthy. `unsettled`: a run was interrupted, and objects
    that it may have created must still be searched for. `undelivered`: there are events that the webhook has not taken
    yet. `outdated`: the record has changed since the look.
    """

    change: Change | None = None
    lasting: Health | None = None
    repair: list[ProblemCode] = field(default_factory=list)
    unsettled: bool = False
    undelivered: bool = False
    outdated: bool = False


def judge(record: Record, checked: Checked, at: str) -> Judged:
    """Apply a check, unless a run was requested or has ended since the look, or a later check was applied before."""
    last = record.get("health")
    if record["revision"] != checked["revision"]:
        return Judged(outdated=True)
    if last is not None and at < last["checked"]:
        return Judged()
    problems = checked["problems"]
    known = {finding["problem"]["code"]: finding for finding in (last["problems"] if last else [])}
    codes = sorted({problem["code"] for problem in problems})
    attempts = record.get("attempts", {})
    if set(codes) <= set(DRIFT):
        # Only a check that read everything can tell that a finding is resolved.
        attempts = record["attempts"] = {code: attempt for code, attempt in attempts.items() if code in codes}
    current: list[Finding] = []
    for problem in problems:
        before = known.get(problem["code"])
        finding = Finding(problem=problem, since=before["since"] if before else at)
        if (completed := last_completed(attempts.get(problem["code"]))) is not None:
            finding["repaired"] = completed
        current.append(finding)
    verdict, previous = verdict_of(codes), last["verdict"] if last else None
    since = last["since"] if last is not None and previous == verdict else at
    record["health"] = Health(verdict=verdict, since=since, checked=at, problems=current)
    judged = Judged(
        repair=[code for code in codes if _may_repair(record, code, codes, at)],
        unsettled=record.get("unsettled", at) < at,
    )
    if previous != verdict:
        judged.change = Change(id=record["peering"]["id"], previous=previous, verdict=verdict, codes=codes, at=at)
        record["verdicts"] = [*record.get("verdicts", []), judged.change][-KEPT_VERDICTS:]
    elif verdict != "healthy":
        judged.lasting = record["health"]
    return judged


def announce(record: Record, change: Change) -> int:
    """Store a change of verdict as an event until it is delivered; returns how many of the oldest were dropped."""
    events = [*record.get("events", []), change]
    sizes = [len(json.dumps(event)) for event in events]
    dropped = 0
    while sum(sizes[dropped:]) > MOST_OF_EVENTS:
        dropped += 1
    record["events"] = events[dropped:]
    return dropped


def _may_repair(record: Record, code: ProblemCode, codes: list[ProblemCode], at: str) -> bool:
    """Whether a finding is repaired automatically: it is safe, enabled, due, and no other finding blocks it."""
    is_left_alone = not is_watched(record) or is_paused(record, at)
    if is_left_alone or record["peering"]["repair"] != "safe" or code not in DRIFT:
        return False
    attempt = record.get("attempts", {}).get(code)
    if attempt is not None and datetime.fromisoformat(at) < datetime.fromisoformat(attempt["at"]) + _pause_after(
        attempt
    ):
        return False
    return bool(DRIFT[code].repair) and not (DRIFT[code].puts_peering and BLOCKERS.intersection(codes))


def _pause_after(attempt: Attempt) -> timedelta:
    """How long to wait after an attempt before the next repair."""
    broken_off = attempt.get("broken_off", 0)
    first, tries = (FIRST_RETRY, broken_off) if broken_off else (FIRST_PAUSE, attempt["count"])
    return min(first * 2.0 ** min(tries - 1, _DOUBLINGS), LONGEST_PAUSE)
