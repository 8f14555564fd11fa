"""One peering from a POST to ACTIVE, and its obstacles."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.cloud.world.world import Connection
from local.deployment import Deployment, Status
from peering.steps import STEPS

pytestmark = pytest.mark.both_kinds

#: Steps that a first run without trouble has no use for.
#: Objects that peerings share are not read again once the preflight has found them.
SHARED = {"user_role", "platform_role", "platform_service_principal"}
#: Role assignments are not created again where the preflight has found them.
ASSIGNED = {"user_role_assignment", "platform_role_assignment"}
NOT_NEEDED = {"stale_connection", "stale_peering", "orphaned_peering", "sync", "surplus_rights", "release_rights"}


def problem_code(status: Status) -> str:
    """The code of the problem that ended the peering."""
    return str(status["problem"]["code"])


@pytest.mark.life
@pytest.mark.engine_part
def test_a_request_ends_active_and_connected(deployment: Deployment) -> None:
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    # An execution that goes on with another one's order looks again at what that one made, and builds upon it.
    hostile = deployment.host.hostility.is_hostile
    either = NOT_NEEDED | SHARED | ASSIGNED if hostile else set()
    usual = {step.name: "not needed" if step.name in NOT_NEEDED else "done" for step in STEPS}
    allowed = {name: {"not needed", "done"} if name in either else {state} for name, state in usual.items()}
    ended_otherwise = {one["name"]: one["state"] for one in status["steps"] if one["state"] not in allowed[one["name"]]}
    assert ended_otherwise == {}
    assert len(status["steps"]) == len(STEPS)
    assert status["facts"]["connection_state"] == "ACTIVE"
    assert status["facts"]["peering_state"] == "Connected"
    assert status["facts"]["vnet_peering_id"].startswith(status["peering"]["vnet_id"])


def test_no_step_is_tried_twice_where_all_is_done_at_once(deployment: Deployment) -> None:
    tries = {step["name"]: step.get("tries", 0) for step in deployment.settle()["steps"]}
    assert {name: count for name, count in tries.items() if count > 1} == {}


@pytest.mark.engine_part
def test_a_second_run_finds_everything_and_makes_nothing(deployment: Deployment) -> None:
    first = deployment.settle()
    made = len([r for r in deployment.cloud.requests if r.method in ("PUT", "POST") and "/oauth2/" not in r.path])
    second = deployment.settle()
    assert second["state"] == "connected"
    changed = {name for name, value in second["facts"].items() if value != first["facts"][name]}
    assert changed == {
        "found_connection_state",
        "found_connection_application_id",
        "existing",
        "requested_connection_state",
        "side_is_clear",
        "vnet_is_clear",
        "found",
        "password_policy_checked",
        "rights_settled",
    }
    again = [r for r in deployment.cloud.requests if r.method == "POST" and "/oauth2/" not in r.path]
    assert made > 0
    assert len([r for r in again if "addPassword" in r.path]) == 1
    assert len([r for r in again if r.path.endswith("/peering-connections")]) == 1


@pytest.mark.any_kind
def test_requests_in_the_same_moment_start_one_run(deployment: Deployment) -> None:
    deployment.knobs(approved=3600)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: deployment.api.post("/api/peerings", json=deployment.request()), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert [answer.json()["joined"] for answer in answers].count(False) == 1
    assert deployment.until(answers[0].json()["id"])["state"] == "connected"
    assert len([r for r in deployment.cloud.requests if "addPassword" in r.path]) == 1


def test_another_option_while_it_runs_is_refused(deployment: Deployment) -> None:
    deployment.knobs(approved=3600)
    deployment.start()
    answer = deployment.api.post("/api/peerings", json=deployment.request(allow_forwarded_traffic=True))
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["allow_forwarded_traffic"]


def test_another_spelling_of_the_vnet_joins(deployment: Deployment) -> None:
    identity = deployment.start()
    vnet = str(deployment.request()["vnet_id"]).lower()
    answer = deployment.api.post("/api/peerings", json=deployment.request(vnet_id=vnet))
    assert answer.json()["id"] == identity


@pytest.mark.parametrize("role", ["least-privilege", "Network Contributor"])
@pytest.mark.any_kind
def test_both_roles_will_do(deployment: Deployment, role: str) -> None:
    assert deployment.settle(role=role)["state"] == "connected"


@pytest.mark.life
def test_the_options_reach_the_vnet_peering(deployment: Deployment) -> None:
    status = deployment.settle(allow_forwarded_traffic=True, peering_name="to-aiven", allow_gateway_transit=True)
    assert status["state"] == "connected", status.get("problem")
    assert status["facts"]["vnet_peering_id"].endswith("/virtualNetworkPeerings/to-aiven")


def test_the_list_shows_every_peering_in_pages(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    answer = deployment.api.get("/api/peerings?limit=1").json()
    assert [peering["id"] for peering in answer["peerings"]] == [identity]
    assert answer["peerings"][0]["state"] == "connected"
    assert "next" not in answer


@pytest.mark.any_kind
def test_an_unknown_peering_is_a_problem_document(deployment: Deployment) -> None:
    answer = deployment.api.get("/api/peerings/nothing-of-the-kind")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "peering-not-found"


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "not-json", 400),
        (b"{", "not-json", 400),
        (b"\xff\xfe", "not-json", 400),
        (b"[]", "invalid-request", 400),
        (b"{}", "invalid-request", 400),
        (b'"' + b"x" * 65536 + b'"', "body-too-large", 413),
    ],
)
def test_a_bad_body_starts_nothing(deployment: Deployment, body: bytes, code: str, status: int) -> None:
    answer = deployment.api.post("/api/peerings", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["remedy"]
    assert deployment.api.get("/api/peerings").json() == {"peerings": []}
    assert not [r for r in deployment.cloud.requests if r.service not in ("entra", "table")]


@pytest.mark.any_kind
def test_without_a_key_nothing_is_answered(deployment: Deployment) -> None:
    answer = deployment.api.get("/api/peerings", headers={"x-functions-key": "guess"})
    assert answer.status_code == 401


@pytest.mark.any_kind
def test_the_engines_management_addresses_are_never_shown(deployment: Deployment) -> None:
    started = deployment.api.post("/api/peerings", json=deployment.request())
    identity = started.json()["id"]
    deployment.until(identity)
    for answer in (started, deployment.api.get(f"/api/peerings/{identity}"), deployment.api.get("/api/peerings")):
        assert "runtime/webhooks" not in answer.text
        assert deployment.host.keys.system not in answer.text


def test_a_peering_of_another_owner_is_reported_and_left_alone(deployment: Deployment) -> None:
    world, found = deployment.cloud.world, deployment.cloud.landscape
    application = world.add_application(found.customer_tenant, "by hand", "AzureADMultipleOrgs")
    vnet = next(iter(world.vnets.values()))
    names = (vnet.subscription_id, vnet.group.lower(), vnet.name.lower())
    (vpc,) = world.vpcs.values()
    vpc.connections.append(
        Connection(*names, application.app_id, found.customer_tenant, [], "ACTIVE", world.now, world.now)
    )
    before = httpx.get(f"{deployment.cloud.admin_url}/state", trust_env=False).json()
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("existing", "connection-exists")
    detail = status["problem"]["detail"]
    assert "ACTIVE" in detail
    assert application.app_id in detail
    # There is no VNet peering that could be taken over with it.
    assert "cannot take it over" in detail
    (row,) = deployment.api.get("/api/peerings", params={"problem": "connection-exists"}).json()["peerings"]
    assert [problem["code"] for problem in row["problems"]] == ["connection-exists"]
    overview = deployment.api.get("/api/overview").json()
    assert overview["problems"] == {"connection-exists": 1}
    report = deployment.api.get(f"/api/peerings/{status['id']}/report?format=json").json()
    assert (report["credential"]["kind"], report["problems"]) == (None, [f"connection-exists: {detail}"])
    assert httpx.get(f"{deployment.cloud.admin_url}/state", trust_env=False).json() == before
    writes = [r for r in deployment.cloud.requests if r.method != "GET" and r.service not in ("entra", "table")]
    assert not writes


@pytest.mark.any_kind
def test_a_gateway_that_the_platforms_network_lacks_is_told_with_the_field(deployment: Deployment) -> None:
    status = deployment.settle(use_remote_gateways=True)
    assert (status["state"], status["problem"]["code"]) == ("failed", "remote-gateway-missing")
    assert "use_remote_gateways" in status["problem"]["remedy"]
    status = deployment.settle(use_remote_gateways=False)
    assert status["state"] == "connected", status.get("problem")
