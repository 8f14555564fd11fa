"""Bad answers that come once or twice: nothing is begun because of them, nothing lost, no text breaks the reader."""

from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud.world.world import SecretVersion
from local.deployment import Deployment, deploy
from tests.workflows.by_hand import made_by_hand
from tests.workflows.managed_identity import as_identity
from tests.workflows.plans import codes, plan
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.waiting import NEVER
from triggers.documents.problem_documents import LONGEST_SHOWN

ARM, GRAPH, VAULT, AIVEN = (
    r"management\.azure\.com",
    r"graph\.microsoft\.com",
    r".*\.vault\.azure\.net",
    r"api\.aiven\.io",
)
#: For as long as a test takes.
ALWAYS: Final = 10_000


def own_application(deployment: Deployment) -> Any:  # noqa: ANN401 - the local cloud's
    """The application that the app has made."""
    (found,) = [one for one in deployment.cloud.world.applications if one.unique_name]
    return found


@pytest.mark.parametrize("path", ["^/subscriptions/[^/]+/providers/.*/roleAssignments$", "/roleDefinitions$"])
def test_a_token_that_is_refused_once_costs_no_look(deployment: Deployment, path: str) -> None:
    identity = deployment.settle()["id"]
    refused = {"host": ARM, "method": "GET", "path": path, "status": 401, "code": "ExpiredAuthenticationToken"}
    deployment.knobs(faults=[refused])
    health = deployment.check(identity)["health"]
    assert (health["verdict"], health["problems"]) == ("healthy", [])


def test_a_token_that_is_refused_once_is_replaced_and_the_call_made_once_more(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    vnet = deployment.cloud.vnet_ids[0]

    def asked() -> tuple[list[int], int]:
        """The answers to the look at the VNet, and how many tokens were asked for, of one check."""
        deployment.clear_requests()
        assert deployment.check(identity)["health"]["verdict"] == "healthy"
        requests = deployment.cloud.requests
        looks = [one.status for one in requests if one.path == vnet and one.method == "GET"]
        return looks, len([one for one in requests if one.service == "entra" and one.path.endswith("/token")])

    assert asked() == ([200], 0)
    deployment.knobs(
        faults=[{"host": ARM, "method": "GET", "path": f"^{vnet}$", "status": 401, "code": "ExpiredToken"}]
    )
    assert asked() == ([401, 200], 1)


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
@pytest.mark.parametrize("name", ["id", "appId"])
def test_an_object_of_graphs_without_its_id_is_asked_for_again(deployment: Deployment, kind: str, name: str) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": GRAPH, "method": "GET", "path": f"/{kind}$", "without": name}])
    health = deployment.check(identity)["health"]
    assert [one["code"] for one in health["problems"]] in ([], ["remote-unavailable"])


@pytest.mark.parametrize(
    "shown",
    [{"status": 200, "body": {"value": []}}, {"without": "tags"}, {"status": 404, "code": "SecretNotFound"}],
    ids=["nothing", "no tags", "no secret"],
)
def test_a_rotation_that_cannot_make_a_password_leaves_the_one_in_use(
    deployment: Deployment, shown: dict[str, Any]
) -> None:
    status = deployment.settle()
    refused = {"error": {"code": "CredentialTypeNotAllowedAsPerAppPolicy", "message": "no"}}
    deployment.knobs(
        faults=[
            {"host": VAULT, "method": "GET", "path": "/versions", **shown},
            {"host": GRAPH, "method": "POST", "path": "addPassword", "status": 400, "body": refused, "times": ALWAYS},
        ]
    )
    deployment.rotate(status["id"])
    (password,) = own_application(deployment).passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]


