"""Situations reported in public in which more than one answer matters; each is played by a test that names it."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import Scenario
from local.cloud.world.records import Options
from local.deployment import Deployment, Status, deploy
from tests.remote_answers.cases import ARM, CASES, GRAPH, SITUATIONS
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import vnet_of
from tests.workflows.waiting import while_waiting

_LOCK: Final = "/subscriptions/s/providers/Microsoft.Authorization/locks/do-not-delete"
_DAY: Final = timedelta(days=1)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path) as deployed:
        yield deployed


def pair(deployment: Deployment) -> dict[str, str]:
    """The VNet and the project VPC of a request, as events name them."""
    request = deployment.request()
    return {"vnet_id": str(request["vnet_id"]), "project_vpc_id": str(request["project_vpc_id"])}


def is_well(deployment: Deployment, status: Status) -> bool:
    """Whether a check says so, too."""
    return bool(deployment.check(status["id"]).get("health", {}).get("verdict") == "healthy")


def _lock(method: str) -> dict[str, Any]:
    message = f"The scope cannot perform delete operation because it is locked: '{_LOCK}'."
    body = {"error": {"code": "ScopeLocked", "message": message}}
    return {"host": ARM, "method": method, "path": "/virtualNetworks/", "status": 409, "body": body, "times": 1000}


@pytest.mark.situation("scope-locked-cannot-delete")
def test_a_removal_under_a_delete_lock_names_the_lock_and_goes_on_once_it_is_gone(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.knobs(faults=[_lock("DELETE")])
    locked = deployment.remove(status["id"])
    assert (locked["state"], locked["problem"]["code"]) == ("removal-failed", "scope-locked")
    assert _LOCK in locked["problem"]["detail"]
    deployment.knobs(faults=[])
    assert deployment.remove(status["id"])["state"] == "removed"


@pytest.mark.situation("scope-locked-cannot-delete")
def test_a_start_that_cannot_give_the_rights_back_is_connected_and_watched(deployment: Deployment) -> None:
    deployment.knobs(faults=[_lock("DELETE")])
    status = deployment.settle(privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    checked = deployment.check(status["id"])
    codes = {problem["code"] for problem in checked["health"]["problems"]}
    assert "user-rights-not-released" in codes
    assert any(_LOCK in problem["detail"] for problem in checked["health"]["problems"])
    deployment.knobs(faults=[])
    deployment.virtual_clock.advance_to(deployment.clock.now() + 2 * _DAY)
    assert is_well(deployment, status)


@pytest.mark.situation("scope-locked-cannot-delete")
def test_a_repair_keeps_aivens_connection_while_the_vnets_side_cannot_be_deleted(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.event(kind="disconnect", **pair(deployment))
    deployment.knobs(faults=[_lock("DELETE")])
    checked = deployment.check(status["id"])
    assert checked["health"]["verdict"] == "broken"
    assert len(deployment.cloud_state()["peeringConnections"]) == 1
    deployment.knobs(faults=[])
    deployment.virtual_clock.advance_to(deployment.clock.now() + 2 * _DAY)
    assert is_well(deployment, status)


@pytest.mark.situation("adopt-without-state-info")
def test_a_healthy_peering_is_taken_over_although_aiven_does_not_name_its_network(deployment: Deployment) -> None:
    deployment.knobs(null_state_info=True)
    made_by_hand(deployment.cloud, pair(deployment)["vnet_id"])
    status = deployment.settle(adopt=True)
    assert status["state"] == "connected", status.get("problem")
    assert is_well(deployment, status)


@pytest.mark.situation("adopt-without-state-info")
def test_a_peering_is_changed_although_aiven_does_not_name_its_networks_tenant(deployment: Deployment) -> None:
    deployment.knobs(null_state_info=True)
    made_by_hand(deployment.cloud, pair(deployment)["vnet_id"])
    status = deployment.settle(adopt=True, allow_forwarded_traffic=True)
    assert status["state"] == "connected", status.get("problem")
    assert vnet_of(deployment).peerings[0].options["allowForwardedTraffic"] is True
    assert is_well(deployment, status)


@pytest.mark.situation("connection-deleted-then-requested-again")
@pytest.mark.parametrize("repair", ["off", "safe"])
def test_the_same_start_after_the_connection_was_deleted(deployment: Deployment, repair: str) -> None:
    deployment.settle(repair=repair)
    deployment.event(kind="delete-connection", **pair(deployment))
    status = deployment.settle(repair=repair)
    assert status["state"] == "connected", status.get("problem")
    assert is_well(deployment, status)


@pytest.mark.situation("connection-deleted-then-requested-again")
def test_a_start_that_had_given_up_after_the_connection_was_deleted(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"approved": 3600}), settings=_IMPATIENT) as deployment:
        assert deployment.settle()["state"] == "failed"
        deployment.event(kind="delete-connection", **pair(deployment))
        deployment.knobs(approved=0)
        status = deployment.settle()
        assert status["state"] == "connected", status.get("problem")


@pytest.mark.situation("subnet-peering-kept")
@pytest.mark.parametrize("start", [False, True])
def test_a_recreated_side_has_the_switches_of_the_old_one(deployment: Deployment, start: bool) -> None:
    identity = deployment.settle()["id"]
    switches: Options = {
        "allowVirtualNetworkAccess": False,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": True,
        "useRemoteGateways": False,
        "doNotVerifyRemoteGateways": True,
        "enableOnlyIPv6Peering": True,
    }
    vnet_of(deployment).peerings[0].options |= switches
    deployment.event(kind="disconnect", **pair(deployment))
    status = deployment.settle() if start else deployment.check(identity)
    assert status["state"] == "connected", status.get("problem")
    (side,) = vnet_of(deployment).peerings
    # Every request for a peering is one for traffic.
    expected = switches | ({"allowVirtualNetworkAccess": True} if start else {})
    assert {name: side.options.get(name) for name in switches} == expected
    assert deployment.record(identity)["facts"].get("side_switches") is None


_SIDE: Final = {"host": ARM, "path": "/virtualNetworkPeerings/[^/?]+$", "times": 1}


@pytest.mark.situation("subnet-peering-kept")
@pytest.mark.parametrize(
    "fault",
    [
        {**_SIDE, "method": "DELETE", "status": 503, "code": "ServiceUnavailable", "after": True},
        {**_SIDE, "method": "PUT", "status": 503, "code": "ServiceUnavailable", "after": True},
        {**_SIDE, "method": "GET", "status": 200, "without": "allowVirtualNetworkAccess"},
        {**_SIDE, "method": "GET", "status": 200, "without": "peeringState"},
    ],
    ids=["deletion lost", "PUT lost", "switch missing", "state missing"],
)
def test_a_recreated_side_keeps_its_switches_under_a_fault(deployment: Deployment, fault: dict[str, Any]) -> None:
    identity = deployment.settle()["id"]
    vnet_of(deployment).peerings[0].options |= {"allowVirtualNetworkAccess": False, "allowForwardedTraffic": True}
    deployment.event(kind="disconnect", **pair(deployment))
    deployment.knobs(faults=[fault])
    assert deployment.check(identity)["state"] == "connected"
    (side,) = vnet_of(deployment).peerings
    assert (side.options["allowVirtualNetworkAccess"], side.options["allowForwardedTraffic"]) == (False, True)
    assert deployment.record(identity)["facts"].get("side_switches") is None


@pytest.mark.situation("connection-deleted-lingers")
def test_a_connection_that_is_deleted_counts_as_none(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.knobs(deleted=20, deleted_listed=300)
    assert deployment.remove(status["id"])["state"] == "removed"
    again = deployment.settle()
    assert again["state"] == "connected", again.get("problem")
    assert is_well(deployment, again)


@pytest.mark.situation("subnet-peering-kept")
def test_what_was_not_asked_for_stays_as_it_was(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, pair(deployment)["vnet_id"])
    (side,) = vnet_of(deployment).peerings
    before: Options = {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        "peerCompleteVnets": False,
        "localSubnetNames": ["a"],
        "remoteSubnetNames": ["b"],
        "doNotVerifyRemoteGateways": True,
        "enableOnlyIPv6Peering": True,
        "localAddressSpace": {"addressPrefixes": ["10.10.1.0/24"]},
        "localVirtualNetworkAddressSpace": {"addressPrefixes": ["10.10.0.0/16"]},
        "aPropertyOfTomorrow": {"kept": True},
    }
    side.options = dict(before)
    status = deployment.settle(adopt=True, allow_forwarded_traffic=True)
    assert status["state"] == "connected", status.get("problem")
    (side,) = vnet_of(deployment).peerings
    assert {name: side.options.get(name) for name in before} == {**before, "allowForwardedTraffic": True}
    project_vpc = status["peering"]["project_vpc_id"]
    deployment.event(kind="change-project-cidr", project_vpc_id=project_vpc, cidr="10.99.0.0/20")
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert side.remote_prefixes == ["10.99.0.0/20"]
    assert {name: side.options.get(name) for name in before} == {**before, "allowForwardedTraffic": True}


@pytest.mark.situation("unique-name-reserved")
def test_a_pair_that_was_removed_is_connected_again_at_once(deployment: Deployment) -> None:
    status = deployment.settle()
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.settle()["state"] == "connected"


@pytest.mark.situation("unique-name-reserved")
def test_a_start_that_was_rolled_back_is_repeated_at_once(deployment: Deployment) -> None:
    deployment.knobs(outcome="ERROR")
    assert deployment.settle(on_failure="rollback")["state"] == "rolled-back"
    deployment.knobs(outcome="")
    assert deployment.settle()["state"] == "connected"


@pytest.mark.situation("unique-name-reserved")
def test_a_start_restores_the_application_that_was_deleted_after_a_removal_by_hand(deployment: Deployment) -> None:
    status = deployment.settle()
    object_id = status["facts"]["application_object_id"]
    assert deployment.remove(status["id"])["state"] == "removed"
    world = deployment.cloud.world
    assert not [a for a in world.deleted_applications if a.id == object_id]
    made = deployment.settle()["facts"]["application_id"]
    deployment.event(kind="delete-vnet-peering", vnet_id=pair(deployment)["vnet_id"], remote_id=_network(deployment))
    deployment.event(kind="delete-connection", **pair(deployment))
    deployment.event(kind="delete-application", app_id=made)
    again = deployment.settle()
    assert again["state"] == "connected", again.get("problem")
    assert again["facts"]["application_id"] == made


@pytest.mark.situation("unique-name-reserved")
def test_a_start_whose_unique_name_no_listed_application_holds_ends_with_that(deployment: Deployment) -> None:
    text = "Another object with the same value for property uniqueName already exists."
    refusal = {"status": 400, "body": {"error": {"code": "Request_BadRequest", "message": text}}, "times": 1000}
    deployment.knobs(faults=[{"host": GRAPH, "method": "PATCH", "path": r"/applications\(uniqueName", **refusal}])
    problem = deployment.settle()["problem"]
    assert (problem["code"], problem["remote"]["service"]) == ("application-name-reserved", "Microsoft Graph")
    assert "gave up after" in problem["detail"]


def _network(deployment: Deployment) -> str:
    (vpc,) = deployment.cloud.world.vpcs.values()
    return str(vpc.network.id)


@pytest.mark.situation("role-definitions-list-lags")
def test_a_removal_deletes_its_roles_although_no_list_shows_them(deployment: Deployment) -> None:
    before = deployment.cloud_state()["roleDefinitions"]
    status = deployment.settle()
    empty = {"host": ARM, "method": "GET", "path": "/roleDefinitions$", "status": 200, "body": {"value": []}}
    deployment.knobs(faults=[{**empty, "times": 1000}])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state()["roleDefinitions"] == before


# a password that has ended in Entra, though not in the vault


def test_a_start_and_a_removal_replace_a_password_that_has_ended(deployment: Deployment) -> None:
    status = deployment.settle()
    application = status["facts"]["application_id"]
    deployment.event(kind="set-password-end", app_id=application, days=-1)
    again = deployment.settle(allow_forwarded_traffic=True)
    assert again["state"] == "connected", again.get("problem")
    deployment.event(kind="set-password-end", app_id=application, days=-1)
    removed = deployment.remove(status["id"])
    assert removed["state"] == "removed", removed.get("problem")


@pytest.mark.situation("misspelt-query")
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/api/peerings?dryrun=true", "dryrun"),
        ("POST", "/api/peerings?dry_run=true", "dry_run"),
        ("POST", "/api/peerings?dryRun=true&dryRun=false", "dryRun"),
        ("POST", "/api/peerings?dryRun", "dryRun"),
        ("DELETE", "/api/peerings/6b275c84-5efc-5a16-b9b5-4fda35192a2c?dryRun=", "dryRun"),
        ("GET", "/api/peerings?stat=failed", "stat"),
        ("GET", "/api/peerings?foo=bar", "foo"),
        ("GET", "/api/peerings?limit=²", "limit"),
        ("GET", "/api/peerings?limit=5.0", "limit"),
        ("GET", "/api/peerings?limit=%205", "limit"),
        ("GET", "/api/peerings?limit=%2B5", "limit"),
        ("GET", "/api/peerings?limit=05", "limit"),
        ("GET", "/api/peerings?changedSince=1", "changedSince"),
        ("GET", "/api/peerings?changedSince=1700000000.5", "changedSince"),
        ("GET", "/api/peerings?changedSince=2030-01-01_00:00:00Z", "changedSince"),
        ("GET", "/api/ui?x=1", "x"),
        ("GET", "/api/ui/app.js?w=1", "w"),
        ("DELETE", "/api/peerings/6b275c84-5efc-5a16-b9b5-4fda35192a2c?dryrun=true", "dryrun"),
    ],
)
def test_a_misspelt_query_is_refused_by_name(deployment: Deployment, method: str, path: str, name: str) -> None:
    body = deployment.request() if method == "POST" else None
    answer = deployment.api.request(method, path, json=body)
    assert answer.status_code == 400, answer.text
    assert name in {error["field"] for error in answer.json()["errors"]}
    assert deployment.api.get("/api/peerings").json()["peerings"] == []


@pytest.mark.situation("plan-hides-changes")
def test_a_plan_names_each_change_with_the_old_and_the_new_value(deployment: Deployment) -> None:
    deployment.settle()
    wanted = {"allow_forwarded_traffic": True, "privilege": "setup-only", "secret_lifetime_days": 90}
    answer = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request(**wanted))
    plan = answer.raise_for_status().json()
    assert plan["result"] == "update"
    changes = {change["option"]: (change["old"], change["new"]) for change in plan["changes"]}
    assert changes["allow_forwarded_traffic"] == (False, True)
    assert changes["privilege"] == ("standing", "setup-only")
    assert changes["secret_lifetime_days"] == (180, 90)


@pytest.mark.situation("plan-hides-changes")
def test_a_plan_of_a_removal_says_what_goes_and_what_stays(deployment: Deployment) -> None:
    status = deployment.settle()
    before = deployment.cloud_state()
    answer = deployment.api.delete(f"/api/peerings/{status['id']}?dryRun=true")
    plan = answer.raise_for_status().json()
    actions = {step["step"]: step["action"] for step in plan["steps"]}
    assert actions["vnet_peering"] == "delete"
    assert actions["application"] == "delete"
    assert deployment.cloud_state() == before
    assert deployment.status(status["id"])["state"] == "connected"


@pytest.mark.situation("key-vault-reference-unresolved")
def test_an_unresolved_key_vault_reference_is_called_so(tmp_path: Path) -> None:
    reference = "@Microsoft.KeyVault(VaultName=v;SecretName=s)"
    with deploy(tmp_path, settings={"AIVEN_AUTH_TOKEN": reference}) as deployment:
        answer = deployment.api.post("/api/peerings", json=deployment.request())
        assert answer.json()["code"] == "key-vault-reference-unresolved", answer.text
        assert "AIVEN_AUTH_TOKEN" in answer.json()["detail"]


_IMPATIENT: Final = {"PLATFORM_DEADLINE_HOURS": "0.1", "PROPAGATION_DEADLINE_MINUTES": "5"}


# a remote that repeats the request in its answer


@pytest.mark.parametrize(
    ("host", "method", "path"),
    [
        (r".*\.vault\.azure\.net", "PUT", "/secrets/"),
        (r"login\.microsoftonline\.com", "POST", "^/{platform_tenant}/"),
        (r"api\.aiven\.io", "POST", "/peering-connections"),
        (r"management\.azure\.com", "PUT", "/virtualNetworkPeerings/"),
        (r"graph\.microsoft\.com", "POST", "addPassword"),
    ],
)
def test_a_request_that_is_repeated_in_an_answer_tells_no_secret(
    deployment: Deployment, host: str, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    tenant = deployment.cloud.environment["PLATFORM_TENANT_ID"]
    fault = {"host": host, "method": method, "path": path.format(platform_tenant=tenant), "status": 400, "echo": True}
    deployment.knobs(faults=[{**fault, "code": "SomethingNew", "times": 1000}])
    with caplog.at_level(logging.INFO):
        status = deployment.settle()
    assert status["state"] == "failed"
    passwords = [p.text for a in deployment.cloud.world.applications for p in a.passwords]
    known = [deployment.cloud.environment[name] for name in ("AIVEN_AUTH_TOKEN", "AZURE_CLIENT_SECRET")]
    told = "\n".join((str(status), str(deployment.instance(status["id"])), str(deployment.record(status["id"]))))
    for secret in (*passwords, *known, "eyJ"):
        assert secret not in told
        assert secret not in caplog.text


# locks and disabled subscriptions, before and after the look


def _vnet_scope(deployment: Deployment) -> str:
    return vnet_of(deployment).id


@pytest.mark.situation("scope-locked-read-only")
def test_a_plan_sees_a_lock_and_a_start_ends_at_it(deployment: Deployment) -> None:
    scope = _vnet_scope(deployment)
    deployment.event(kind="add-lock", scope=scope.rpartition("/providers/")[0], level="ReadOnly", name="freeze")
    plan = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    assert [(o["code"], "freeze" in o["detail"]) for o in plan["obstacles"]] == [("scope-locked", True)]
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "scope-locked")
    assert deployment.cloud_state()["applications"] == [
        a for a in deployment.cloud_state()["applications"] if not a["uniqueName"]
    ]


@pytest.mark.situation("scope-locked-cannot-delete")
def test_a_plan_warns_of_a_lock_that_only_a_removal_meets(deployment: Deployment) -> None:
    scope = _vnet_scope(deployment)
    deployment.event(kind="add-lock", scope=scope, level="CanNotDelete", name="keep")
    plan = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    assert plan["obstacles"] == []
    assert any("keep" in warning for warning in plan["warnings"])
    status = deployment.settle()
    assert status["state"] == "connected"
    removed = deployment.remove(status["id"])
    assert (removed["state"], removed["problem"]["code"]) == ("removal-failed", "scope-locked")
    deployment.event(kind="remove-lock", scope=scope, name="keep")
    assert deployment.remove(status["id"])["state"] == "removed"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"kind": "add-lock", "level": "ReadOnly"}, "scope-locked"),
        ({"kind": "disable-subscription"}, "subscription-disabled"),
    ],
)
def test_what_comes_after_the_look_is_met_from_the_remote(
    deployment: Deployment, event: dict[str, str], code: str
) -> None:
    deployment.knobs(approved=600)
    identity = deployment.start()
    while_waiting(deployment, identity, "pending_peer")
    vnet = vnet_of(deployment)
    scope = {"scope": vnet.id} if event["kind"] == "add-lock" else {"subscription_id": vnet.subscription_id}
    deployment.event(**event, **scope)
    status = deployment.until(identity)
    assert (status["state"], status["problem"]["code"]) == ("failed", code)
    again = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    assert code in [obstacle["code"] for obstacle in again["obstacles"]]


@pytest.mark.situation("app-management-policy-disabled")
def test_a_restriction_that_is_switched_off_is_no_obstacle(tmp_path: Path) -> None:
    restriction = {
        "restrictionType": "passwordAddition",
        "state": "disabled",
        "maxLifetime": None,
        "restrictForAppsCreatedAfterDateTime": "2021-01-01T00:00:00Z",
    }
    policy = {
        "isEnabled": True,
        "applicationRestrictions": {"passwordCredentials": [restriction], "keyCredentials": []},
    }
    fault = {"host": r"graph\.microsoft\.com", "path": "/policies/defaultAppManagementPolicy", "status": 200}
    with deploy(tmp_path, Scenario.model_validate({"graph_policy_read": True})) as deployment:
        deployment.knobs(faults=[{**fault, "body": policy, "times": 1000}])
        assert deployment.settle()["state"] == "connected"
        restriction["state"] = "enabled"
        deployment.knobs(faults=[{**fault, "body": policy, "times": 1000}])
        other = [v.id for v in deployment.cloud.world.vnets.values() if v.name == "Spoke-001"]
        refused = deployment.settle(vnet_id=other[0])
        assert (refused["state"], refused["problem"]["code"]) == ("failed", "secret-policy")


@pytest.mark.situation("vault-in-access-policy-model")
def test_a_vault_that_decides_by_access_policies_is_asked_for_those(deployment: Deployment) -> None:
    (vault,) = deployment.cloud.world.vaults.values()
    me = deployment.cloud.landscape.automation.id
    vault.policies = {me: ["get", "list"]}
    plan = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request()).json()
    (obstacle,) = plan["obstacles"]
    assert obstacle["code"] == "vault-access-policy-missing"
    assert "access policy" in obstacle["remedy"]
    vault.policies = {me: ["get", "list", "set", "delete", "recover"]}
    assert deployment.settle()["state"] == "connected"


# rights follow the request


def test_rights_go_down_with_the_request(deployment: Deployment) -> None:
    status = deployment.settle(role="Network Contributor")
    assert status["state"] == "connected", status.get("problem")
    less = deployment.settle(role="least-privilege")
    assert less["state"] == "connected", less.get("problem")
    user = less["facts"]["user_principal_id"]
    held = [a for a in deployment.cloud_state()["roleAssignments"] if a["properties"]["principalId"] == user]
    assert len(held) == 1
    assert is_well(deployment, status)


def test_a_renamed_role_leaves_no_old_one_behind(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    status = deployment.settle(user_role_name="the first name")
    assert deployment.settle(user_role_name="the second name")["state"] == "connected"
    names = [role["properties"]["roleName"] for role in deployment.cloud_state()["roleDefinitions"]]
    assert "the first name" not in names
    assert "the second name" in names
    assert deployment.remove(status["id"])["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.situation("azure-cli-not-signed-in")
def test_without_the_azure_cli_it_ends_at_once_and_says_why(tmp_path: Path) -> None:
    with deploy(tmp_path, settings={"AZURE_CREDENTIAL": "azure-cli", "PATH": str(tmp_path)}) as deployment:
        problem = deployment.api.post("/api/peerings", json=deployment.request()).json()
        assert (problem["code"], problem["remote"]["service"]) == ("automation-sign-in-failed", "the Azure CLI")
        assert "Azure CLI not found" in problem["detail"]
        assert "Install the Azure CLI" in problem["detail"]


#: What `az` says without a signed-in user, and after a sign-in has expired.
_NOBODY_SIGNED_IN: Final = (
    "ERROR: Please run 'az login' to setup account.",
    "ERROR: AADSTS70043: The refresh token has expired. Trace ID: t",
)


@pytest.mark.situation("azure-cli-not-signed-in")
@pytest.mark.parametrize("said", _NOBODY_SIGNED_IN)
def test_an_azure_cli_that_nobody_is_signed_in_to_says_what_to_do(tmp_path: Path, said: str) -> None:
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n')
    az.chmod(0o755)
    with deploy(tmp_path, settings={"AZURE_CREDENTIAL": "azure-cli", "PATH": f"{tmp_path}:/bin"}) as deployment:
        problem = deployment.api.post("/api/peerings", json=deployment.request()).json()
        assert (problem["code"], problem["remote"]["service"]) == ("automation-sign-in-failed", "the Azure CLI")
        assert "sign in with `az login` as the user that it runs as" in problem["detail"]
        assert "Trace ID" not in problem["detail"]


@pytest.mark.situation("azure-cli-not-signed-in")
def test_an_azure_cli_that_is_slow_has_refused_nobody(tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\nexec sleep 9\n")
    az.chmod(0o755)
    settings = {"AZURE_CREDENTIAL": "azure-cli", "PATH": f"{tmp_path}:/bin", "READ_TIMEOUT_SECONDS": "1"}
    with deploy(tmp_path, settings=settings) as deployment:
        answer = deployment.api.post("/api/peerings", json=deployment.request())
        assert (answer.status_code, answer.json()["code"]) == (503, "registry-unavailable")


@pytest.mark.situation("managed-identity-unknown")
def test_an_identity_that_is_none_of_the_apps_is_refused_by_its_endpoint(tmp_path: Path) -> None:
    settings = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": "00000000-0000-4000-8000-000000000000"}
    with deploy(tmp_path, settings=settings) as deployment:
        problem = deployment.api.post("/api/peerings", json=deployment.request()).json()
        assert problem["code"] == "automation-sign-in-failed", problem
        assert problem["remote"]["service"] == "the managed identity endpoint"
        assert "00000000-0000-4000-8000-000000000000" in problem["detail"]


@pytest.mark.situation("federated-issuer-not-yet-known")
@pytest.mark.parametrize("number", [700211, 700212, 700213, 70021])
def test_a_federated_credential_that_is_not_known_yet_is_waited_for(tmp_path: Path, number: int) -> None:
    with deploy(tmp_path) as probe:
        client_id = probe.cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
    settings = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client_id}
    text = f"AADSTS{number}: No matching federated identity record found."
    body = {"error": "invalid_client", "error_description": text, "error_codes": [number]}
    fault = {"host": r"login\.microsoftonline\.com", "method": "POST", "path": "/oauth2/", "status": 401, "body": body}
    with deploy(tmp_path / "app", settings=settings) as deployment:
        deployment.knobs(faults=[{**fault, "times": 3}])
        status = deployment.settle(credential="federated")
        assert status["state"] == "connected", status.get("problem")


@pytest.mark.situation("fresh-peerings-listed-as-failed")
def test_no_list_says_failed_of_what_has_not_failed(tmp_path: Path) -> None:
    with deploy(tmp_path, Scenario.model_validate({"vnets": 12, "detect": 5})) as deployment:
        identities = [deployment.start(vnet_id=vnet) for vnet in deployment.cloud.vnet_ids]

        def states_seen(_: int) -> set[str]:
            """The states in lists that are asked for one after the other until nothing runs any more."""
            seen: set[str] = set()
            while "running" in (now := {p["state"] for p in deployment.api.get("/api/peerings").json()["peerings"]}):
                seen |= now
            return seen | now

        with ThreadPoolExecutor(4) as readers:
            assert all("failed" not in seen for seen in readers.map(states_seen, range(4)))
        assert {deployment.until(identity)["state"] for identity in identities} == {"connected"}


def test_every_situation_has_a_test() -> None:
    marks = [mark for one in globals().values() for mark in getattr(one, "pytestmark", [])]
    played = {mark.args[0] for mark in marks if mark.name == "situation"}
    assert played - {case.name for case in CASES} == set(SITUATIONS)
