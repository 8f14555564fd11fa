"""Key Vault: pages, versions that can be disabled, and deletion that takes a while."""

import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from tests.cloud.callers import Callers


@pytest.fixture
def client(cloud: Callers) -> SecretClient:
    """The SDK as the automation identity."""
    environment = cloud.cloud.environment
    secret = (environment[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    return SecretClient(cloud.vault_url, ClientSecretCredential(*secret))


def inner_code(cloud: Callers, method: str, path: str, body: object = None) -> tuple[int, str]:
    """The status and the inner code of a refusal."""
    answer = cloud.vault(method, path, body)
    return answer.status_code, str(answer.json()["error"]["innererror"]["code"])


def test_lists_come_in_pages_that_the_sdk_follows(cloud: Callers, client: SecretClient) -> None:
    for number in range(60):
        client.set_secret(f"secret-{number}", "value")
    for _ in range(30):
        client.set_secret("secret-0", "another value")
    assert [s.name for s in client.list_properties_of_secrets()] == [f"secret-{number}" for number in range(60)]
    assert len(list(client.list_properties_of_secret_versions("secret-0"))) == 31
    page = cloud.vault("GET", "/secrets").json()
    assert (len(page["value"]), "$skiptoken" in page["nextLink"] or "%24skiptoken" in page["nextLink"]) == (25, True)


def test_a_version_is_disabled_by_itself(cloud: Callers, client: SecretClient) -> None:
    first, second = client.set_secret("one", "first"), client.set_secret("one", "second")
    client.update_secret_properties("one", first.properties.version, enabled=False)
    assert client.get_secret("one").value == "second"
    assert inner_code(cloud, "GET", f"/secrets/one/{first.properties.version}") == (403, "SecretDisabled")
    enabled = {v.version: v.enabled for v in client.list_properties_of_secret_versions("one")}
    assert enabled == {first.properties.version: False, second.properties.version: True}
    assert cloud.vault("PATCH", f"/secrets/one/{'0' * 32}", {"tags": {}}).status_code == 404


def test_a_deletion_shows_after_a_while(cloud: Callers, client: SecretClient) -> None:
    cloud.knobs(secret_deleted=30)
    client.set_secret("one", "value")
    assert cloud.vault("DELETE", "/secrets/one").status_code == 200
    assert cloud.vault("GET", "/secrets/one/").status_code == 404
    assert cloud.vault("GET", "/deletedsecrets/one").status_code == 404
    assert cloud.vault("GET", "/deletedsecrets").json()["value"] == []
    being_deleted = (409, "ObjectIsBeingDeleted")
    assert inner_code(cloud, "PUT", "/secrets/one", {"value": "x"}) == being_deleted
    assert inner_code(cloud, "POST", "/deletedsecrets/one/recover") == being_deleted
    cloud.wait(31)
    assert cloud.vault("GET", "/deletedsecrets/one").status_code == 200
    assert inner_code(cloud, "PUT", "/secrets/one", {"value": "x"}) == (409, "ObjectIsDeletedButRecoverable")
    assert [s.name for s in client.list_deleted_secrets()] == ["one"]
    assert cloud.vault("POST", "/deletedsecrets/one/recover").status_code == 200
    assert client.get_secret("one").value == "value"


def test_a_purged_name_is_free(cloud: Callers, client: SecretClient) -> None:
    client.set_secret("one", "value")
    client.begin_delete_secret("one").wait()
    client.purge_deleted_secret("one")
    assert client.set_secret("one", "another").value == "another"
    assert cloud.vault("GET", "/deletedsecrets/one").status_code == 404


def test_too_many_requests_in_ten_seconds_are_refused(cloud: Callers) -> None:
    cloud.knobs(vault_requests_per_10_seconds=2)
    assert [cloud.vault("GET", "/secrets").status_code for _ in range(3)] == [200, 200, 429]
    assert cloud.vault("GET", "/secrets").headers["retry-after"] in ("10", "11")
    cloud.wait(11)
    assert cloud.vault("GET", "/secrets").status_code == 200
