"""What becomes of a record of version 0.2.0: a record of today, with an order for what was under way."""

from datetime import UTC, datetime
from typing import cast

import pytest

from peering.migration import (
    Asked,
    OldRecord,
    asked_of,
    instances_of,
    migrated,
    migrated_runs,
    started,
    unmanaged_of,
)
from peering.request import PeeringRequest
from peering.spec import Caller, Deadlines, Peering

OPERATOR: Caller = {"name": "operator", "id": None}
DEADLINES: Deadlines = {"propagation": 1, "platform": 2}
THEIRS: Deadlines = {"propagation": 3, "platform": 4}
BEGUN, ENDED = "2026-01-01T10:00:00+00:00", "2026-01-01T11:00:00+00:00"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PROBLEM = {"code": "automation-not-authorized", "detail": "No right."}


@pytest.fixture
def peering() -> Peering:
    return PeeringRequest.model_validate_json(
        '{"project": "Prod", "project_vpc_id": "6a8ac4ba-0580-4975-ad2f-89d94a2f20aa", "vnet_id": "/subscriptions/'
        '11111111-1111-1111-1111-111111111111/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet"}'
    ).peering()


def run(operation: str, name: str, **more: object) -> dict[str, object]:
    return {"operation": operation, "run": name, "by": OPERATOR, "started": BEGUN, **more}


def old(peering: Peering, *runs: dict[str, object], **more: object) -> OldRecord:
    record = {
        "peering": peering,
        "facts": {"application_id": "app"},
        "revision": 7,
        "requested_by": OPERATOR,
        "requested": BEGUN,
        "runs": list(runs),
        "objects": {},
        **more,
    }
    return cast("OldRecord", record)


def asked(operation: str, **more: object) -> Asked:
    return cast("Asked", {"operation": operation, "deadlines": THEIRS, **more})


def test_a_peering_at_rest_gets_no_order(peering: Peering) -> None:
    before = old(peering, run("establish", "1", ended=ENDED, state="connected"), connected=ENDED, attempts={"x": ENDED})
    record = migrated(before, [], NOW, DEADLINES)
    assert "order" not in record
    assert "unsettled" not in record
    assert (record["changed"], record["connected"], record["revision"]) == (ENDED, ENDED, 7)
    assert record["attempts"] == {"x": {"at": ENDED, "count": 1}}
    assert migrated(old(peering), [], NOW, DEADLINES)["runs"] == []


@pytest.mark.parametrize("operation", ["establish", "rotate", "remove"])
def test_what_was_under_way_is_asked_for_again(peering: Peering, operation: str) -> None:
    record = migrated(old(peering, run(operation, "1")), [], NOW, DEADLINES)
    order = record["order"]
    assert (order["operation"], order["run"], order["by"], order["at"]) == (operation, "1", OPERATOR, BEGUN)
    assert (order["executions"], order["not_before"]) == (0, NOW.isoformat())
    assert order["deadlines"] == DEADLINES
    assert ("peering" in order) == (operation == "establish")
    assert record["unsettled"] > NOW.isoformat()
    assert migrated_runs(record, DEADLINES) == []


def test_a_repair_keeps_its_findings(peering: Peering) -> None:
    attempts = {"vnet-peering-missing": BEGUN, "secret-missing": ENDED}
    record = migrated(old(peering, run("repair", "1"), attempts=attempts), [], NOW, DEADLINES)
    assert (record["order"]["operation"], record["order"]["codes"]) == ("repair", ["vnet-peering-missing"])
    begun = asked("repair", run="1", codes=["secret-missing"])
    assert migrated(old(peering, run("repair", "1")), [begun], NOW, DEADLINES)["order"]["codes"] == ["secret-missing"]


def test_a_repair_of_nobody_knows_what_becomes_a_check(peering: Peering) -> None:
    record = migrated(old(peering, run("repair", "1")), [], NOW, DEADLINES)
    assert (record["order"]["operation"], record["order"]["repairs"]) == ("check", True)
    (ended,) = migrated_runs(record, DEADLINES)
    assert (ended["outcome"], ended["superseded_by"]) == ("superseded", record["order"]["run"])


