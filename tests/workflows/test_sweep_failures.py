"""What the platform or the registry fails for during a sweep costs its own peerings the verdict, never the rest."""

import importlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Scenario
from local.cloud.world.records import VNetPeering
from local.deployment import Deployment, deploy
from local.host import Hostility, Kind
from peering.calls import CHECK_HEALTH
from peering.runs import SIGN_OF_LIFE, SWEEP
from tests.workflows.by_hand import made_by_hand
from tests.workflows.delivered_twice import Twice
from tests.workflows.lost_calls import LostCalls
from tests.workflows.registry_rows import change_row
from tests.workflows.sweeping import sweep, until_swept


@pytest.fixture
def losses() -> LostCalls:
    """Nothing is lost so far."""
    return LostCalls()


@pytest.fixture
def swept(tmp_path: Path, losses: LostCalls) -> Iterator[Deployment]:
    """An app with peerings on different VNets."""
    with deploy(tmp_path, Scenario(vnets=4), hostile=losses) as deployment:
        yield deployment


def settled(deployment: Deployment) -> list[str]:
    """The ids of three peerings that are connected, on three VNets."""
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda vnet: deployment.settle(vnet_id=vnet), deployment.cloud.vnet_ids[:3]))
    assert [status["state"] for status in found] == ["connected"] * 3
    for status in found:
        deployment.until_ended(status["id"])
    return [status["id"] for status in found]


def verdicts(deployment: Deployment, identities: list[str]) -> list[str | None]:
    """The last verdicts on some peerings."""
    return [deployment.record(identity).get("health", {}).get("verdict") for identity in identities]


def swept_output(deployment: Deployment) -> dict[str, Any]:
    """What a sweep says in the end."""
    sweep(deployment)
    return until_swept(deployment)


def paused(*seconds: int) -> timedelta:
    """How long some timers take at least: the engine cuts each one's wait to whole seconds."""
    return timedelta(seconds=sum(seconds) - len(seconds))


