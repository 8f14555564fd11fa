"""What the registry remembers, and what a check makes of it."""

from peering.health import DRIFT
from peering.outcome import Facts, Occurrence
from peering.registry import (
    Beginning,
    Checked,
    Ending,
    Examination,
    ExaminationResult,
    Registry,
    RunOf,
    begin,
    drop,
    empty,
    end,
    entity_key,
    examine,
    is_busy,
    is_current,
    is_watched,
)
from peering.request import PeeringRequest
from peering.spec import Caller
from tests.unit.test_request import GOOD

PEERING = PeeringRequest.model_validate(GOOD, strict=False).peering()
ID = PEERING["id"]
SOMEBODY = Caller(name="ada@example.com", id="1")


def run(registry: Registry, operation: str, state: str | None, name: str = "r1", **facts: object) -> Facts:
    """A run that begins and, unless `state` is None, ends; returns the facts that it was told of."""
    beginning = Beginning(peering=PEERING, operation=operation, run=name, by=SOMEBODY, at="2026-01-01T00:00:00+00:00")  # type: ignore[typeddict-item]
    known = begin(registry, beginning) or {}
    if state is not None:
        end(registry, Ending(id=ID, run=name, state=state, facts=facts, at="2026-01-01T00:01:00+00:00"))  # type: ignore[typeddict-item]
    return known


def check(
    registry: Registry, *codes: str, at: str = "2026-01-02T00:00:00+00:00", revision: int | None = None
) -> ExaminationResult:
    """A check that finds these problems."""
    problems = [Occurrence(code=code, detail=code) for code in codes]
    seen = registry["peerings"][ID]["revision"] if revision is None else revision
    checked = {ID: Checked(revision=seen, problems=problems)}
    return examine(registry, Examination(at=at, connections=None, checked=checked))


def connected() -> Registry:
    """A registry with one connected peering."""
    registry = empty()
    run(registry, "establish", "connected", found=[], application_id="a", vnet_peering_id="v")
    return registry


def test_a_run_is_told_what_earlier_ones_found_out() -> None:
    registry = empty()
    assert run(registry, "establish", "failed", to_tenant_id="t") == {}
    assert run(registry, "establish", "connected", "r2", peering_state="Connected") == {"to_tenant_id": "t"}
    record = registry["peerings"][ID]
    assert record["facts"] == {"to_tenant_id": "t", "peering_state": "Connected"}
    assert [(r["run"], r["state"]) for r in record["runs"]] == [("r1", "failed"), ("r2", "connected")]
    assert record["requested_by"] == SOMEBODY
    assert entity_key("Project", "ABC") == "project|abc"


def test_where_an_object_comes_from_is_noted_once() -> None:
    registry = empty()
    run(registry, "establish", "failed", found=["application"], application_id="a")
    run(
        registry,
        "establish",
        "connected",
        "r2",
        found=["application", "vnet_peering"],
        vnet_peering_id="v",
        user_role_id="r",
    )
    origins = {name: origin["origin"] for name, origin in registry["peerings"][ID]["objects"].items()}
    assert origins == {"application": "found", "vnet_peering": "found", "user_role": "created"}


def test_what_was_taken_over_is_adopted() -> None:
    registry = empty()
    run(
        registry,
        "establish",
        "connected",
        existing="adopted",
        found=["application"],
        application_id="a",
        secret_version="v",
    )
    origins = {name: origin["origin"] for name, origin in registry["peerings"][ID]["objects"].items()}
    assert origins == {"application": "adopted", "application_credential": "created"}


def test_a_verdict_changes_once_and_says_since_when() -> None:
    registry = connected()
    (first,) = check(registry)["changes"]
    assert (first["previous"], first["verdict"]) == (None, "healthy")
    (second,) = check(registry, "vnet-not-found", at="2026-01-03T00:00:00+00:00")["changes"]
    assert (second["previous"], second["verdict"], second["codes"]) == ("healthy", "broken", ["vnet-not-found"])
    assert not check(registry, "vnet-not-found", at="2026-01-04T00:00:00+00:00")["changes"]
    health = registry["peerings"][ID]["health"]
    assert (health["since"], health["checked"]) == ("2026-01-03T00:00:00+00:00", "2026-01-04T00:00:00+00:00")
    assert health["problems"][0]["since"] == "2026-01-03T00:00:00+00:00"


def test_a_finding_is_repaired_once_until_it_has_been_seen_to_be_gone() -> None:
    registry, code = connected(), "vnet-peering-missing"
    assert check(registry, code)["repairs"][0]["codes"] == [code]
    beginning = Beginning(peering=PEERING, operation="repair", run="r2", by=SOMEBODY, at="t", codes=[code])
    begin(registry, beginning)
    end(registry, Ending(id=ID, run="r2", state="failed", facts={}, at="t"))
    assert not check(registry, code)["repairs"]
    check(registry)
    assert check(registry, code)["repairs"][0]["codes"] == [code]


