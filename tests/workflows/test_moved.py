"""The app has moved: its identity is another one, and what the earlier one created in Entra is not its own."""

import json
from collections.abc import Callable
from typing import Final

import pytest

from local.deployment import Deployment, Status
from tests.workflows.lost_registry import lose_registry
from tests.workflows.rights import give

#: The identity of the earlier deployment.
EARLIER: Final = "99999999-9999-9999-9999-999999999999"
CODE: Final = "automation-graph-permission-missing"


def own(deployment: Deployment, status: Status, owner: str) -> None:
    """Let the peering's application and its service principal have this owner."""
    world = deployment.cloud.world
    (application,) = (one for one in world.applications if one.display_name == status["peering"]["application_name"])
    application.owner = owner
    for principal in world.principals:
        if principal.id == status["facts"]["user_principal_id"]:
            principal.owner = owner


def start_again(deployment: Deployment, _: str) -> Status:
    lose_registry(deployment)
    return deployment.settle()


def adopt_again(deployment: Deployment, _: str) -> Status:
    lose_registry(deployment)
    return deployment.settle(adopt=True)


DONE: Final[dict[str, tuple[Callable[[Deployment, str], Status], str]]] = {
    "rotation": (Deployment.rotate, "connected"),
    "removal": (Deployment.remove, "removed"),
    "start without the registry": (start_again, "connected"),
    "adoption without the registry": (adopt_again, "connected"),
}


@pytest.mark.parametrize("what", DONE)
def test_what_changes_an_application_says_that_it_needs_an_owner_and_is_done_once_it_has_it(
    deployment: Deployment, what: str
) -> None:
    do, state = DONE[what]
    me = give(deployment)
    status = deployment.settle()
    own(deployment, status, EARLIER)
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    ended = do(deployment, status["id"])
    problem = ended.get("problem") or ended["runs"][-1]["problem"]
    assert problem["code"] == CODE
    assert "infra/own.sh" in problem["remedy"]
    own(deployment, status, me)
    assert do(deployment, status["id"])["state"] == state


def test_the_plans_of_a_start_and_of_a_removal_see_it(deployment: Deployment) -> None:
    me = give(deployment)
    status = deployment.settle()

    def planned() -> list[dict[str, str]]:
        start = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
        removal = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true").json()
        return [*start["obstacles"], *removal["obstacles"]]

    assert planned() == []
    own(deployment, status, EARLIER)
    found = planned()
    assert [problem["code"] for problem in found] == [CODE, CODE]
    assert all(
        me in json.dumps(problem) and status["facts"]["application_id"] in problem["detail"] for problem in found
    )
    own(deployment, status, me)
    assert planned() == []