def failing_for(identity: str, function: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a function of an activity's module fail for one peering, whose id is its first text."""
    of = importlib.import_module(module)
    genuine: Callable[..., Any] = getattr(of, function)

    async def failing(*given: object) -> object:
        if identity in given:
            raise ConnectionError(identity)
        return await genuine(*given)

    monkeypatch.setattr(of, function, failing)


def test_a_spoilt_record_costs_its_own_peering_the_verdict(swept: Deployment) -> None:
    spoilt, *others = settled(swept)
    whole = change_row(swept, spoilt, {"record": "{"})
    output = swept_output(swept)
    assert output == {"checked": 2, "changed": 2, "repairs": 0, "failed": {"plan_sweep": 1}}
    change_row(swept, spoilt, whole)
    assert verdicts(swept, [spoilt, *others]) == [None, "healthy", "healthy"]
    assert swept_output(swept) == {"checked": 3, "changed": 1, "repairs": 0}


def test_a_spoilt_row_ends_no_sweep(swept: Deployment) -> None:
    spoilt, *others = settled(swept)
    change_row(swept, spoilt, {"record_parts": 9})
    output = swept_output(swept)
    assert output == {"checked": 2, "changed": 2, "repairs": 0, "failed": {"plan_sweep": 1}}
    assert verdicts(swept, others) == ["healthy"] * 2


def test_a_repair_that_cannot_be_begun_keeps_no_other_from_it(
    swept: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = settled(swept)
    assert swept_output(swept)["changed"] == 3
    for identity in identities:
        facts = swept.record(identity)["facts"]
        swept.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    failing, *others = sorted(identities)
    failing_for(failing, "_place", "activities.checks.verdicts", monkeypatch)
    # What cannot be seen is not repaired.
    assert swept_output(swept)["failed"] == {"check_vnets": 1}
    assert [swept.until(identity)["operation"] for identity in others] == ["repair"] * 2
    assert swept.record(failing)["runs"][-1]["operation"] == "establish"


@pytest.mark.both_kinds
def test_the_registry_that_fails_for_one_project_vpc_ends_no_sweep(
    swept: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = settled(swept)

    async def failing(*_: object) -> None:
        raise ConnectionError

    made_by_hand(swept.cloud, swept.cloud.vnet_ids[3])
    monkeypatch.setattr(importlib.import_module("clients.registry.tables").Registry, "note_unmanaged", failing)
    swept.event(
        kind="delete-vnet-peering",
        vnet_id=swept.record(first)["facts"]["vnet_id"],
        remote_id=swept.record(first)["facts"]["to_network_id"],
    )
    output = swept_output(swept)
    assert (output["repairs"], output["failed"]) == (1, {"look_at_project_vpcs": 1})
    assert swept.until(first)["operation"] == "repair"


def test_a_lost_look_is_taken_again_after_a_pause_that_grows(swept: Deployment, losses: LostCalls) -> None:
    identities = settled(swept)
    losses.to_lose.update({"look_at_secrets": 1, "look_at_project_vpcs": 1, "check_vnets": 3})
    begun = swept.clock.now()
    assert swept_output(swept) == {"checked": 3, "changed": 3, "repairs": 0}
    assert verdicts(swept, identities) == ["healthy"] * 3
    # Each of the three VNets has a call of its own after the first one was lost, and two of these are lost as well.
    assert swept.clock.now() - begun >= paused(2, 2, 2, 8)


def test_a_look_that_is_lost_for_good_is_unknown_for_its_own_vnets(swept: Deployment, losses: LostCalls) -> None:
    identities = settled(swept)
    # The call for all three, three times the calls for each, and one of the last three.
    losses.to_lose["check_vnets"] = 1 + 3 * 3 + 1
    begun = swept.clock.now()
    output = swept_output(swept)
    assert (output["checked"], output["changed"], output["failed"]) == (3, 3, {"check_vnets": 1})
    assert sorted(str(verdict) for verdict in verdicts(swept, identities)) == ["healthy", "healthy", "unknown"]
    assert swept.clock.now() - begun >= paused(2, 8, 32, 128)


def test_notes_that_are_lost_for_good_are_in_the_output(swept: Deployment, losses: LostCalls) -> None:
    identities = settled(swept)
    losses.to_lose.update({"check_vnets": 100, "note_unseen": 100, "end_sweep": 100})
    output = swept_output(swept)
    assert output["failed"] == {"check_vnets": 3, "note_unseen": 3, "end_sweep": 1}
    assert verdicts(swept, identities) == [None] * 3
    losses.to_lose.clear()
    assert "failed" not in swept_output(swept)
    assert verdicts(swept, identities) == ["healthy"] * 3


def test_a_check_whose_verdict_cannot_be_noted_is_not_done(swept: Deployment, losses: LostCalls) -> None:
    identity, *_ = settled(swept)
    losses.to_lose["check_one"] = 7
    swept.check(identity)
    checked = swept.api.get(f"/api/peerings/{identity}/runs").json()["runs"][0]
    assert (checked["operation"], checked["outcome"], losses.to_lose["check_one"]) == ("check", "done", 0)
    assert verdicts(swept, [identity]) == ["healthy"]


@pytest.mark.both_kinds
def test_project_vpcs_that_no_peering_uses_any_more_are_forgotten(deployment: Deployment) -> None:
    first, second, *_ = deployment.cloud.vnet_ids
    identity = deployment.settle(vnet_id=first)["id"]
    made_by_hand(deployment.cloud, second)
    sweep(deployment)
    until_swept(deployment)
    assert len(deployment.api.get("/api/unmanaged").json()["unmanaged"]) == 1
    deployment.remove(identity)
    sweep(deployment)
    until_swept(deployment)
    assert deployment.api.get("/api/unmanaged").json()["unmanaged"] == []


def _crowd(deployment: Deployment, vnet_id: str, count: int) -> None:
    """Peer a VNet by hand with so many networks that have the longest names."""
    world = deployment.cloud.world
    vnet = world.vnet(vnet_id)
    assert vnet is not None
    for number in range(count):
        name, now = f"{'n' * 60}-{number:03d}", world.now
        remote = f"{vnet.id.rpartition('/')[0]}/{name}"
        prefix = f"172.{16 + number // 250}.{number % 250}.0/24"
        vnet.peerings.append(VNetPeering(name, vnet.id, remote, "", world.guid(), "Connected", now, now, now, [prefix]))


@pytest.mark.both_kinds
@pytest.mark.parametrize("largest", [400_000, 1])
def test_a_vnet_with_many_peerings_costs_no_other_one_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr("clients.registry.sweeps._LARGEST", largest)
    with deploy(tmp_path, Scenario(vnets=3, project_vpcs=4)) as deployment:
        hub, other, *_ = deployment.cloud.vnet_ids
        _crowd(deployment, hub, 490)
        lone, *vpcs = (vpc.id for vpc in deployment.cloud.world.vpcs.values())
        identities = [deployment.settle(vnet_id=other, vpc=lone)["id"]]
        identities += [deployment.settle(vnet_id=hub, vpc=vpc)["id"] for vpc in vpcs]
        sweep(deployment)
        assert until_swept(deployment)["checked"] == len(identities)
        assert verdicts(deployment, identities) == ["healthy"] * len(identities)


@pytest.mark.parametrize("function", ["plan_sweep", "end_sweep"])
def test_a_second_delivery_takes_nothing_from_the_check_that_goes_on(tmp_path: Path, function: str) -> None:
    twice = Twice(function, after=0.1)
    with deploy(tmp_path, Scenario(vnets=4), hostile=twice) as deployment:
        identities = settled(deployment)
        deployment.knobs(latency=0.02, table_latency=0.005)
        for _ in range(4):
            sweep(deployment)
            assert until_swept(deployment)["checked"] == len(identities)
            assert verdicts(deployment, identities) == ["healthy"] * len(identities)
    assert len(twice.delivered) == 4


class LostStart(Hostility):
    """A platform that accepts the first start of the check of all, and loses it."""

    def __init__(self) -> None:
        super().__init__(0, rates={})
        self.lost = 0

    def strikes(self, kind: Kind, function: str, instance: str = "") -> bool:
        if kind != Kind.LOST_START or (function, instance) != (CHECK_HEALTH, SWEEP) or self.lost:
            return False
        self.lost += 1
        return True


def test_a_check_of_all_that_was_promised_and_lost_is_made_up_for_once(tmp_path: Path) -> None:
    lost = LostStart()
    with deploy(tmp_path, Scenario(vnets=4), hostile=lost) as deployment:
        identities = settled(deployment)
        answer = deployment.api.post("/api/checks")
        assert (answer.status_code, answer.json()["joined"], lost.lost) == (202, False, 1)
        assert deployment.instance(SWEEP) == {}
        deployment.fire("resume_orders")
        assert deployment.instance(SWEEP) == {}
        deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(minutes=5))
        deployment.fire("resume_orders")
        assert until_swept(deployment)["checked"] == len(identities)
        assert verdicts(deployment, identities) == ["healthy"] * len(identities)
        checked = deployment.record(identities[0])["health"]["checked"]
        deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(minutes=5))
        deployment.fire("resume_orders")
        deployment.until_ended(SWEEP)
        assert deployment.record(identities[0])["health"]["checked"] == checked


def test_who_joins_a_check_of_all_that_never_begins_has_one(tmp_path: Path) -> None:
    platform = Hostility(0, rates={})
    with deploy(tmp_path, hostile=platform) as deployment:
        identity = deployment.settle()["id"]
        platform.resume({Kind.PENDING_START: 1.0})
        sweep(deployment)
        platform.make_peace()
        assert deployment.instance(SWEEP)["runtimeStatus"] == "Pending"
        answer = deployment.api.post("/api/checks")
        assert (answer.status_code, answer.json()["joined"]) == (202, True)
        # An engine may take its time until what is terminated counts as ended.
        deadline = time.monotonic() + 20 * deployment.patience
        while deployment.instance(SWEEP).get("runtimeStatus") != "Completed":
            assert time.monotonic() < deadline
            deployment.virtual_clock.advance_to(deployment.clock.now() + SIGN_OF_LIFE)
            deployment.fire("resume_orders")
            time.sleep(0.1 * deployment.patience)
        assert until_swept(deployment)["checked"] == 1
        assert verdicts(deployment, [identity]) == ["healthy"]
