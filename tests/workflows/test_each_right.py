"""With the rights that docs/security.md lists, and with each single one removed: the problem names it."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from local.cloud.arm.roles import SECRETS_OFFICER, TABLE_CONTRIBUTOR
from local.cloud.world.world import READER as BUILT_IN_READER
from local.deployment import Deployment
from tests.workflows.lost_registry import lose_registry
from tests.workflows.rights import (
    NOT_NEEDED,
    OF_A_PEERING,
    OF_A_START,
    OF_THE_HOST,
    TABLE,
    Right,
    give,
    take,
    take_reader,
)

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "security.md"


def test_every_right_of_the_document_is_withdrawn_here_or_the_hosts() -> None:
    section = DOCUMENT.read_text().partition("## Who holds which right")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|[^|]*\| ([^|]+) \|", section, re.MULTILINE)[2:]
    taken = [*(right.row for right in OF_A_START), *OF_A_PEERING, *OF_THE_HOST, TABLE, *NOT_NEEDED]
    assert len(rows) == len(taken)
    assert [row for row in rows if not row.startswith(tuple(taken))] == []


@pytest.mark.parametrize("right", OF_A_START, ids=lambda right: right.row)
def test_a_start_that_lacks_one_says_which(deployment: Deployment, right: Right) -> None:
    right.take(deployment, give(deployment))
    planned = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    status = deployment.settle()
    assert status["state"] == "failed"
    for problem in (planned["obstacles"][0], status["problem"]):
        assert problem["code"] == right.code
        assert right.words in json.dumps(problem)


def test_a_removal_does_not_need_the_rights_for_roles_that_no_start_could_create(deployment: Deployment) -> None:
    me = deployment.cloud.landscape.automation.id
    subscription = f"/subscriptions/{deployment.cloud.landscape.subscription}"
    held = {a.role for a in deployment.cloud.world.assignments.by("principal", me)}
    take(deployment, me, *held - {TABLE_CONTRIBUTOR, SECRETS_OFFICER})
    deployment.event(kind="assign-role", principal_id=me, scope=subscription, role=BUILT_IN_READER)
    status = deployment.settle()
    assert status["problem"]["code"] == "automation-not-authorized"
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")


@pytest.mark.parametrize("obstacle", ["a read-only lock of the subscription", "a disabled subscription"])
def test_a_removal_needs_no_role_deleted_that_no_start_has_made(deployment: Deployment, obstacle: str) -> None:
    subscription = deployment.cloud.landscape.subscription
    if "lock" in obstacle:
        deployment.event(kind="add-lock", scope=f"/subscriptions/{subscription}", level="ReadOnly")
    else:
        deployment.event(kind="disable-subscription", subscription_id=subscription)
    status = deployment.settle()
    assert status["problem"]["code"] in ("scope-locked", "subscription-disabled")
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")


def test_what_the_clouds_show_of_a_lost_peering_can_be_read(deployment: Deployment) -> None:
    give(deployment)
    settled = deployment.settle(peering_name="to-aiven", allow_forwarded_traffic=True, secret_lifetime_days=90)
    lose_registry(deployment)
    (found,) = deployment.api.get("/api/lost").json()["lost"]
    assert (found["not_shown"], found["problems"]) == ([], [])
    options = {"allow_forwarded_traffic": True, "peering_name": "to-aiven", "secret_lifetime_days": 90}
    assert found["request"].items() >= {**options, "vnet_id": settled["peering"]["vnet_id"]}.items()


def test_a_request_that_the_registry_does_not_let_in_says_what_it_lacks(deployment: Deployment) -> None:
    take(deployment, give(deployment), TABLE_CONTRIBUTOR)
    answer = deployment.api.post("/api/peerings", json=deployment.request())
    assert (answer.status_code, answer.json()["code"]) == (503, "registry-access-denied")
    assert TABLE in answer.json()["remedy"]


def test_without_the_right_to_read_the_subscription_all_goes_on(deployment: Deployment) -> None:
    take_reader(deployment, give(deployment))
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize("fact", OF_A_PEERING.values())
def test_a_right_that_keeps_a_peering_up_is_missed_and_given_again(deployment: Deployment, fact: str) -> None:
    give(deployment)
    status = deployment.settle(repair="off")
    take(deployment, status["facts"][fact])
    codes = [problem["code"] for problem in deployment.check(status["id"])["health"]["problems"]]
    assert codes == [f"{fact.removesuffix('_principal_id')}-role-assignment-missing"]
    again = deployment.settle(repair="safe")
    assert again["state"] == "connected"
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
