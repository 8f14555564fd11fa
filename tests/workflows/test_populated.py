"""A cloud that begins with peerings: they look as starts left them, and a check finds those that are unhealthy."""

from collections import Counter
from pathlib import Path
from typing import Final

from local.cloud.scenario import load_scenario
from local.deployment import deploy
from local.populated import populate
from peering.runs import SWEEP

_FEW: Final = 10


def test_a_world_begins_with_peerings_of_which_every_tenth_is_ill(tmp_path: Path) -> None:
    scenario = load_scenario("sixty").model_copy(update={"vnets": _FEW})
    with deploy(tmp_path, scenario) as deployed:
        populate(deployed.cloud, _FEW)
        ids = [one["id"] for one in deployed.api.get("/api/peerings").json()["peerings"]]
        deployed.api.post("/api/checks").raise_for_status()
        deployed.until_ended(SWEEP, 600)
        statuses = [deployed.status(one) for one in ids]
    assert Counter(one["health"]["verdict"] for one in statuses) == {"healthy": _FEW - 1, "broken": 1}
    assert {step["state"] for one in statuses for step in one["steps"]} == {"done"}
    assert {one["facts"]["connection_state"] for one in statuses} == {"ACTIVE"}
    assert len({one["runs"][0]["run"] for one in statuses}) == _FEW
