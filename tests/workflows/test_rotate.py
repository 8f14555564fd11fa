"""A new credential is proven in both tenants before the old one goes, also from one kind to the other."""

import pytest

from local.deployment import Deployment
from tests.workflows.cloud_objects import application_of, passwords_of


@pytest.mark.both_kinds
@pytest.mark.life
@pytest.mark.engine_part
def test_the_old_password_goes_once_the_new_one_is_proven_in_both_tenants(shared: Deployment, vnet_id: str) -> None:
    before = shared.settle(vnet_id=vnet_id)
    (old,) = passwords_of(shared, before)
    shared.knobs(secret_accepted=30)
    shared.clear_requests()
    after = shared.rotate(before["id"])
    shared.knobs(secret_accepted=0)
    assert (after["state"], after["operation"], after["health"]["verdict"]) == ("connected", "rotate", "healthy")
    (new,) = passwords_of(shared, after)
    assert new.key_id != old.key_id
    assert after["facts"]["secret_version"] != before["facts"]["secret_version"]
    tokens = [r.path.split("/")[1] for r in shared.cloud.requests if r.service == "entra" and r.status == 200]
    found = shared.cloud.landscape
    assert {found.customer_tenant, found.platform_tenant} <= set(tokens)
    proven = next(step for step in after["steps"] if step["name"] == "prove_credential")
    # A hostile host may take so long that the first try succeeds.
    assert proven["tries"] > 1 or shared.host.hostility.is_hostile
    assert (_enabled(shared, before), _enabled(shared, after)) == ("disabled", "enabled")


def _enabled(deployment: Deployment, status: dict[str, dict[str, str]]) -> str:
    vault = next(iter(deployment.cloud.world.vaults.values()))
    facts = status["facts"]
    version = next(v for v in vault.secrets[facts["secret_name"]] if v.version == facts["secret_version"])
    return "enabled" if version.enabled else "disabled"


@pytest.mark.engine_part
def test_a_password_that_cannot_be_verified_is_removed_again(shared: Deployment, vnet_id: str) -> None:
    before = shared.settle(vnet_id=vnet_id)
    application = application_of(shared, before["facts"]["application_id"])
    kept = [password.key_id for password in application.passwords]
    shared.knobs(secret_accepted=3600)
    after = shared.rotate(before["id"])
    shared.knobs(secret_accepted=0)
    run = after["runs"][-1]
    assert (after["state"], run["state"], run["problem"]["code"]) == ("connected", "failed", "secret-not-accepted")
    assert [password.key_id for password in application.passwords] == kept
    assert _enabled(shared, before) == "enabled"
    repaired = shared.rotate(before["id"])
    assert repaired["runs"][-1]["state"] == "rotated"
    assert len(application.passwords) == 1


@pytest.mark.life
def test_it_is_rotated_by_itself_before_it_expires_and_once(shared: Deployment, vnet_id: str) -> None:
    before = shared.settle(vnet_id=vnet_id)
    (old,) = passwords_of(shared, before)
    shared.event(kind="set-secret-expiry", name=before["facts"]["secret_name"], days=20)
    checked = shared.check(before["id"])
    assert checked["operation"] == "rotate"
    assert checked["health"]["verdict"] == "healthy", checked
    assert [password.key_id for password in passwords_of(shared, checked)] != [old.key_id]
    assert checked["runs"][-1]["by"]["name"] == "aiven-azure-peering"
    runs = len(checked["runs"])
    assert len(shared.check(before["id"])["runs"]) == runs


def test_the_rotation_of_an_application_that_was_deleted_says_so(shared: Deployment, vnet_id: str) -> None:
    before = shared.settle(vnet_id=vnet_id, repair="off")
    shared.event(kind="delete-application", app_id=before["facts"]["application_id"])
    after = shared.rotate(before["id"])
    shared.event(kind="restore-application", app_id=before["facts"]["application_id"])
    run = after["runs"][-1]
    assert (after["state"], run["state"], run["problem"]["code"]) == ("connected", "failed", "application-missing")
    assert shared.rotate(before["id"])["runs"][-1]["state"] == "rotated"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"credential": "password"}, "credential"), ({"kind": "secret"}, "kind"), ([], "(body)")],
)
def test_a_bad_request_rotates_nothing(shared: Deployment, vnet_id: str, body: object, field: str) -> None:
    identity = shared.settle(vnet_id=vnet_id)["id"]
    shared.clear_requests()
    answer = shared.api.post(f"/api/peerings/{identity}/rotate", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert shared.writes() == []


def test_without_a_managed_identity_there_is_no_federated_credential(shared: Deployment, vnet_id: str) -> None:
    identity = shared.settle(vnet_id=vnet_id)["id"]
    answer = shared.api.post(f"/api/peerings/{identity}/rotate", json={"credential": "federated"})
    assert answer.json()["code"] == "federated-needs-managed-identity"
    answer = shared.api.post("/api/peerings", json=shared.request(credential="federated"))
    assert answer.json()["code"] == "federated-needs-managed-identity"


def test_an_expired_password_is_rotated_before_the_side_is_recreated(shared: Deployment, vnet_id: str) -> None:
    before = shared.settle(vnet_id=vnet_id)
    facts = before["facts"]
    shared.event(kind="set-password-end", app_id=facts["application_id"], days=-1)
    shared.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    checked = shared.check(before["id"])
    assert (checked["state"], checked["health"]["verdict"]) == ("connected", "healthy"), checked["health"]
    assert [run["operation"] for run in checked["runs"]] == ["establish", "rotate", "repair"]