def test_nothing_is_repaired_that_a_person_has_to_decide_or_has_forbidden() -> None:
    registry = connected()
    assert not check(registry, "platform-principal-disabled")["repairs"]
    registry["peerings"][ID]["peering"]["repair"] = "off"
    assert not check(registry, "vnet-peering-missing")["repairs"]


def test_a_look_from_before_a_run_is_of_no_account() -> None:
    registry = connected()
    revision = registry["peerings"][ID]["revision"]
    run(registry, "rotate", None, "r2")
    assert check(registry, "secret-missing", revision=revision) == {"changes": [], "repairs": []}
    assert "health" not in registry["peerings"][ID]


def test_a_peering_that_is_being_removed_is_neither_watched_nor_repaired() -> None:
    registry = connected()
    assert is_watched(registry["peerings"][ID])
    run(registry, "remove", "failed", "r2")
    assert not is_watched(registry["peerings"][ID])
    assert not check(registry, "vnet-peering-missing")["repairs"]
    drop(registry, ID)
    drop(registry, ID)
    assert registry == empty()


def test_a_rotation_changes_the_kind_of_credential_once_it_has_ended() -> None:
    registry = connected()
    run(registry, "rotate", None, "r2")
    assert is_busy(registry["peerings"][ID])
    end(registry, Ending(id=ID, run="r2", state="rotated", facts={"credential": "federated"}, at="t"))
    record = registry["peerings"][ID]
    assert not is_busy(record)
    assert (record["peering"]["credential"], record["state"]) == ("federated", "connected")


def test_connections_that_are_nobodys_here_are_unmanaged() -> None:
    registry = connected()
    vnet = PEERING["vnet_id"].split("/")
    ours = {"account": vnet[2], "resource_group": vnet[4].lower(), "vnet": vnet[8].lower()}
    rest = {"application_id": None, "tenant_id": None, "state": "ACTIVE", "message": None}
    other = {**ours, "vnet": "another"}
    given = Examination(at="t", connections=[{**ours, **rest}, {**other, **rest}], checked={})  # type: ignore[typeddict-item]
    examine(registry, given)
    assert [c["vnet"] for c in registry["unmanaged"]] == ["another"]


def test_a_repair_that_comes_too_late_does_not_begin() -> None:
    registry = connected()
    late = Beginning(peering=PEERING, operation="repair", run="r2", by=SOMEBODY, at="t", codes=[], revision=1)
    assert begin(registry, late) is None
    assert begin(empty(), late) is None
    assert len(registry["peerings"][ID]["runs"]) == 1


def test_only_the_last_run_that_has_not_ended_is_current() -> None:
    registry = connected()
    run(registry, "establish", None, "r2")
    assert is_current(registry, RunOf(key="k", id=ID, run="r2"))
    assert not is_current(registry, RunOf(key="k", id=ID, run="r1"))
    run(registry, "establish", None, "r3")
    assert not is_current(registry, RunOf(key="k", id=ID, run="r2"))
    drop(registry, ID)
    assert not is_current(registry, RunOf(key="k", id=ID, run="r3"))


def test_what_was_tried_in_vain_is_not_forgotten_by_a_check_that_could_not_look() -> None:
    registry, code = connected(), "platform-role-assignment-missing"
    check(registry, code)
    begin(registry, Beginning(peering=PEERING, operation="repair", run="r2", by=SOMEBODY, at="t", codes=[code]))
    end(registry, Ending(id=ID, run="r2", state="failed", facts={}, at="t"))
    assert not check(registry, "remote-unavailable", at="2026-01-03T00:00:00+00:00")["repairs"]
    assert not check(registry, code, at="2026-01-04T00:00:00+00:00")["repairs"]


def test_a_removal_that_failed_says_so_and_what_is_gone() -> None:
    registry = empty()
    run(registry, "establish", "connected", found=[], application_id="a", vnet_peering_id="v")
    check(registry)
    run(registry, "remove", "failed", "r2", vnet_peering_removed="deleted")
    record = registry["peerings"][ID]
    assert (record["state"], "health" in record, set(record["objects"])) == ("removal-failed", False, {"application"})
    assert record["facts"]["vnet_peering_id"] == "v"


def test_every_code_with_a_repair_forgets_facts_that_exist() -> None:
    from peering.plan import STEPS

    facts = {fact for step in STEPS for fact in step.yields}
    assert {fact for drift in DRIFT.values() for fact in drift.repair} <= facts