def test_a_rotation_goes_to_the_kind_that_was_asked_for(peering: Peering) -> None:
    begun = asked("rotate", run="1", credential="federated")
    order = migrated(old(peering, run("rotate", "1")), [begun], NOW, DEADLINES)["order"]
    assert (order["credential"], order["deadlines"]) == ("federated", THEIRS)


def test_a_removal_that_was_accepted_takes_the_place_of_a_run(peering: Peering) -> None:
    under_way = [asked("establish", run="1", peering=peering), asked("remove", run="2", by=OPERATOR)]
    record = migrated(old(peering, run("establish", "1")), under_way, NOW, DEADLINES)
    assert (record["order"]["operation"], record["order"]["run"]) == ("remove", "2")
    assert record["order"]["supersedes"] == "1"
    assert [one.get("state") for one in record["runs"]] == ["superseded", None]


def test_a_check_does_not_disturb_a_run(peering: Peering) -> None:
    order = migrated(old(peering, run("remove", "1")), [asked("check")], NOW, DEADLINES)["order"]
    assert order["operation"] == "remove"
    at_rest = old(peering, run("establish", "1", ended=ENDED, state="connected"))
    assert migrated(at_rest, [asked("check")], NOW, DEADLINES)["order"]["operation"] == "check"


def test_a_run_whose_end_was_lost_ends_where_the_next_one_begins(peering: Peering) -> None:
    later = {**run("establish", "2", ended=NOW.isoformat(), state="failed", problem=PROBLEM), "started": ENDED}
    first, second = migrated_runs(migrated(old(peering, run("establish", "1"), later), [], NOW, DEADLINES), DEADLINES)
    assert (first["ended"], first["problem"]["code"], first["outcome"]) == (ENDED, "interrupted", "problem")
    assert (second["problem"], second["steps"]) == (PROBLEM, {})


def test_a_start_that_nobody_had_noted_gets_a_record(peering: Peering) -> None:
    record = started(asked("establish", run="1", by=OPERATOR, peering=peering), NOW)
    assert record is not None
    assert (record["peering"], record["order"]["run"], record["requested_by"]) == (peering, "1", OPERATOR)
    assert started(asked("establish"), NOW) is None


def test_an_input_tells_what_was_asked_for() -> None:
    given = {"deadlines": THEIRS, "run": "1", "codes": [], "only": {"key": "k", "id": "i"}}
    assert asked_of("stop_and_remove", given) == asked("remove", run="1")
    assert asked_of("run_order", given) is None
    assert asked_of("establish", None) is None


def test_the_waits_of_a_run_are_known() -> None:
    found = instances_of("i", ["1"])
    assert {"i", "i:removal", "i:check", "i:1:pending_peer", "i:1d:discard_credential"} <= set(found)
    assert instances_of("i", []) == ["i", "i:removal", "i:check"]


def test_a_project_vpc_keeps_its_spelling(peering: Peering) -> None:
    key = f"prod|{peering['project_vpc_id']}"
    held = old(peering)
    assert unmanaged_of(key, {"peerings": {"i": held}, "unmanaged": []})["project"] == "Prod"
    assert unmanaged_of(key, {"peerings": {}, "unmanaged": []})["project"] == "prod"


def test_what_was_asked_for_and_not_begun_keeps_its_findings_and_its_kind_of_credential(peering: Peering) -> None:
    at_rest = old(peering, run("establish", "1", ended=ENDED, state="connected"))
    begun = asked("rotate", run="2", codes=["secret-missing"], credential="federated")
    order = migrated(at_rest, [begun], NOW, DEADLINES)["order"]
    assert (order["run"], order["codes"], order["credential"]) == ("2", ["secret-missing"], "federated")
    plain = migrated(at_rest, [asked("rotate", run="2")], NOW, DEADLINES)["order"]
    assert {"codes", "credential"}.isdisjoint(plain)
