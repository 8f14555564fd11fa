"""What stands in the way is told before anything is made, all of it at once; what comes later, the remotes tell."""

import ast
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

import pytest

from activities.blueprint import MODULES
from local.cloud.arm.rbac import MANAGEMENT_GROUP
from local.cloud.server.wire import Request
from local.cloud.world.world import READER, USER_ACCESS_ADMINISTRATOR
from local.deployment import Deployment
from peering.problems import PROBLEMS
from peering.problems.remote_codes import (
    AS_APPLICATION,
    OTHERWISE,
    REMOTE_CODES,
    SIGN_IN_AT_HOME,
    SIGN_IN_CODES,
    STATUSES,
    STATUSES_ABOUT,
    STEP_READINGS,
    TEXTS,
)
from peering.steps import LOOKS
from tests.reached_code import activity, reached
from tests.workflows.obstacles import OBSTACLES, OF_VPCS, UNFORESEEN, Obstacle, Place
from tests.workflows.plans import codes, plan

#: Whose VPC there is in Aiven, and an obstacle.
PLANNED: Final = [*(("project", what) for what in OBSTACLES), *(("organization", what) for what in OF_VPCS)]
LATER: Final = [(kind, what) for kind, what in PLANNED if OBSTACLES[what].moment is not None]


@pytest.mark.parametrize(("aiven_vpc", "what"), PLANNED, indirect=["aiven_vpc"])
def test_an_obstacle_is_planned_with_and_nothing_is_made(deployment: Deployment, what: str) -> None:
    obstacle = OBSTACLES[what]
    obstacle.prepare(deployment)
    options = dict(obstacle.options)
    obstacle.appear(Place(deployment))
    deployment.clear_requests()
    planned = plan(deployment, **options)
    assert codes(planned) == sorted([obstacle.code, *obstacle.beside])
    assert planned["result"] == ("leave" if obstacle.state == "existing" else "blocked")
    status = deployment.settle(**options)
    assert (status["state"], status["problem"]["code"]) == (obstacle.state, planned["obstacles"][0]["code"])
    assert [write for write in deployment.writes() if write["service"] != "table"] == []


@pytest.mark.parametrize(("aiven_vpc", "what"), LATER, indirect=["aiven_vpc"])
def test_one_that_comes_after_the_looks_ends_the_start_with_the_same_problem(deployment: Deployment, what: str) -> None:
    obstacle = OBSTACLES[what]
    obstacle.prepare(deployment)
    options = dict(obstacle.options)
    assert codes(plan(deployment, **options)) == []
    met = appearing(deployment, obstacle)
    status = deployment.settle(**options)
    assert met, "the start never came to the moment"
    problem = status.get("problem", {})
    if obstacle.symptom:
        assert problem.get("code") == obstacle.symptom, problem
        problem = problem["causes"][0]
    assert (status["state"], problem.get("code")) == ("failed", obstacle.code), problem
    assert PROBLEMS[problem["code"]].deadline is None
    assert problem["remedy"]
    assert problem["detail"]


def appearing(deployment: Deployment, obstacle: Obstacle) -> list[Request]:
    """Let an obstacle appear at its moment; returns where the request of that moment will be."""
    met: list[Request] = []
    place = Place(deployment)

    def appear(request: Request) -> None:
        if not met and obstacle.moment is not None and obstacle.moment.is_at(request):
            met.append(request)
            obstacle.appear(place)

    deployment.cloud.before_each_request(appear)
    return met


def test_every_obstacle_has_a_row_and_every_refusal_that_is_not_foreseen_a_reason() -> None:
    final = {code for code in {*said_by_looks(), *said_of_refusals()} if PROBLEMS[code].deadline is None}
    rows = {obstacle.code for obstacle in OBSTACLES.values()}
    # An answer of an unknown code may be anything.
    assert final - {"remote-refused"} == rows | set(UNFORESEEN)
    assert rows.isdisjoint(UNFORESEEN)


