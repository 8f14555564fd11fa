"""What is different with a VPC of an organization, in each way that Aiven's documentation leaves open."""

import asyncio
import importlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Scenario
from local.cloud.world.world import Connection
from local.deployment import Deployment, Status, deploy
from peering.aiven_vpc import KINDS, AivenVpc, Kind
from tests.workflows.waiting import NEVER, while_waiting


def organization(**knobs: object) -> Scenario:
    """A cloud whose VPC in Aiven is an organization's."""
    return Scenario.model_validate({"vpcs_of": "organization", **knobs})


def connected_and_gone(deployment: Deployment, **options: object) -> Status:
    """Start a peering, see that it is healthy, and remove it without a trace."""
    before = deployment.cloud_state()
    status = deployment.settle(**options)
    assert status["state"] == "connected", status.get("problem")
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before
    return status


@pytest.mark.parametrize("unknown", ["named", "bare", "page", "retired"])
def test_the_paths_are_those_that_aiven_answers_by(tmp_path: Path, unknown: str) -> None:
    with deploy(tmp_path, organization(organization_paths="plural", organization_unknown=unknown)) as deployment:
        connected_and_gone(deployment)
        asked = [one.path for one in deployment.cloud.requests if "/vpc/" in one.path and one.service == "aiven"]
        assert len(asked) == 1


@pytest.mark.parametrize("unknown", ["named", "bare", "page", "retired"])
def test_a_vpc_that_is_not_there_is_no_route_that_is_not_there(tmp_path: Path, unknown: str) -> None:
    with deploy(tmp_path, organization(organization_unknown=unknown)) as deployment:
        status = deployment.settle(vpc="00000000-0000-4000-8000-000000000000")
        assert status["problem"]["code"] == "project-vpc-not-found"


def test_a_path_that_is_renamed_under_way_is_found_again(tmp_path: Path) -> None:
    with deploy(tmp_path, organization(organization_paths="plural")) as deployment:
        identity = deployment.settle()["id"]
        deployment.knobs(organization_paths="singular")
        assert deployment.check(identity)["health"]["verdict"] == "healthy"
        assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.parametrize("repeat", ["same", "conflict", "another"])
def test_a_refused_connection_is_requested_again_whatever_a_second_request_does(tmp_path: Path, repeat: str) -> None:
    scenario = organization(organization_repeat=repeat, role_effective=120, approved=5)
    with deploy(tmp_path, scenario) as deployment:
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")
        deletions = [
            r for r in deployment.writes() if (r["method"], "peering-connection/" in r["path"]) == ("DELETE", True)
        ]
        assert len(deletions) == 1
        assert len(deployment.cloud_state()["peeringConnections"]) == 1


def test_a_connection_that_aiven_says_is_there_and_does_not_list_is_waited_for(tmp_path: Path) -> None:
    with deploy(tmp_path, organization()) as deployment:
        refused = {"host": r"api\.aiven\.io", "method": "POST", "path": "/peering-connections$", "status": 409}
        deployment.knobs(faults=[{**refused, "code": "conflict", "times": NEVER}])
        identity = deployment.start()
        steps = while_waiting(deployment, identity, "peering_connection")["steps"]
        (problem,) = [step["problem"] for step in steps if step["name"] == "peering_connection"]
        assert problem["code"] == "connection-unseen"
        assert "A fault that was asked for" in problem["detail"]
        deployment.knobs(faults=[])
        assert deployment.until(identity)["state"] == "connected"
        assert len(deployment.cloud_state()["peeringConnections"]) == 1


def test_a_worker_that_has_not_read_the_vpc_yet_learns_its_path_before_it_asks_for_a_refresh(tmp_path: Path) -> None:
    with deploy(tmp_path, organization(organization_paths="plural")) as deployment:
        (vpc,) = deployment.cloud.world.vpcs.values()
        client: Any = importlib.import_module("clients.aiven_vpcs")

        async def refresh() -> None:
            await client.vpc_client(AivenVpc("organization", vpc.owner, vpc.named.id)).refresh(older=0.0, at=None)

        deployment.clear_requests()
        asyncio.run(refresh())
        asked = [(one.method, one.status) for one in deployment.cloud.requests if one.service == "aiven"]
        assert asked[-1] == ("POST", 200)
        assert [method for method, _ in asked].count("POST") == 1


@pytest.mark.parametrize(("is_first", "state"), [(True, "ACTIVE"), (False, "ACTIVE"), (False, "ERROR")])
def test_of_two_connections_that_of_the_application_is_its_own(tmp_path: Path, is_first: bool, state: str) -> None:
    with deploy(tmp_path, organization(organization_repeat="another")) as deployment:
        status = deployment.settle()
        (vpc,) = deployment.cloud.world.vpcs.values()
        (own,) = vpc.connections
        foreign = replace(own, app_id="11111111-2222-4333-8444-555555555555", id=deployment.cloud.world.guid())
        vpc.connections.insert(0 if is_first else 1, foreign)
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
        assert deployment.settle()["state"] == "connected"
        own.state = state
        assert deployment.remove(status["id"])["state"] == "removed"
        assert vpc.connections == [foreign]


