"""The registry is lost, nobody has exported it, and what the clouds show builds it again: `peering export --lost`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from local.cloud import LocalCloud, Scenario
from local.deployment import Deployment, Status, deploy_to, platform
from local.processes import PROJECT
from peering.aiven_vpc import AivenVpc
from tests.workflows.by_hand import made_by_hand
from tests.workflows.lost_registry import lose_registry
from tests.workflows.sweeping import sweep, until_swept

_NOT_SHOWN = "labels, note, repair, on_failure"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app as its managed identity, which federated credentials need, with VPCs of both kinds."""
    scenario, clock = Scenario(vnets=5, vpcs_of="both"), platform().clock()
    with LocalCloud(scenario, tmp_path / "cloud", clock=clock, seed=1) as cloud:
        client = cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
        identity = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": ""}
        with deploy_to(cloud, tmp_path / "app", clock, settings=identity) as deployed:
            yield deployed


def peering(deployment: Deployment, *arguments: str) -> tuple[int, str]:
    """Run the command; returns its exit code, and what it said beside its answer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PEERING_")}
    app = {"PEERING_ENDPOINT": deployment.host.url, "PEERING_KEY": deployment.host.keys.function}
    done = subprocess.run(
        [sys.executable, "-m", "command_line", *arguments],
        cwd=PROJECT,
        env={**kept, **app, "PEERING_CONFIG": str(deployment.state / "profiles.toml")},
        capture_output=True,
        text=True,
        timeout=300 * deployment.patience,
        check=False,
    )
    return done.returncode, done.stderr


def started(deployment: Deployment) -> list[Status]:
    """Three connected peerings with different options; the second is one of an organization VPC, without a password."""
    first, second, third, *_ = deployment.cloud.vnet_ids
    (shared,) = (vpc.named for vpc in deployment.cloud.world.vpcs.values() if vpc.named.kind == "organization")
    requests: list[dict[str, object]] = [
        {
            "vnet_id": first,
            "peering_name": "to-aiven",
            "allow_forwarded_traffic": True,
            "allow_gateway_transit": True,
            "user_peer_network_cidrs": ["192.168.7.0/24"],
            "application_name": "Network of the hub",
            "secret_lifetime_days": 90,
        },
        {
            **dict.fromkeys(AivenVpc.of(deployment.request()).names),
            **shared.names,
            "vnet_id": second,
            "credential": "federated",
            "platform_role_name": "Peer with us",
            "user_role_name": "Peer with them",
        },
        {"vnet_id": third, "privilege": "setup-only"},
    ]
    found = [deployment.settle(**one) for one in requests]
    assert [one["state"] for one in found] == ["connected"] * 3, found
    return found


def test_what_the_clouds_show_takes_every_peering_over_again(deployment: Deployment, tmp_path: Path) -> None:
    before, connections = started(deployment), [held for _, held in deployment.cloud.world.connections()]
    there, file = deployment.cloud_state(), str(tmp_path / "network.yaml")
    lose_registry(deployment)
    deployment.clear_requests()
    code, told = peering(deployment, "export", "--lost", "-f", file)
    assert (code, _NOT_SHOWN in told) == (0, True), told
    assert deployment.writes() == []
    code, told = peering(deployment, "apply", "-f", file, "--yes")
    assert code == 0, told
    for one in before:
        assert deployment.status(one["id"])["peering"] == one["peering"]
        checked = deployment.check(one["id"])
        assert (checked["state"], checked["health"]["verdict"]) == ("connected", "healthy"), checked
    assert deployment.cloud_state() == there
    assert all(one is held for one, (_, held) in zip(connections, deployment.cloud.world.connections(), strict=True))
    assert [r for r in deployment.writes() if r["method"] == "DELETE" and "peering-connection" in r["path"]] == []
    sweep(deployment)
    until_swept(deployment)
    assert deployment.api.get("/api/unmanaged").json()["unmanaged"] == []
    assert deployment.api.get("/api/lost").json() == {"lost": [], "problems": []}


def test_a_connection_of_another_owner_is_none_of_them_unless_it_was_taken_over(
    deployment: Deployment, tmp_path: Path
) -> None:
    mine, taken_over, foreign, *_ = deployment.cloud.vnet_ids
    made_by_hand(deployment.cloud, taken_over)
    made_by_hand(deployment.cloud, foreign)
    before = [deployment.settle(vnet_id=mine), deployment.settle(vnet_id=taken_over, adopt=True)]
    assert [one["state"] for one in before] == ["connected"] * 2, before
    file = tmp_path / "network.yaml"
    lose_registry(deployment)
    assert peering(deployment, "export", "--lost", "-f", str(file))[0] == 0
    entries = yaml.safe_load(file.read_text())["peerings"]
    assert {one["vnet_id"]: one.get("adopt", False) for one in entries} == {mine: False, taken_over: True}
    there = deployment.cloud_state()
    code, told = peering(deployment, "apply", "-f", str(file), "--yes")
    assert code == 0, told
    assert [deployment.check(one["id"])["health"]["verdict"] for one in before] == ["healthy"] * 2
    assert deployment.cloud_state() == there


def lost(deployment: Deployment) -> dict[str, Status]:
    """The lost peerings that the app shows, by VNet, where nothing kept others from view."""
    found = deployment.api.get("/api/lost").json()
    assert found["problems"] == [], found
    return {one["request"]["vnet_id"]: one for one in found["lost"]}


def unassign(deployment: Deployment, principal: object, vnet_id: str) -> None:
    """Remove the roles of a service principal on a VNet."""
    held = deployment.cloud.world.assignments
    for one in [a for a in held if a.principal_id == principal and a.scope.lower() == vnet_id.lower()]:
        held.remove(one)


def test_a_role_that_is_gone_may_be_guessed_and_is_told(deployment: Deployment, tmp_path: Path) -> None:
    guessed, emptied, alone, *_ = deployment.cloud.vnet_ids
    found = [deployment.settle(vnet_id=one, user_role_name="Peer with them") for one in (guessed, emptied, alone)]
    for one in found[:2]:
        unassign(deployment, one["facts"]["user_principal_id"], one["peering"]["vnet_id"])
    unassign(deployment, found[1]["facts"]["platform_principal_id"], emptied)
    principals = deployment.cloud.world.principals
    principals.remove(next(p for p in principals if p.id == found[2]["facts"]["user_principal_id"]))
    lose_registry(deployment)
    entries, of_application = lost(deployment), ["privilege", "role", "user_role_name"]
    assert {vnet: (one["request"].get("privilege"), one["not_shown"]) for vnet, one in entries.items()} == {
        guessed: ("setup-only", of_application),
        # The platform lacks its role there, too: then all assignments were removed, and `setup-only` removes one.
        emptied: (None, ["platform_role_name", *of_application]),
        alone: (None, of_application),
    }
    code, told = peering(deployment, "export", "--lost", "-f", str(tmp_path / "network.yaml"))
    assert code == 0, told
    unwrapped = " ".join(told.split())
    for said in ("privilege (setup-only: a guess), role, user_role_name", "platform_role_name, privilege, role"):
        assert said in unwrapped, told


def test_traffic_that_was_switched_off_is_planned_before_it_is_switched_on(
    deployment: Deployment, tmp_path: Path
) -> None:
    vnet_id = deployment.settle()["peering"]["vnet_id"]
    vnet = deployment.cloud.world.vnet(vnet_id)
    assert vnet is not None
    vnet.peerings[0].options["allowVirtualNetworkAccess"] = False
    lose_registry(deployment)
    request = lost(deployment)[vnet_id]["request"]
    planned = deployment.api.post("/api/peerings?dryRun=true", json=request).json()
    assert planned["result"] == "update"
    assert planned["changes"] == [{"option": "allow_virtual_network_access", "old": False, "new": True}]
    file = tmp_path / "network.yaml"
    assert peering(deployment, "export", "--lost", "-f", str(file))[0] == 0
    code, told = peering(deployment, "plan", "-f", str(file), "--detailed-exitcode")
    assert code == 2, told


def test_what_is_lost_is_no_other_owners(deployment: Deployment, tmp_path: Path) -> None:
    mine, foreign, left, *_ = deployment.cloud.vnet_ids
    options = {"privilege": "setup-only", "credential": "federated", "allow_forwarded_traffic": True}
    assert deployment.settle(vnet_id=mine, **options)["state"] == "connected"
    made_by_hand(deployment.cloud, foreign)
    lose_registry(deployment)
    deployment.settle(vnet_id=left)
    sweep(deployment)
    until_swept(deployment)
    file, exported = tmp_path / "network.yaml", dict[str, dict[str, object]]()
    for wanted in (("--adoptable",), ("--adoptable", "--lost")):
        assert peering(deployment, "export", *wanted, "-f", str(file))[0] == 0
        entries = yaml.safe_load(file.read_text())["peerings"]
        exported = {one["vnet_id"].lower(): one for one in entries}
        assert len(entries) == len(exported)
        assert exported[foreign.lower()]["adopt"] is True
        assert (mine.lower() in exported) == ("--lost" in wanted)
    assert exported[mine.lower()].items() >= options.items()


def test_what_keeps_lost_peerings_from_view_is_told_with_the_adoptable_ones(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.settle()
    lose_registry(deployment)
    down = {"host": "graph.microsoft.com", "status": 503, "code": "ServiceUnavailable", "times": 100}
    deployment.knobs(faults=[down])
    code, told = peering(deployment, "export", "--adoptable", "-f", str(tmp_path / "network.yaml"))
    assert (code, "may not be complete" in told) == (1, True), told


@pytest.mark.parametrize("part", ["peer_azure_app_id", "peer_resource_group"])
def test_a_connection_that_aiven_shows_in_part_is_told(deployment: Deployment, part: str) -> None:
    vnet_id = deployment.settle()["peering"]["vnet_id"]
    lose_registry(deployment)
    deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(hours=1))
    in_part = {"host": "api.aiven.io", "path": "/project/.*/vpcs/[^/]+$", "status": 200, "without": part}
    deployment.knobs(faults=[{**in_part, "times": 100}])
    found = deployment.api.get("/api/lost").json()
    (problem,) = found["problems"]
    assert (found["lost"], problem["code"]) == ([], "connection-unseen")
    assert vnet_id.rpartition("/")[2].lower() in problem["detail"]
    deployment.virtual_clock.advance_to(deployment.clock.now() + timedelta(hours=1))
    deployment.knobs(faults=[{**in_part, "times": 1}])
    assert list(lost(deployment)) == [vnet_id]


def test_repeated_requests_reach_more_vpcs_than_aivens_rate_allows(tmp_path: Path) -> None:
    clock = platform().clock()
    scenario = Scenario(vnets=2, project_vpcs=40, projects=1)
    with (
        LocalCloud(scenario, tmp_path / "cloud", clock=clock, seed=1) as cloud,
        deploy_to(cloud, tmp_path / "app", clock) as deployed,
    ):
        vpcs = [vpc.named for vpc in cloud.world.vpcs.values()]
        for vnet_id, vpc in zip(cloud.vnet_ids, (vpcs[0], vpcs[-1]), strict=True):
            assert deployed.settle(vnet_id=vnet_id, **vpc.names)["state"] == "connected"
        lose_registry(deployed)
        clock.advance_to(clock.now() + timedelta(hours=1))
        deployed.knobs(aiven_requests_per_minute=30)
        first = deployed.api.get("/api/lost").json()
        assert {problem["code"] for problem in first["problems"]} == {"remote-throttled"}
        clock.advance_to(clock.now() + timedelta(minutes=1))
        assert len(lost(deployed)) == 2


def test_a_side_that_is_gone_is_told(deployment: Deployment) -> None:
    vnet_id = deployment.settle(peering_name="to-aiven", allow_forwarded_traffic=True)["peering"]["vnet_id"]
    vnet = deployment.cloud.world.vnet(vnet_id)
    assert vnet is not None
    vnet.peerings.clear()
    lose_registry(deployment)
    of_side = ["allow_forwarded_traffic", "allow_gateway_transit", "peering_name", "use_remote_gateways"]
    found = lost(deployment)[vnet_id]
    assert found["not_shown"] == of_side
    assert found["request"].keys().isdisjoint(of_side)


def test_a_role_name_of_a_neighbour_is_not_taken(deployment: Deployment) -> None:
    vnet_id, *_ = deployment.cloud.vnet_ids
    (shared,) = (vpc.named for vpc in deployment.cloud.world.vpcs.values() if vpc.named.kind == "organization")
    other = {**dict.fromkeys(AivenVpc.of(deployment.request()).names), **shared.names}
    for number, names in enumerate(({}, other)):
        roles = {f"{of}_role_name": f"Role {number} of {of}" for of in ("platform", "user")}
        assert deployment.settle(vnet_id=vnet_id, **names, **roles)["state"] == "connected"
    lose_registry(deployment)
    found = deployment.api.get("/api/lost").json()["lost"]
    assert [one["not_shown"] for one in found] == [["platform_role_name"]] * 2
    assert {one["request"]["user_role_name"] for one in found} == {"Role 0 of user", "Role 1 of user"}


def test_a_name_that_requests_refuse_is_left_out(deployment: Deployment) -> None:
    settled = deployment.settle()
    vnet_id, world = settled["peering"]["vnet_id"], deployment.cloud.world
    application = world.application(settled["facts"]["application_id"])
    assert application is not None
    application.display_name = "Team [net]"
    next(r for r in world.roles if r.role_name == settled["peering"]["platform_role_name"]).role_name = "50% <ours>"
    lose_registry(deployment)
    found = lost(deployment)[vnet_id]
    assert found["not_shown"] == ["application_name", "platform_role_name"]
    planned = deployment.api.post("/api/peerings?dryRun=true", json=found["request"])
    assert planned.status_code == 200, planned.text


def test_two_connections_of_one_pair_are_one_peering(deployment: Deployment) -> None:
    (shared,) = (vpc.named for vpc in deployment.cloud.world.vpcs.values() if vpc.named.kind == "organization")
    settled = deployment.settle(**dict.fromkeys(AivenVpc.of(deployment.request()).names), **shared.names)
    ((vpc, connection),) = deployment.cloud.world.connections()
    failed = copy(connection)
    failed.id, failed.state, failed.cidrs = deployment.cloud.world.guid(), "ERROR", ["192.168.7.0/24"]
    vpc.connections[:] = [failed, connection]
    lose_registry(deployment)
    (found,) = deployment.api.get("/api/lost").json()["lost"]
    assert (found["id"], "user_peer_network_cidrs" in found["request"]) == (settled["id"], False)


def test_a_connection_without_its_application_is_told(deployment: Deployment, tmp_path: Path) -> None:
    mine, elsewhere, *_ = deployment.cloud.vnet_ids
    settled = deployment.settle(vnet_id=mine)
    foreign, world = made_by_hand(deployment.cloud, elsewhere), deployment.cloud.world
    for application in (world.application(settled["facts"]["application_id"]), foreign):
        assert application is not None
        world.applications.remove(application)
    for _, connection in world.connections():
        if connection.app_id == foreign.app_id:
            connection.tenant_id = world.guid()
    lose_registry(deployment)
    code, told = peering(deployment, "export", "--lost", "-f", str(tmp_path / "network.yaml"))
    assert code == 1, told
    found = deployment.api.get("/api/lost").json()
    (problem,) = found["problems"]
    assert (found["lost"], problem["code"]) == ([], "application-missing")
    assert settled["facts"]["application_id"] in problem["detail"]
    assert mine.lower() in problem["detail"].lower()


def test_what_was_taken_over_is_known_by_its_password_in_entra_alone(deployment: Deployment, tmp_path: Path) -> None:
    taken_over = deployment.cloud.vnet_ids[1]
    made_by_hand(deployment.cloud, taken_over)
    before = deployment.settle(vnet_id=taken_over, adopt=True, secret_lifetime_days=90)
    deployment.until_ended(before["id"])
    deployment.knobs(secret_accepted=360_000)
    # The rotation fails, and leaves the newest version of the secret disabled.
    assert deployment.rotate(before["id"])["runs"][-1]["state"] == "failed"
    deployment.knobs(secret_accepted=0)
    lose_registry(deployment)
    request = lost(deployment)[taken_over]["request"]
    assert (request["adopt"], request["credential"], request["secret_lifetime_days"]) == (True, "secret", 90)
    refused = {"host": r".*\.vault\.azure\.net", "path": "/secrets$", "status": 403}
    deployment.knobs(faults=[{**refused, "code": "Forbidden", "times": 100}])
    file = tmp_path / "network.yaml"
    code, told = peering(deployment, "export", "--lost", "-f", str(file))
    assert (code, "may not be complete" in told, told.count("Forbidden")) == (1, True, 1), told
    (entry,) = yaml.safe_load(file.read_text())["peerings"]
    assert (entry["vnet_id"], entry["adopt"], entry["credential"]) == (taken_over, True, "secret")


def test_what_cannot_be_read_is_told(deployment: Deployment, tmp_path: Path) -> None:
    deployment.settle()
    lose_registry(deployment)
    refused = {"host": "management.azure.com", "path": "/virtualNetworks/[^/]+$", "status": 403}
    deployment.knobs(faults=[{**refused, "code": "AuthorizationFailed", "times": 100}])
    file = tmp_path / "network.yaml"
    code, told = peering(deployment, "export", "--lost", "-f", str(file))
    assert (code, "may not be complete" in told, "AuthorizationFailed" in told) == (1, True, True), told
    (entry,) = yaml.safe_load(file.read_text())["peerings"]
    assert "peering_name" not in entry
