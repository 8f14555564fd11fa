"""A cloud that begins with peerings: they look as starts left them, and a check finds those that are unhealthy."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from local.cloud.scenario import load_scenario
from local.deployment import deploy
from local.populated import populate
from peering.runs import SWEEP

_FEW: Final = 10
#: Facts that differ from peering to peering, though they have no id in them.
_OWN: Final = {"secret_version"}


@pytest.mark.both_kinds
def test_a_world_begins_with_peerings_of_which_every_tenth_is_ill(tmp_path: Path) -> None:
    scenario = load_scenario("sixty").model_copy(update={"vnets": _FEW})
    with deploy(tmp_path, scenario) as deployed:
        populate(deployed.cloud, _FEW)
        ids = [one["id"] for one in deployed.api.get("/api/peerings").json()["peerings"]]
        deployed.api.post("/api/checks").raise_for_status()
        deployed.until_ended(SWEEP, 600)
        statuses = [deployed.status(one) for one in ids]
    assert Counter(one["health"]["verdict"] for one in statuses) == {"healthy": _FEW - 1, "broken": 1}
    assert {one["facts"]["connection_state"] for one in statuses} == {"ACTIVE"}
    assert len({one["runs"][0]["run"] for one in statuses}) == _FEW


@pytest.mark.both_kinds
def test_a_record_is_as_a_start_leaves_it_and_its_peering_can_be_rotated(tmp_path: Path) -> None:
    knobs = {"vnets": _FEW, "subscriptions": 1, "projects": 1, "project_vpcs": 1}
    with deploy(tmp_path, load_scenario("sixty").model_copy(update=knobs)) as deployed:
        populate(deployed.cloud, _FEW - 1)
        listed = {one["id"]: one for one in deployed.api.get("/api/peerings").json()["peerings"]}
        assert {one["verdict"] for one in listed.values()} == {"healthy"}
        given = next(deployed.status(one) for one in listed if deployed.status(one)["facts"]["found"])
        started = deployed.settle(vnet_id=deployed.cloud.vnet_ids[-1])
        assert sorted(given) == sorted([*started, "health"])
        for part in ("facts", "objects"):
            assert sorted(given[part]) == sorted(started[part])
        same = {name for name in started["facts"] if "-" not in str(started["facts"][name])} - _OWN
        assert {name: given["facts"][name] for name in same} == {name: started["facts"][name] for name in same}
        assert {one["name"]: one["state"] for one in given["steps"]} == {
            one["name"]: one["state"] for one in started["steps"]
        }
        assert given["objects"]["user_role"]["origin"] == started["objects"]["user_role"]["origin"] == "found"
        deployed.api.post(f"/api/peerings/{given['id']}/rotate").raise_for_status()
        rotated = deployed.until(given["id"])
        assert (rotated["runs"][-1]["state"], "problem" in rotated) == ("rotated", False)