def test_of_two_connections_its_own_is_requested_again_beside_the_other(tmp_path: Path) -> None:
    with deploy(tmp_path, organization(organization_repeat="another")) as deployment:
        status = deployment.settle()
        foreign = beside_anothers(deployment, "ACTIVE")
        after = deployment.check(status["id"])
        assert [(run["operation"], run["state"]) for run in after["runs"]][-1] == ("repair", "connected")
        assert after["health"]["verdict"] == "healthy"
        connections = [held for _, held in deployment.cloud.world.connections()]
        assert len(connections) == 2
        assert foreign in connections


@pytest.mark.parametrize("begins", ["a start", "a check"])
def test_of_two_connections_its_own_is_requested_again_after_a_repair_that_could_not(
    tmp_path: Path, begins: str
) -> None:
    with deploy(tmp_path, organization(organization_repeat="another")) as deployment:
        status = deployment.settle()
        beside_anothers(deployment, "PENDING_PEER")
        refused = {"host": "api.aiven.io", "method": "POST", "path": "/peering-connections$", "status": 403}
        deployment.knobs(faults=[{**refused, "code": "forbidden", "times": NEVER}])
        assert deployment.check(status["id"])["runs"][-1]["state"] == "failed"
        deployment.knobs(faults=[])
        if begins == "a start":
            assert deployment.settle()["state"] == "connected"
        deployment.later(status["id"], timedelta(hours=2))
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
        assert len(list(deployment.cloud.world.connections())) == 2


def beside_anothers(deployment: Deployment, state: str) -> Connection:
    """Let the only peering lose its side, and have another application's connection beside it; returns that."""
    ((vpc, own),) = deployment.cloud.world.connections()
    foreign = replace(own, app_id="11111111-2222-4333-8444-555555555555", id=deployment.cloud.world.guid(), state=state)
    vpc.connections.append(foreign)
    deployment.knobs(detect=NEVER)
    deployment.event(kind="delete-vnet-peering", vnet_id=own.vnet_id, remote_id=vpc.network.id)
    return foreign


def test_a_connection_is_not_deleted_that_could_not_be_requested_again(tmp_path: Path) -> None:
    with deploy(tmp_path) as deployment:
        status = deployment.settle()
        beside_anothers(deployment, "ACTIVE")
        after = deployment.check(status["id"])
        assert after["runs"][-1]["problem"]["code"] == "connection-of-another-application"
        assert status["facts"]["application_id"] in {held.app_id for _, held in deployment.cloud.world.connections()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_deletion_that_aiven_cannot_begin_yet_is_tried_again(tmp_path: Path, kind: Kind) -> None:
    with deploy(tmp_path, Scenario(vpcs_of=kind)) as deployment:
        identity = deployment.settle()["id"]
        refused = {"host": "api.aiven.io", "method": "DELETE", "path": "peering-connection", "status": 409, "times": 2}
        deployment.knobs(faults=[refused])
        assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.parametrize("kind", KINDS)
def test_no_networks_behind_the_vnet_may_be_said_as_null(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    aiven = importlib.import_module("local.cloud.aiven")
    once = aiven.connection_body
    monkeypatch.setattr(aiven, "connection_body", lambda held: {**once(held), "user_peer_network_cidrs": None})
    with deploy(tmp_path, Scenario(vpcs_of=kind)) as deployment:
        connected_and_gone(deployment)


@pytest.mark.parametrize("repeat", ["same", "conflict", "another"])
def test_a_connection_that_shows_late_is_requested_once(tmp_path: Path, repeat: str) -> None:
    with deploy(tmp_path, organization(organization_repeat=repeat, aiven_listed=30)) as deployment:
        status = deployment.settle()
        assert (status["state"], len(deployment.cloud_state()["peeringConnections"])) == ("connected", 1)


def test_of_two_connections_to_a_vnet_the_better_one_counts_and_both_go(tmp_path: Path) -> None:
    with deploy(tmp_path, organization()) as deployment:
        before = deployment.cloud_state()
        identity = deployment.settle()["id"]
        (vpc,) = deployment.cloud.world.vpcs.values()
        held: Any = vpc.connections[0]
        second = type(held)(
            *(held.account, held.group, held.vnet, held.app_id, held.tenant_id, [], "ERROR", held.created, held.since),
            id=deployment.cloud.world.guid(),
        )
        vpc.connections.insert(0, second)
        assert deployment.check(identity)["health"]["verdict"] == "healthy"
        assert deployment.remove(identity)["state"] == "removed"
        assert deployment.cloud_state() == before


@pytest.mark.parametrize(("permission", "known"), [("read", True), ("none", False)])
def test_the_missing_permission_is_named_as_the_organizations(tmp_path: Path, permission: str, known: bool) -> None:
    with deploy(tmp_path, organization(organization_permission=permission)) as deployment:
        status = deployment.settle()
        assert status["problem"]["code"] == "aiven-organization-not-permitted"
        assert "organization:networking:write" in status["problem"]["meaning"]
        assert ("cloud_name" in status["facts"]) is known


@pytest.mark.parametrize("name", ["organization_vpc_id", "project_vpc_id"])
def test_a_projects_list_may_show_the_vpcs_of_its_organization(tmp_path: Path, name: str) -> None:
    with deploy(tmp_path, Scenario(vpcs_of="both", project_vpcs=2, organization_vpcs_in_projects=name)) as deployment:
        connected_and_gone(deployment)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410])