@pytest.mark.parametrize("name", ["passwordCredentials", "keyId"])
def test_a_password_that_is_not_shown_once_does_not_outlive_its_rotation(deployment: Deployment, name: str) -> None:
    status = deployment.settle()
    deployment.until_ended(status["id"])
    # The third look of a rotation is the one before the old password goes.
    left_out = {"host": GRAPH, "method": "GET", "path": "/applications/[^/]+$", "without": name, "times": 3}
    deployment.knobs(faults=[left_out])
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    (password,) = own_application(deployment).passwords
    assert password.key_id == deployment.record(status["id"])["facts"]["secret_key_id"]


@pytest.mark.parametrize("name", ["passwordCredentials", "keyId"])
def test_a_password_that_is_not_shown_is_not_rotated(deployment: Deployment, name: str) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": GRAPH, "method": "GET", "path": "/applications$", "without": name, "times": 2}])
    assert [run["operation"] for run in deployment.check(identity)["runs"]] == ["establish"]


@pytest.mark.both_kinds
def test_connections_that_are_not_shown_are_not_made_again(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    left_out = {"host": AIVEN, "method": "GET", "path": "/vpcs/", "without": "peering_connections", "times": 3}
    deployment.knobs(faults=[left_out])
    assert [run["operation"] for run in deployment.check(identity)["runs"]] == ["establish"]


def test_a_message_that_is_no_text_is_a_refusal_like_any_other(deployment: Deployment) -> None:
    body = {"error": {"code": "New", "message": ["x"]}}
    refused = {"host": ARM, "method": "PUT", "path": "/roleAssignments/", "status": 400, "body": body, "times": ALWAYS}
    deployment.knobs(faults=[refused])
    assert deployment.settle()["problem"]["code"] == "remote-refused"


def test_all_of_a_refusal_is_in_the_run_and_the_report_and_its_beginning_in_the_status(deployment: Deployment) -> None:
    text = f"Disallowed. {'by your policy ' * 400} THE END"
    body = {"error": {"code": "RequestDisallowedByPolicy", "message": text}}
    where = {"host": ARM, "method": "PUT", "path": "/virtualNetworkPeerings/"}
    deployment.knobs(faults=[{**where, "status": 403, "body": body, "times": ALWAYS}])
    status = deployment.settle()
    assert status["problem"]["detail"].startswith("Disallowed.")
    for shown in (status["problem"], status["runs"][-1]["problem"]):
        assert len(shown["detail"]) <= LONGEST_SHOWN + 200
    path = f"/api/peerings/{status['id']}"
    assert "THE END" in deployment.api.get(f"{path}/runs/{status['run']}").text
    assert "THE END" in deployment.api.get(f"{path}/report").text


@pytest.mark.both_kinds
def test_an_answer_of_aivens_that_tells_of_an_error_is_no_success(deployment: Deployment) -> None:
    body = {"error": "quota", "message": "Too many connections"}
    where = {"host": AIVEN, "method": "POST", "path": "/peering-connections$"}
    deployment.knobs(faults=[{**where, "status": 200, "body": body, "times": ALWAYS}])
    problem = deployment.settle()["problem"]
    assert (problem["code"], "Too many connections" in problem["detail"]) == ("remote-unavailable", True)


@pytest.mark.parametrize("answer", [{"status": 404, "code": "Request_ResourceNotFound"}, {"status": 200, "body": {}}])
def test_an_application_is_gone_for_good_whatever_one_answer_says(
    deployment: Deployment, answer: dict[str, Any]
) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": GRAPH, "method": "DELETE", "path": "/directory/deletedItems", **answer}])
    assert deployment.remove(identity)["state"] == "removed"
    assert list(deployment.cloud.world.deleted_applications) == []


@pytest.mark.parametrize("kind", ["roleAssignments", "roleDefinitions"])
def test_a_list_that_is_not_found_says_nothing_about_the_vnet(deployment: Deployment, kind: str) -> None:
    identity = deployment.settle()["id"]
    where = {"host": ARM, "method": "GET", "path": f"/virtualNetworks/[^/]+/.*/{kind}$"}
    deployment.knobs(faults=[{**where, "status": 404, "code": "ResourceNotFound", "times": ALWAYS}])
    health = deployment.check(identity)["health"]
    assert (health["verdict"], {one["code"] for one in health["problems"]}) == ("unknown", {"remote-unavailable"})


def test_a_version_that_does_not_say_whether_it_is_enabled_ends_no_look(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    assert deployment.rotate(identity)["runs"][-1]["state"] == "rotated"
    (vault,) = deployment.cloud.world.vaults.values()
    ((older, _),) = vault.secrets.values()
    older.enabled = None  # type: ignore[assignment]
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    assert codes(plan(deployment)) == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_secret_without_its_id_is_looked_for_again(deployment: Deployment, method: str) -> None:
    deployment.knobs(faults=[{"host": VAULT, "method": method, "path": "/secrets/", "without": "id"}])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    (password,) = own_application(deployment).passwords
    assert password.key_id == status["facts"]["secret_key_id"]


def test_a_password_that_the_vault_refuses_is_removed_at_once(deployment: Deployment) -> None:
    deployment.knobs(faults=[{"host": VAULT, "method": "PUT", "status": 401, "code": "Unauthorized"}])
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
    assert len(own_application(deployment).passwords) == 1


@pytest.mark.parametrize("look", range(4))
def test_a_rotation_that_the_vault_shows_nothing_leaves_the_new_password(deployment: Deployment, look: int) -> None:
    identity = deployment.settle()["id"]
    where = {"host": VAULT, "method": "GET", "path": "/versions", "skip": look}
    deployment.knobs(faults=[{**where, "status": 200, "body": {"value": []}}])
    rotated = deployment.rotate(identity)
    assert (rotated["runs"][-1]["state"], rotated["health"]["verdict"]) == ("rotated", "healthy"), rotated["runs"]
    (password,) = own_application(deployment).passwords
    assert password.key_id == deployment.record(identity)["facts"]["secret_key_id"]


@pytest.mark.parametrize("is_swept", [False, True], ids=["check", "sweep"])
@pytest.mark.parametrize("is_put_by_a_person", [False, True], ids=["own", "a person's"])
def test_a_secret_whose_tags_are_never_shown_is_not_rotated(
    deployment: Deployment, is_swept: bool, is_put_by_a_person: bool
) -> None:
    status = deployment.settle()
    (vault,) = deployment.cloud.world.vaults.values()
    versions = vault.secrets[status["facts"]["secret_name"]]
    if is_put_by_a_person:
        later = deployment.cloud.world.after(5)
        versions.append(SecretVersion("f" * 32, "by hand", later, {}, None, None, True))
    deployment.knobs(faults=[{"host": VAULT, "method": "GET", "without": "tags", "times": ALWAYS}])
    if is_swept:
        sweep(deployment)
        until_swept(deployment)
    else:
        deployment.check(status["id"])
    found = deployment.until(status["id"])
    assert (found["health"]["verdict"], [run["operation"] for run in found["runs"]]) == ("healthy", ["establish"])


def test_a_secret_with_other_tags_is_not_rotated(deployment: Deployment) -> None:
    status = deployment.settle()
    (vault,) = deployment.cloud.world.vaults.values()
    (version,) = vault.secrets[status["facts"]["secret_name"]]
    version.tags = {"owner": "the network team", **dict.fromkeys(version.tags, "another")}
    found = deployment.check(status["id"])
    assert (found["health"]["verdict"], [run["operation"] for run in found["runs"]]) == ("healthy", ["establish"])


def test_a_version_that_a_person_has_put_is_neither_taken_for_the_one_in_use_nor_rotated(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    (vault,) = deployment.cloud.world.vaults.values()
    later = deployment.cloud.world.after(5)
    vault.secrets[status["facts"]["secret_name"]].append(
        SecretVersion("f" * 32, "by hand", later, {}, None, None, True)
    )
    found = deployment.check(status["id"])
    assert (found["health"]["verdict"], [run["operation"] for run in found["runs"]]) == ("healthy", ["establish"])
    rotated = deployment.rotate(status["id"])
    assert (rotated["runs"][-1]["state"], rotated["health"]["verdict"]) == ("rotated", "healthy")


def test_a_rotation_whose_secret_comes_back_without_tags_keeps_the_new_password(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": VAULT, "method": "PUT", "without": "tags"}])
    rotated = deployment.rotate(identity)
    assert (rotated["runs"][-1]["state"], rotated["health"]["verdict"]) == ("rotated", "healthy"), rotated["runs"]
    (password,) = own_application(deployment).passwords
    assert password.key_id == deployment.record(identity)["facts"]["secret_key_id"]


_FEDERATED_LEFT_OUT: Final = {"host": GRAPH, "method": "GET", "path": "/federatedIdentityCredentials$"}


@pytest.mark.parametrize("name", ["value", "name", "id"])
def test_a_federated_credential_that_is_not_shown_once_does_not_outlive_its_rotation(tmp_path: Path, name: str) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        identity = deployment.settle(credential="federated")["id"]
        deployment.until_ended(identity)
        deployment.knobs(faults=[{**_FEDERATED_LEFT_OUT, "without": name}])
        assert deployment.rotate(identity, credential="secret")["runs"][-1]["state"] == "rotated"
        application = own_application(deployment)
        assert (len(application.passwords), application.federated) == (1, [])


def test_a_federated_credential_that_is_not_shown_once_stays_where_a_password_is_refused(tmp_path: Path) -> None:
    with deploy(tmp_path, settings={**as_identity(tmp_path), "PROPAGATION_DEADLINE_MINUTES": "2"}) as deployment:
        identity = deployment.settle(credential="federated")["id"]
        deployment.until_ended(identity)
        deployment.knobs(secret_accepted=NEVER, faults=[{**_FEDERATED_LEFT_OUT, "without": "value"}])
        assert deployment.rotate(identity, credential="secret")["runs"][-1]["state"] == "failed"
        application = own_application(deployment)
        assert (application.passwords, len(application.federated)) == ([], 1)
        assert deployment.record(identity)["facts"]["credential"] == "federated"


def test_an_application_is_handed_back_without_a_federated_credential_that_is_not_shown_once(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        vnet_id = deployment.cloud.vnet_ids[0]
        application = made_by_hand(deployment.cloud, vnet_id)
        identity = deployment.settle(vnet_id=vnet_id, adopt=True, credential="federated")["id"]
        assert len(application.federated) == 1
        deployment.knobs(faults=[{**_FEDERATED_LEFT_OUT, "without": "value"}])
        assert deployment.remove(identity)["state"] == "removed"
        assert application.federated == []


def test_a_refused_password_whose_tags_are_not_shown_goes(tmp_path: Path) -> None:
    with deploy(tmp_path, settings={"PROPAGATION_DEADLINE_MINUTES": "2"}) as deployment:
        status = deployment.settle()
        deployment.until_ended(status["id"])
        left_out = {"host": VAULT, "method": "GET", "path": "/versions", "without": "tags", "times": ALWAYS}
        deployment.knobs(secret_accepted=NEVER, faults=[left_out])
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "failed"
        (password,) = own_application(deployment).passwords
        assert password.key_id == status["facts"]["secret_key_id"]
        (vault,) = deployment.cloud.world.vaults.values()
        (versions,) = vault.secrets.values()
        assert [version.enabled for version in versions] == [True, False]


@pytest.mark.parametrize("is_swept", [False, True], ids=["check", "sweep"])
def test_a_secret_that_is_not_shown_is_not_rotated(deployment: Deployment, is_swept: bool) -> None:
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"host": VAULT, "method": "GET", "path": "/secrets", "without": "value", "times": 3}])
    if is_swept:
        sweep(deployment)
        until_swept(deployment)
    else:
        deployment.check(identity)
    assert [run["operation"] for run in deployment.until(identity)["runs"]] == ["establish"]


def test_a_secret_that_is_not_shown_is_not_taken_for_deleted(deployment: Deployment) -> None:
    identity = deployment.settle()["id"]
    not_found = {"host": VAULT, "method": "DELETE", "path": "/secrets/", "status": 404, "code": "SecretNotFound"}
    left_out = {"host": VAULT, "method": "GET", "path": "/versions$", "without": "value", "times": 3}
    deployment.knobs(faults=[not_found, left_out])
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state()["secrets"] == []


def test_a_federated_credential_that_a_list_leaves_out_is_not_rotated(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        identity = deployment.settle(credential="federated")["id"]
        name = "federatedIdentityCredentials"
        deployment.knobs(
            faults=[{"host": GRAPH, "method": "GET", "path": "/applications$", "without": name, "times": 2}]
        )
        assert [run["operation"] for run in deployment.check(identity)["runs"]] == ["establish"]


def test_a_service_principal_whose_tags_are_not_shown_is_not_left_behind(deployment: Deployment) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(
        faults=[{"host": GRAPH, "method": "GET", "path": "/servicePrincipals", "without": "tags", "times": 3}]
    )
    assert deployment.remove(identity)["state"] == "removed"
    assert deployment.cloud_state() == before


@pytest.mark.parametrize(("host", "path"), [(ARM, "/virtualNetworkPeerings"), (AIVEN, "/vpcs/"), (VAULT, "/secrets/")])
def test_a_removal_believes_no_gateway_that_a_thing_is_not_there(deployment: Deployment, host: str, path: str) -> None:
    identity = deployment.settle()["id"]
    gateway = {"status": 404, "body": {"message": "no Route matched with those values"}, "times": ALWAYS}
    deployment.knobs(faults=[{"host": host, "path": path, "method": "GET", **gateway}])
    failed = deployment.remove(identity)
    assert (failed["state"], failed["problem"]["code"]) == ("removal-failed", "remote-unavailable")
    deployment.knobs(faults=[])
    assert deployment.remove(identity)["state"] == "removed"


def test_a_password_whose_id_is_left_out_removes_none(deployment: Deployment) -> None:
    status = deployment.settle()
    before = own_application(deployment).passwords[0].key_id
    deployment.knobs(faults=[{"host": GRAPH, "method": "POST", "path": "addPassword", "without": "keyId"}])
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    (password,) = own_application(deployment).passwords
    assert password.key_id not in (before, None)
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


#: What a removal reads and might take for gone, or for another's, and how often it is so shown.
MISTAKEN: Final[dict[str, dict[str, Any]]] = {
    "the VPC": {"host": AIVEN, "path": "/vpcs?/[^/]+$", "status": 404, "skip": 1, "times": 3},
    "the VNet's side": {"host": ARM, "path": "/virtualNetworkPeerings/[^/]+$", "status": 404, "times": 3},
    "the role's actions": {"host": ARM, "path": "/roleDefinitions$", "without": "actions"},
    "the role's scopes": {"host": ARM, "path": "/roleDefinitions$", "without": "assignableScopes"},
    "the application's id": {"host": GRAPH, "path": r"applications\(uniqueName", "without": "id"},
    "the application's other id": {"host": GRAPH, "path": r"applications\(uniqueName", "without": "appId"},
}


@pytest.mark.both_kinds
@pytest.mark.parametrize("mistaken", MISTAKEN)
def test_a_removal_leaves_nothing_of_what_is_not_shown_for_a_while(deployment: Deployment, mistaken: str) -> None:
    before = deployment.cloud_state()
    identity = deployment.settle()["id"]
    deployment.knobs(faults=[{"method": "GET", "code": "ResourceNotFound", **MISTAKEN[mistaken]}])
    removed = deployment.remove(identity)
    assert removed["state"] == "removed", removed.get("problem")
    assert deployment.cloud_state() == before