def said_of_refusals() -> Iterator[str]:
    """The problems that a remote's refusal is read as."""
    tables: list[Mapping[str, str] | Mapping[int, str]] = [
        *REMOTE_CODES.values(),
        AS_APPLICATION,
        *SIGN_IN_CODES.values(),
        SIGN_IN_AT_HOME,
        *STEP_READINGS.values(),
    ]
    tables += [*STATUSES.values(), *STATUSES_ABOUT.values()]
    yield from chain(OTHERWISE.values(), *(table.values() for table in tables))
    yield from (code for texts in TEXTS.values() for _, code in texts)
    yield from (f"{identity}-sign-in-failed" for identity in SIGN_IN_CODES)


#: The modules whose words are a look's own.
LOOKING = ("activities", *(f"activities.{name}" for name in MODULES))
LOOKING += tuple(f"activities.looks.{name}" for name in ("remotes", "own_rights", "vault_rights"))
LOOKING += ("peering.addresses", "peering.dry_run", "peering.holds", "peering.rights", "peering.unfit")


def said_by_looks() -> set[str]:
    """The codes that the looks of a start spell, in their own functions and in those of the project that they use."""
    begin = [*(activity(step.name) for step in LOOKS), ("peering.dry_run", "plan_of")]
    constants = (node.value for node in reached(begin, LOOKING.__contains__) if isinstance(node, ast.Constant))
    return {str(one) for one in constants if one in PROBLEMS}


def test_all_obstacles_are_told_at_once(deployment: Deployment) -> None:
    place = Place(deployment)
    place.keep_only(place.subscription, READER)
    OBSTACLES["its addresses overlap"].appear(place)
    place.permit("Application.ReadWrite.OwnedBy", "Policy.Read.ApplicationConfiguration")
    place.knobs(password_lifetime_days=90, aiven_role="developer")
    assert set(codes(plan(deployment))) == {
        "automation-not-authorized",
        "platform-principal-forbidden",
        "aiven-not-permitted",
        "secret-policy",
        "address-spaces-overlap",
    }


@pytest.mark.both_kinds
def test_a_project_vpc_that_is_being_built_is_waited_for(deployment: Deployment) -> None:
    vpc = deployment.cloud.landscape.vpc.id
    deployment.event(kind="set-project-vpc-state", project_vpc_id=vpc, state="APPROVED")
    planned = plan(deployment)
    assert [wait["code"] for wait in planned["waits"]] == ["project-vpc-not-active"]
    assert planned["obstacles"] == []


def test_a_limit_that_is_near_is_a_warning_and_one_that_is_reached_an_obstacle(deployment: Deployment) -> None:
    world, vnet = deployment.cloud.world, deployment.cloud.landscape
    role = world.role(USER_ACCESS_ADMINISTRATOR)
    assert role is not None
    scope = f"/subscriptions/{vnet.subscription}"

    def hold(count: int) -> None:
        while len(world.assignments.by("subscription", vnet.subscription)) < count:
            world.assign(world.guid(), scope, role, world.guid())

    hold(3700)
    planned = plan(deployment)
    assert (planned["result"], planned["obstacles"]) == ("create", [])
    assert "role assignments in the subscription" in planned["warnings"][0]
    hold(3998)
    # What the subscription inherits is listed, and does not count.
    for _ in range(10):
        world.assign(world.guid(), f"{MANAGEMENT_GROUP}{vnet.customer_tenant}", role, world.guid())
    assert plan(deployment)["result"] == "create"
    # A start gives two.
    hold(3999)
    assert codes(plan(deployment)) == ["role-limit-reached"]
    assert deployment.settle()["problem"]["code"] == "role-limit-reached"


def test_a_side_that_a_start_deletes_takes_no_place_of_the_new_one(deployment: Deployment) -> None:
    place = Place(deployment)
    status = deployment.settle()
    pair = {"vnet_id": place.vnet_id, "project_vpc_id": status["peering"]["project_vpc_id"]}
    deployment.event(kind="disconnect", **pair)
    place.peer_with_many()
    assert codes(plan(deployment)) == []
    again = deployment.settle()
    assert again["state"] == "connected", again.get("problem")


def test_a_right_in_aiven_that_was_lacking_is_seen_as_soon_as_it_is_given(deployment: Deployment) -> None:
    deployment.knobs(aiven_role="developer")
    assert codes(plan(deployment)) == ["aiven-not-permitted"]
    deployment.knobs(aiven_role="operator")
    assert codes(plan(deployment)) == []