def test_a_removal_does_without_the_list_of_organizations(tmp_path: Path, status: int) -> None:
    refused = {"host": "api.aiven.io", "path": "organizations$", "status": status, "times": 100}
    with deploy(tmp_path, Scenario.model_validate({"faults": [refused]})) as deployment:
        connected_and_gone(deployment)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "answer",
    [*({"status": status} for status in (400, 403, 404, 405, 410)), {"status": 200, "body": {"prices": []}}],
    ids=lambda answer: str(answer["status"]),
)
def test_no_refusal_of_the_prices_ends_a_start(tmp_path: Path, kind: Kind, answer: dict[str, Any]) -> None:
    refused = {"host": "api.aiven.io", "path": "vpc-peering-connection-types", "times": 100, **answer}
    with deploy(tmp_path, Scenario.model_validate({"vpcs_of": kind, "faults": [refused]})) as deployment:
        assert connected_and_gone(deployment)["facts"]["hourly_price_usd"] is None


def test_a_code_for_routes_says_nothing_about_the_vpc(tmp_path: Path) -> None:
    unknown = {"host": "api.aiven.io", "path": "/vpc/", "status": 404, "code": "endpoint_not_found", "times": 1000}
    with deploy(tmp_path, organization(organization_paths="both", faults=[unknown])) as deployment:
        connected_and_gone(deployment)


def test_a_network_that_is_not_told_is_said_so(tmp_path: Path) -> None:
    with deploy(tmp_path, organization(organization_network_told=False)) as deployment:
        assert deployment.settle()["problem"]["code"] == "peer-network-unknown"


def test_a_connection_without_an_id_is_left_until_it_has_one(tmp_path: Path) -> None:
    with deploy(tmp_path, organization(organization_connection_ids=False)) as deployment:
        identity = deployment.settle()["id"]
        status = deployment.remove(identity)
        assert (status["state"], status["problem"]["code"]) == ("removal-failed", "remote-unavailable")
        assert "peering_connection_id" in status["problem"]["detail"]
        deployment.knobs(organization_connection_ids=True)
        assert deployment.remove(identity)["state"] == "removed"


@pytest.mark.engine_part
@pytest.mark.parametrize("first", ["project", "organization"])
def test_a_vnet_is_peered_with_a_vpc_of_each_kind(tmp_path: Path, first: Kind) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vpcs_of": "both"})) as deployment:
        before = deployment.cloud_state()
        of_kind: dict[Kind, AivenVpc] = {vpc.named.kind: vpc.named for vpc in deployment.cloud.world.vpcs.values()}
        vnet = {"vnet_id": deployment.request()["vnet_id"]}
        made = {}
        for kind, vpc in of_kind.items():
            answer = deployment.api.post("/api/peerings", json={**vpc.names, **vnet})
            assert answer.status_code == 202, answer.text
            made[kind] = answer.json()["id"]
            assert deployment.until(made[kind])["state"] == "connected"
        assert {deployment.check(one)["health"]["verdict"] for one in made.values()} == {"healthy"}
        listed = deployment.api.get("/api/peerings", params={"organization_id": of_kind["organization"].owner}).json()
        assert [one["id"] for one in listed["peerings"]] == [made["organization"]]
        gone = made.pop(first)
        assert deployment.remove(gone)["state"] == "removed"
        (left,) = made.values()
        assert deployment.check(left)["health"]["verdict"] == "healthy"
        assert deployment.remove(left)["state"] == "removed"
        assert deployment.cloud_state() == before


def test_a_request_for_both_or_neither_is_refused(deployment: Deployment) -> None:
    given = deployment.request(organization_id="org1a2b3c4d5e6")
    answer = deployment.api.post("/api/peerings", json=given)
    assert answer.status_code == 400
    assert "exactly one pair" in answer.json()["errors"][0]["rule"]
