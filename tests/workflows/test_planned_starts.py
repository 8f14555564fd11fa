"""Plans of starts of peerings that exist: what is there as it is asked for is found, the rest is created."""

import pytest

from local.cloud.arm.roles import READER
from local.deployment import Deployment
from tests.workflows.obstacles import Place
from tests.workflows.plans import codes, plan


def test_what_is_there_as_it_is_asked_for_needs_no_right_to_be_made(deployment: Deployment) -> None:
    deployment.settle()
    origins = deployment.settle()["objects"]
    assert {name: one["origin"] for name, one in origins.items() if name.endswith("assignment")} == {
        "user_role_assignment": "created",
        "platform_role_assignment": "created",
    }
    place = Place(deployment)
    place.keep_only(place.subscription, READER)
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("find", [])
    assert deployment.settle()["state"] == "connected"
    other = {"role": "Network Contributor"}
    assert codes(plan(deployment, **other)) == ["automation-not-authorized"]
    assert deployment.settle(**other)["problem"]["code"] == "automation-not-authorized"


def test_a_limit_of_assignments_is_planned_for_another_role_too(deployment: Deployment) -> None:
    deployment.settle()
    Place(deployment).crowd()
    other = {"role": "Network Contributor"}
    assert codes(plan(deployment)) == []
    assert codes(plan(deployment, **other)) == ["role-limit-reached"]
    assert deployment.settle(**other)["problem"]["code"] == "role-limit-reached"


@pytest.mark.parametrize(
    ("options", "created"),
    [
        ({"role": "Network Contributor"}, {"user_role_assignment"}),
        ({"platform_role_name": "another"}, {"platform_role", "platform_role_assignment"}),
    ],
)
def test_another_role_is_planned_to_be_assigned(
    deployment: Deployment, options: dict[str, object], created: set[str]
) -> None:
    deployment.settle()
    assert {step["step"] for step in plan(deployment, **options)["steps"] if step["action"] == "create"} == created
    status = deployment.settle(**options)
    assert status["state"] == "connected"
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
