"""What a record remembers of orders, runs and checks."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import cast

import pytest

from peering.drift import DRIFT
from peering.facts import Facts
from peering.orders import KEPT_JOINED, Order, PhaseChange, Supersession, new_order
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.progress import RunState
from peering.record import Attempt, Change, Record, is_busy, is_watched, state_of
from peering.registry import (
    Ending,
    comes_late,
    conclude,
    enter_phase,
    forget_noted,
    has_recorded,
    keep_facts,
    note_stopped,
    place,
    take,
)
from peering.request import PeeringRequest
from peering.runs import FUNCTION_TIMEOUT, SIGN_OF_LIFE
from peering.spec import Caller, Deadlines, Fence, Peering
from peering.step_names import StepName
from peering.steps import STEPS, Operation
from peering.verdicts import FIRST_PAUSE, FIRST_RETRY, KEPT_VERDICTS, LONGEST_PAUSE, Checked, Judged, announce, judge
from tests.arbitrary_facts import arbitrary_facts
from tests.unit.good_request import GOOD

PEERING = PeeringRequest.model_validate(GOOD, strict=False).peering()
ID = PEERING["id"]
CALLER = Caller(name="operator@example.com", id="1")
START = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINES = Deadlines(propagation=900, platform=86400)


def order(operation: Operation, run: str = "r1", peering: Peering = PEERING, minute: int = 0) -> Order:
    """An order that was placed so many minutes after the start."""
    placed = new_order(operation, run, CALLER, START + timedelta(minutes=minute), DEADLINES)
    return {**placed, "peering": peering} if operation == "establish" else placed


def ran(record: Record | None, operation: Operation, state: RunState, run: str = "r1", **facts: object) -> Record:
    """The record after an order that was placed, taken and ended in a state."""
    record, placed = place(record, order(operation, run))
    assert record is not None
    assert placed.answer == "accept"
    return ended(record, state, run, START, **facts)


def ended(record: Record, state: RunState, run: str, at: datetime = START, **facts: object) -> Record:
    """The record after its open order was taken and ended in a state."""
    return concluded(record, state, run, at, "interrupted", facts)


def concluded(
    record: Record, state: RunState, run: str, at: datetime, code: ProblemCode, facts: dict[str, object] | None = None
) -> Record:
    """The same; a failed one with a problem of its own."""
    take(record, "x", at.isoformat())
    fence = Fence(id=ID, run=run, execution="x", alive_until="")
    end = (at + timedelta(minutes=1)).isoformat()
    ending = Ending(fence=fence, state=state, facts=arbitrary_facts(facts or {}), steps={}, at=end, drop=False)
    if state == "failed":
        ending["problem"] = Occurrence(code=code, detail="")
    assert conclude(record, ending) is not None
    return record


def connected() -> Record:
    """A record of a connected peering."""
    return ran(None, "establish", "connected", found=[], application_id="a", vnet_peering_id="v")


def check(record: Record, *codes: ProblemCode, day: int = 2, revision: int | None = None) -> Judged:
    """A check on a day that finds these problems."""
    problems = [Occurrence(code=code, detail=code) for code in codes]
    checked = Checked(revision=record["revision"] if revision is None else revision, problems=problems)
    return judge(record, checked, (START + timedelta(days=day)).isoformat())


def test_an_order_is_accepted_taken_and_ended() -> None:
    record, placed = place(None, order("establish"))
    assert record is not None
    assert (placed.answer, state_of(record), is_busy(record)) == ("accept", "running", True)
    taken = take(record, "x", START.isoformat())
    assert (taken["execution"], taken["phase"]) == ("x", "forward")
    ended(record, "connected", "r1")
    assert (state_of(record), is_busy(record), record["connected"] > record["requested"]) == ("connected", False, True)
    assert "order" not in record


def test_an_order_whose_answer_was_lost_is_seen_to_be_there() -> None:
    record, _ = place(None, order("establish"))
    again, placed = place(record, order("establish"))
    assert (again, placed.answer) == (record, "accept")
    assert again is not None
    done = ended(again, "connected", "r1")
    assert place(done, order("establish"))[1].answer == "accept"
    assert "order" not in done


def test_a_result_is_that_of_its_own_run() -> None:
    record = ran(None, "establish", "connected", "r9")
    record = ran(record, "establish", "failed", "r1")
    assert {run["run"]: run.get("state") for run in record["runs"]} == {"r9": "connected", "r1": "failed"}
    assert record["revision"] == 4


def test_only_the_execution_that_has_the_order_ends_it() -> None:
    record, _ = place(None, order("establish"))
    assert record is not None
    take(record, "x", START.isoformat())
    take(record, "y", START.isoformat())
    for run, execution in (("r1", "x"), ("r2", "y")):
        fence = Fence(id=ID, run=run, execution=execution, alive_until="")
        ending = Ending(fence=fence, state="connected", facts={}, steps={}, at=START.isoformat(), drop=False)
        assert conclude(record, ending) is None
    assert is_busy(record)


def test_only_the_execution_that_has_the_order_turns_it_round() -> None:
    record, _ = place(None, order("establish"))
    assert record is not None
    take(record, "x", START.isoformat())
    for execution, phase in (("y", "forward"), ("x", "rolling-back")):
        fence = Fence(id=ID, run="r1", execution=execution, alive_until="")
        fence["alive_until"] = later = (START + timedelta(hours=1)).isoformat()
        change = PhaseChange(fence=fence, phase="rolling-back", execution="z")
        # The second time it is another delivery of the same call.
        assert [enter_phase(record, change) for _ in range(2)] == [execution == "x"] * 2
        assert (record["order"]["phase"], record["order"]["execution"]) == (phase, "z" if execution == "x" else "x")
        assert (record["order"]["alive_until"] == later) == (execution == "x")


def test_an_order_goes_to_whoever_asks_last_however_long_that_took() -> None:
    record, _ = place(None, order("establish"))
    assert record is not None
    asked = [(START + timedelta(seconds=seconds)).isoformat() for seconds in (-300, 0, 60)]
    # It was placed while the call that takes it was on its way.
    assert not comes_late(record, "x", asked[0])
    take(record, "x", asked[1])
    assert [comes_late(record, "y", at) for at in asked] == [True, True, False]
    assert not comes_late(record, "x", asked[1])


def test_a_run_whose_new_name_nobody_heard_says_what_it_got_to() -> None:
    record, _ = place(None, order("establish"))
    assert record is not None
    take(record, "x", START.isoformat())
    fence = Fence(id=ID, run="r1", execution="x", alive_until=START.isoformat())
    assert enter_phase(record, PhaseChange(fence=fence, phase="rolling-back", execution="z"))
    place(record, order("remove", "r2"))
    stopped = Supersession(fence=fence, operation="establish", facts={"application_id": "a"}, steps={})
    note_stopped(record, stopped)
    assert "stopping" in record
    note_stopped(record, {**stopped, "renamed": "z"})
    assert ("stopping" in record, record["facts"]["application_id"]) == (False, "a")


def test_an_equal_start_joins_and_one_with_other_options_is_told_so() -> None:
    record, _ = place(None, order("establish"))
    joined = place(record, order("establish", "r2"))[1]
    assert (joined.answer, joined.order["run"], len(joined.order["joined"])) == ("join", "r1", 1)
    for _ in range(30):
        place(record, order("establish", "r2"))
    assert (len(joined.order["joined"]), joined.order["joins"]) == (KEPT_JOINED, 31)
    other = order("establish", "r3", {**PEERING, "secret_lifetime_days": 7})
    assert place(record, other)[1].answer == "409"
    elsewhere = order("establish", "r4", {**PEERING, "vnet_id": PEERING["vnet_id"].upper()})
    assert place(record, elsewhere)[1].answer == "join"


def test_a_removal_takes_the_place_of_what_is_under_way() -> None:
    record, _ = place(None, order("establish"))
    assert record is not None
    take(record, "x", START.isoformat())
    assert place(record, order("remove", "r2"))[1].answer == "supersede"
    assert (state_of(record), record["runs"][0]["state"], record["runs"][0]["superseded_by"]) == (
        "removing",
        "superseded",
        "r2",
    )
    assert record["order"]["supersedes"] == "r1"
    assert "execution" not in record["order"]


def superseded(operation: Operation = "establish", by: Operation = "remove", **facts: object) -> Record:
    """A record with a run whose place was taken while an execution worked on it."""
    record = connected() if operation != "establish" else None
    record, _ = place(record, order(operation, "r2"))
    assert record is not None
    take(record, "x", START.isoformat())
    assert place(record, order(by, "r3"))[1].answer == "supersede"
    if facts:
        fence = Fence(id=ID, run="r2", execution="x", alive_until="")
        note_stopped(record, Supersession(fence=fence, operation=operation, facts=arbitrary_facts(facts), steps={}))
    return record


def test_a_run_whose_place_was_taken_says_what_it_got_to() -> None:
    record = superseded("rotate", "cancel", secret_version="new")
    assert record["facts"]["secret_version"] == "new"
    assert record["facts"]["vnet_peering_id"] == "v"
    take(record, "y", START.isoformat())
    assert "unsettled" not in record


def test_a_run_that_never_said_that_it_stopped_may_still_be_at_work() -> None:
    record = superseded()
    take(record, "y", START.isoformat())
    assert record["unsettled"] == (START + FUNCTION_TIMEOUT).isoformat()
    fence = Fence(id=ID, run="r2", execution="x", alive_until="")
    note_stopped(record, Supersession(fence=fence, operation="establish", facts={"in_sync": "late"}, steps={}))
    assert "in_sync" not in record["facts"]


def test_a_removal_whose_place_was_taken_says_what_is_gone() -> None:
    record = superseded("remove", "cancel", vnet_peering_removed="deleted")
    assert set(record["objects"]) == {"application"}
    assert "vnet_peering_removed" not in record["facts"]


def test_a_record_takes_in_nothing_of_a_run_that_it_does_not_know() -> None:
    record = connected()
    before = deepcopy(record)
    made: dict[StepName, Facts] = {"application": Facts(application_id="b")}
    keep_facts(
        record, Fence(id=ID, run="r0", execution="x", alive_until=""), {"tenant_id": "t"}, made, START.isoformat()
    )
    assert record == before
    keep_facts(
        record, Fence(id=ID, run="r1", execution="x", alive_until=""), {"tenant_id": "t"}, made, START.isoformat()
    )
    assert (record["facts"]["tenant_id"], record["facts"]["application_id"]) == ("t", "b")


def test_only_what_was_lost_before_a_look_is_settled_by_it() -> None:
    lost, later = START.isoformat(), (START + timedelta(minutes=1)).isoformat()
    for settled, left in ((lost, False), (later, False), (None, True)):
        record = connected()
        record["unsettled"] = lost
        place(record, order("check", "c1"))
        take(record, "x", later)
        fence = Fence(id=ID, run="c1", execution="x", alive_until="")
        ending = Ending(fence=fence, state="checked", facts={}, steps={}, at=later, drop=False)
        conclude(record, {**ending, "settled": settled} if settled else ending)
        assert ("unsettled" in record) == left


def test_runs_that_have_ended_stay_in_the_record_until_they_are_noted() -> None:
    record = superseded()
    place(record, order("cancel", "r4"))
    assert [run["run"] for run in record["unnoted"]] == ["r2", "r3"]
    assert not has_recorded(record, "r2")
    forget_noted(record, record["unnoted"])
    assert [run["run"] for run in record["unnoted"]] == ["r2"]
    ended(record, "stopped", "r4")
    assert has_recorded(record, "r4")


def test_a_peering_is_watched_again_when_its_removal_was_cancelled_before_it_began() -> None:
    for begun in (False, True):
        record = connected()
        place(record, order("remove", "r2"))
        assert is_busy(record)
        if begun:
            take(record, "x", START.isoformat())
        assert place(record, order("cancel", "r3"))[1].answer == "supersede"
        ended(record, "stopped", "r3")
        assert (is_watched(record), state_of(record)) == ((False, "stopped") if begun else (True, "connected"))


def test_options_become_the_records_when_the_run_has_succeeded() -> None:
    other = {**PEERING, "secret_lifetime_days": 7}
    lifetimes: dict[RunState, int] = {"failed": PEERING["secret_lifetime_days"], "connected": 7}
    for state, days in lifetimes.items():
        record = connected()
        place(record, order("establish", "r2", cast("Peering", other)))
        ended(record, state, "r2")
        assert record["peering"]["secret_lifetime_days"] == days


def test_where_an_object_comes_from_is_noted_once() -> None:
    record = ran(None, "establish", "failed", found=["application"], application_id="a")
    ran(
        record,
        "establish",
        "connected",
        "r2",
        found=["application", "vnet_peering"],
        vnet_peering_id="v",
        user_role_id="r",
    )
    origins = {name: origin["origin"] for name, origin in record["objects"].items()}
    assert origins == {"application": "found", "vnet_peering": "found", "user_role": "created"}


def test_what_was_taken_over_is_adopted() -> None:
    facts = {"existing": "adopted", "found": ["application"], "application_id": "a", "secret_version": "v"}
    record = ran(None, "establish", "connected", **facts)  # type: ignore[arg-type]
    origins = {name: origin["origin"] for name, origin in record["objects"].items()}
    assert origins == {"application": "adopted", "application_credential": "created"}


def test_a_verdict_changes_once_and_says_since_when() -> None:
    record = connected()
    first, second = check(record).change, check(record, "vnet-not-found", day=3).change
    assert first is not None
    assert second is not None
    assert (first["previous"], first["verdict"]) == (None, "healthy")
    assert (second["previous"], second["verdict"], second["codes"]) == ("healthy", "broken", ["vnet-not-found"])
    assert check(record, "vnet-not-found", day=4).change is None
    health = record["health"]
    assert (health["since"][:10], health["checked"][:10]) == ("2026-01-04", "2026-01-05")
    assert health["problems"][0]["since"][:10] == "2026-01-04"


def test_the_last_changes_of_the_verdict_are_kept() -> None:
    record = connected()
    for day in range(3, 60):
        found: list[ProblemCode] = ["vnet-not-found"] if day % 4 < 2 else []
        check(record, *found, day=day)
    verdicts = record["verdicts"]
    assert len(verdicts) == KEPT_VERDICTS
    assert all(one["verdict"] != later["verdict"] for one, later in pairwise(verdicts))
    assert verdicts[-1]["at"] == record["health"]["since"]


def test_a_repair_that_did_not_help_is_tried_again_after_a_pause_that_grows() -> None:
    code: ProblemCode = "vnet-peering-missing"
    record, day = connected(), START + timedelta(days=1)
    pauses = []
    for number in range(4):
        while not judge(record, Checked(revision=record["revision"], problems=[_of(code)]), day.isoformat()).repair:
            day += FIRST_PAUSE / 20
        pauses.append(day)
        repair = {**new_order("repair", f"p{number}", CALLER, day, DEADLINES), "codes": [code]}
        place(record, cast("Order", repair))
        ended(record, "connected", f"p{number}", at=day)
    assert [round((b - a) / FIRST_PAUSE) for a, b in pairwise(pauses)] == [1, 2, 4]
    assert record["health"]["problems"][0]["repaired"]
    judge(record, Checked(revision=record["revision"], problems=[]), (day + FIRST_PAUSE).isoformat())
    again = Checked(revision=record["revision"], problems=[_of(code)])
    assert judge(record, again, (day + FIRST_PAUSE * 1.1).isoformat()).repair == [code]


def test_a_repair_that_was_broken_off_has_not_been_tried_and_is_begun_again_soon() -> None:
    code: ProblemCode = "vnet-peering-missing"
    record, day = connected(), START + timedelta(days=1)
    pauses = []
    for number in range(4):
        while not judge(record, Checked(revision=record["revision"], problems=[_of(code)]), day.isoformat()).repair:
            day += FIRST_RETRY / 5
        pauses.append(day)
        repair = {**new_order("repair", f"p{number}", CALLER, day, DEADLINES), "codes": [code]}
        place(record, cast("Order", repair))
        ended(record, "failed", f"p{number}", at=day)
    assert [round((b - a) / FIRST_RETRY) for a, b in pairwise(pauses)] == [1, 2, 4]
    assert "repaired" not in record["health"]["problems"][0]


@pytest.mark.parametrize("code", ["interrupted", "scope-locked"])
def test_a_repair_that_a_problem_ended_has_not_been_completed(code: ProblemCode) -> None:
    finding: ProblemCode = "vnet-peering-missing"
    record, at = connected(), START + timedelta(days=1)
    judge(record, Checked(revision=record["revision"], problems=[_of(finding)]), at.isoformat())
    place(record, cast("Order", {**new_order("repair", "p", CALLER, at, DEADLINES), "codes": [finding]}))
    concluded(record, "failed", "p", at, code)
    assert (record["attempts"][finding]["count"], record["attempts"][finding]["broken_off"]) == (0, 1)
    assert "repaired" not in record["health"]["problems"][0]


def test_a_repair_that_a_problem_ended_leaves_the_date_of_the_one_that_was_completed() -> None:
    finding: ProblemCode = "vnet-peering-missing"
    record, at = connected(), START + timedelta(days=1)
    judge(record, Checked(revision=record["revision"], problems=[_of(finding)]), at.isoformat())
    states: tuple[RunState, RunState] = ("connected", "failed")
    for number, state in enumerate(states):
        place(record, cast("Order", {**new_order("repair", f"p{number}", CALLER, at, DEADLINES), "codes": [finding]}))
        concluded(record, state, f"p{number}", at + timedelta(days=number), "scope-locked")
    completed = (at + timedelta(minutes=1)).isoformat()
    assert record["health"]["problems"][0]["repaired"] == completed
    later = (at + timedelta(days=2)).isoformat()
    judge(record, Checked(revision=record["revision"], problems=[_of(finding)]), later)
    assert record["health"]["problems"][0]["repaired"] == completed


@pytest.mark.parametrize("attempt", [{"count": 10_000}, {"count": 0, "broken_off": 10_000}])
def test_no_number_of_attempts_ends_the_repairs(attempt: dict[str, int]) -> None:
    code: ProblemCode = "vnet-peering-missing"
    record, at = connected(), START + timedelta(days=100)
    record["attempts"] = {code: cast("Attempt", {"at": at.isoformat(), **attempt})}
    checked = Checked(revision=record["revision"], problems=[_of(code)])
    assert judge(record, checked, (at + LONGEST_PAUSE * 0.99).isoformat()).repair == []
    assert judge(record, checked, (at + LONGEST_PAUSE).isoformat()).repair == [code]


def _of(code: ProblemCode) -> Occurrence:
    return Occurrence(code=code, detail="")


def test_nothing_is_repaired_that_a_person_has_to_decide_or_has_forbidden() -> None:
    record = connected()
    assert not check(record, "platform-principal-disabled").repair
    record["peering"]["repair"] = "off"
    assert not check(record, "vnet-peering-missing").repair


def test_a_look_from_before_a_run_is_of_no_account() -> None:
    record = connected()
    revision = record["revision"]
    place(record, order("rotate", "r2"))
    assert check(record, "secret-missing", revision=revision) == Judged(outdated=True)
    assert "health" not in record


def test_an_order_about_an_older_revision_is_put_off() -> None:
    record = connected()
    before = dict(record)
    assert place(record, order("repair", "r2"), record["revision"] - 1)[1].answer == "put off"
    assert record == before
    assert place(None, order("repair", "r2"), 1) == (None, place(None, order("repair", "r2"), 1)[1])


def test_a_peering_that_is_being_removed_is_neither_watched_nor_repaired() -> None:
    record = connected()
    assert is_watched(record)
    place(record, order("remove", "r2"))
    take(record, "x", START.isoformat())
    ended(record, "failed", "r2")
    assert not is_watched(record)
    assert not check(record, "vnet-peering-missing").repair


def test_a_rotation_changes_the_kind_of_credential_once_it_has_ended() -> None:
    record = connected()
    place(record, order("rotate", "r2"))
    assert is_busy(record)
    ended(record, "rotated", "r2", credential="federated")
    assert not is_busy(record)
    assert (record["peering"]["credential"], record["state"]) == ("federated", "connected")


def test_a_check_is_an_order_that_changes_no_revision_and_leaves_no_run() -> None:
    record = connected()
    revision, runs = record["revision"], len(record["runs"])
    place(record, order("check", "c1"))
    assert (is_busy(record), state_of(record)) == (False, "connected")
    ended(record, "checked", "c1")
    assert (record["revision"], len(record["runs"]), "order" in record) == (revision, runs, False)


def test_a_failed_repair_is_not_forgotten_by_a_check_that_could_not_read() -> None:
    code: ProblemCode = "platform-role-assignment-missing"
    record = connected()
    check(record, code)
    repair = {**new_order("repair", "r2", CALLER, START + timedelta(days=2), DEADLINES), "codes": [code]}
    place(record, cast("Order", repair))
    ended(record, "connected", "r2", at=START + timedelta(days=2))
    assert not check(record, "remote-unavailable").repair
    assert not check(record, code).repair


def test_a_removal_that_failed_says_so_and_what_is_gone() -> None:
    record = connected()
    check(record)
    ran(record, "remove", "failed", "r2", vnet_peering_removed="deleted")
    assert (record["state"], "health" in record, set(record["objects"])) == ("removal-failed", False, {"application"})
    assert record["facts"]["vnet_peering_id"] == "v"


def test_a_sign_of_life_outlasts_what_a_function_may_take() -> None:
    assert timedelta(minutes=5) * 2 <= SIGN_OF_LIFE


def test_every_code_with_a_repair_forgets_facts_that_exist() -> None:
    facts = {fact for step in STEPS for fact in step.yields}
    assert {fact for drift in DRIFT.values() for fact in drift.repair} <= facts


def test_of_very_many_events_the_oldest_go_before_the_row_is_too_large() -> None:
    record = ran(None, "establish", "connected")
    changes = [
        Change(id=ID, previous="broken", verdict="healthy", codes=["vnet-not-found"], at=f"{number:04}")
        for number in range(800)
    ]
    # So many are not too large yet.
    record["events"] = changes[:700]
    dropped = [announce(record, change) for change in changes[700:]]
    assert dropped[0] == 0
    assert record["events"] == changes[sum(dropped) :]
    assert 400 < len(record["events"]) < len(changes)
    assert 2 * len(json.dumps(record["events"])) < 2**20 / 4


def test_a_check_whose_answer_was_lost_is_the_one_that_is_under_way() -> None:
    record = connected()
    place(record, order("check", "c1"))
    again, placed = place(record, order("check", "c1", minute=1))
    assert again is not None
    assert (placed.answer, placed.order, "joins" in again["order"]) == ("accept", again["order"], False)
    assert place(record, order("check", "c2"))[1].answer == "join"


def test_a_verdict_does_not_go_back_to_what_an_earlier_look_saw() -> None:
    record = connected()
    check(record, day=3)
    assert check(record, "vnet-not-found", day=2) == Judged()
    assert (record["health"]["verdict"], len(record["verdicts"])) == ("healthy", 1)
