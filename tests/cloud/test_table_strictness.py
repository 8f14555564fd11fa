"""The Table service's refusals and headers, where Azurite is laxer than the genuine service, or has no such thing.

The sources are the Table service's REST documentation and its limits ("Understanding the Table service data model",
"Performing entity group transactions", "Table service error codes"), and the SDKs' recordings of the genuine service.
"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableServiceClient,
    TableTransactionError,
    TransactionOperation,
)
from azure.data.tables.aio import TableClient as AsyncTableClient
from azure.identity.aio import ClientSecretCredential as AsyncCredential

from local.cloud.arm.roles import TABLE_CONTRIBUTOR, TABLE_READER
from local.cloud.table_service.entities import Entity
from tests.cloud.callers import Callers, callers
from tests.cloud.table_services import credential

ENTITY = "/Notes(PartitionKey='p',RowKey='r')"
BODY = {"PartitionKey": "p", "RowKey": "r", "n": 1}


@pytest.fixture
def table(cloud: Callers) -> TableClient:
    """A table of the local cloud."""
    service = TableServiceClient(cloud.cloud.environment["REGISTRY_TABLE_ENDPOINT"], credential=credential(cloud))
    return service.create_table("Notes")


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, str(answer.json()["odata.error"]["code"])


def only_role(cloud: Callers, role_name: str | None) -> None:
    """Leave the automation identity one role for tables, or none."""
    world, principal = cloud.cloud.world, cloud.cloud.landscape.automation.id
    account = world.storage_accounts[cloud.cloud.landscape.storage_account]
    world.assignments[:] = [a for a in world.assignments if a.role not in (TABLE_CONTRIBUTOR, TABLE_READER)]
    role = world.role(role_name) if role_name else None
    if role is not None:
        world.assign(world.guid(), account.id, role, principal)


# Who may.


def test_a_reader_reads_only(cloud: Callers, table: TableClient) -> None:
    table.create_entity(BODY)
    only_role(cloud, TABLE_READER)
    assert table.get_entity("p", "r")["n"] == 1
    refused = (403, "AuthorizationPermissionMismatch")
    assert code_of(cloud.table("POST", "/Notes", {**BODY, "RowKey": "2"})) == refused
    assert code_of(cloud.table("PUT", ENTITY, {"n": 2})) == refused
    assert code_of(cloud.table("DELETE", ENTITY, **{"if-match": "*"})) == refused
    assert code_of(cloud.table("POST", "/Tables", {"TableName": "More"})) == refused
    with pytest.raises(HttpResponseError) as transaction:
        table.submit_transaction([(TransactionOperation.UPSERT, {**BODY, "n": 2})])
    assert transaction.value.status_code == 403
    only_role(cloud, None)
    assert code_of(cloud.table("GET", ENTITY)) == refused


def test_a_token_has_to_be_for_storage(cloud: Callers, table: TableClient) -> None:
    new = {"x-ms-version": "2020-12-06"}
    wrong = {"authorization": f"Bearer {cloud.token('vault')}"}
    missing = httpx.get(table.url + "/Tables", headers=new)
    refused = [missing, cloud.table("GET", "/Tables", **wrong, **new)]
    assert [code_of(answer) for answer in refused] == [
        (401, "NoAuthenticationInformation"),
        (401, "InvalidAuthenticationInfo"),
    ]
    uri = f"https://login.microsoftonline.com/{cloud.cloud.landscape.customer_tenant}/oauth2/authorize"
    challenge = f"Bearer authorization_uri={uri} resource_id=https://storage.azure.com"
    assert {answer.headers["www-authenticate"] for answer in refused} == {challenge}
    # Versions before 2019-12-12 do not say where to get a token.
    old = cloud.table("GET", "/Tables", **wrong)
    assert (code_of(old), "www-authenticate" in old.headers) == ((403, "AuthenticationFailed"), False)


def test_a_password_that_is_wrong_shows_as_such(cloud: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cloud.cloud.environment, "AZURE_CLIENT_SECRET", "wrong")
    endpoint = cloud.cloud.environment["REGISTRY_TABLE_ENDPOINT"]
    with pytest.raises(ClientAuthenticationError):
        list(TableServiceClient(endpoint, credential=credential(cloud)).list_tables())


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("AzureUSGovernment", "core.usgovcloudapi.net"), ("AzureChinaCloud", "core.chinacloudapi.cn")],
)
def test_other_clouds_have_their_own_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    with callers(tmp_path, monkeypatch, cloud=name) as cloud:
        account = cloud.cloud.landscape.storage_account
        assert cloud.cloud.environment["REGISTRY_TABLE_ENDPOINT"] == f"https://{account}.table.{suffix}"
        with pytest.raises(httpx.ProxyError):
            httpx.get(f"https://another.table.{suffix}")
        assert httpx.get(f"https://{account}.table.{suffix}/Tables").status_code == 403


# What is refused.


@pytest.mark.parametrize("key", ["a/b", "a\\b", "a#b", "a?b", "a\tb", "a\x85b"])
def test_some_characters_are_not_for_keys(cloud: Callers, table: TableClient, key: str) -> None:
    assert code_of(cloud.table("POST", "/Notes", {**BODY, "RowKey": key})) == (400, "OutOfRangeInput")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"RowKey": "k" * 513}, "KeyValueTooLarge"),
        ({f"p{n}": n for n in range(253)}, "TooManyProperties"),
        ({f"text{n}": "x" * 32 * 1024 for n in range(17)}, "EntityTooLarge"),
        ({"p" * 256: 1}, "PropertyNameTooLong"),
        ({"not-a-name": 1}, "PropertyNameInvalid"),
        ({"RowKey": None}, "PropertiesNeedValue"),
        ({"n": 2**31}, "InvalidInput"),
        ({"n": [1]}, "InvalidInput"),
        ({"n": "x", "n@odata.type": "Edm.Int64"}, "InvalidInput"),
    ],
)
def test_an_entity_keeps_to_the_limits(cloud: Callers, table: TableClient, body: dict[str, object], code: str) -> None:
    assert code_of(cloud.table("POST", "/Notes", {**BODY, **body})) == (400, code)


@pytest.mark.parametrize("name", ["no", "1st", "a-b", "Tables", "t" * 64])
def test_a_table_has_a_plain_name(cloud: Callers, name: str) -> None:
    assert cloud.table("POST", "/Tables", {"TableName": name}).status_code == 400


def test_conditions_are_checked(cloud: Callers, table: TableClient) -> None:
    table.create_entity(BODY)
    assert cloud.table("DELETE", ENTITY).status_code == 400
    assert code_of(cloud.table("PUT", ENTITY, {}, **{"if-match": "abc"})) == (400, "InvalidInput")
    assert code_of(cloud.table("PUT", ENTITY, {}, **{"if-none-match": "*"})) == (400, "InvalidInput")
    assert code_of(cloud.table("PUT", ENTITY, {"RowKey": "2"})) == (400, "InvalidInput")


def test_a_filter_is_not_without_limits(cloud: Callers, table: TableClient) -> None:
    def asked(condition: str) -> tuple[int, str]:
        return code_of(cloud.table("GET", str(httpx.URL("/Notes()", params={"$filter": condition}))))

    assert asked(" or ".join(["n eq 1"] * 16)) == (400, "InvalidInput")
    assert asked("startswith(RowKey,'r')") == (501, "NotImplemented")
    assert asked("RowKey like 'r'") == (400, "InvalidInput")
    assert code_of(cloud.table("GET", "/Notes()?$top=1001")) == (400, "InvalidQueryParameterValue")


def test_a_transaction_is_refused_by_the_index_of_its_operation(table: TableClient) -> None:
    table.create_entity(BODY)
    create = TransactionOperation.CREATE
    with pytest.raises(TableTransactionError, match=r"^1:The specified entity already exists") as twice:
        table.submit_transaction([(create, {**BODY, "RowKey": "0"}), (create, BODY)])
    assert (twice.value.index, twice.value.status_code) == (1, 409)
    with pytest.raises(TableTransactionError) as long:
        table.submit_transaction([(create, {**BODY, "RowKey": f"r{n}"}) for n in range(101)])
    assert (long.value.index, long.value.status_code) == (100, 400)
    with pytest.raises(HttpResponseError) as large:
        table.submit_transaction(
            [(create, {**BODY, "RowKey": f"r{n}", **{f"t{m}": "x" * 30000 for m in range(8)}}) for n in range(20)]
        )
    assert large.value.status_code == 413
    assert [entity["RowKey"] for entity in table.list_entities()] == ["r"]


# What an answer looks like.


def test_an_answer_has_as_much_metadata_as_was_asked_for(cloud: Callers, table: TableClient) -> None:
    table.create_entity({**BODY, "big": EntityProperty(5, EdmType.INT64)})
    names: dict[str, set[str]] = {}
    for level in ("no", "minimal", "full"):
        answer = cloud.table("GET", ENTITY, accept=f"application/json;odata={level}metadata")
        names[level] = {name for name in answer.json() if "odata" in name}
        assert answer.headers["content-type"].startswith(f"application/json;odata={level}metadata")
        assert answer.headers["etag"]
    assert names["no"] == set()
    assert names["minimal"] == {"odata.metadata", "odata.etag", "big@odata.type"}
    assert names["full"] - names["minimal"] == {"odata.type", "odata.id", "odata.editLink", "Timestamp@odata.type"}


def test_an_insert_answers_as_preferred(cloud: Callers, table: TableClient) -> None:
    silent = cloud.table("POST", "/Notes", BODY, prefer="return-no-content")
    assert (silent.status_code, silent.content) == (204, b"")
    assert silent.headers["preference-applied"] == "return-no-content"
    assert silent.headers["location"].endswith(ENTITY)
    spoken = cloud.table("POST", "/Notes", {**BODY, "RowKey": "2"})
    assert (spoken.status_code, spoken.json()["n"]) == (201, 1)
    assert cloud.table("POST", "/Tables", {"TableName": "More"}, prefer="return-no-content").status_code == 204


def test_a_merge_comes_by_any_of_its_methods(cloud: Callers, table: TableClient) -> None:
    table.create_entity(BODY)
    for number, (method, headers) in enumerate(
        [("PATCH", {}), ("MERGE", {}), ("POST", {"x-http-method": "MERGE", "if-match": "*"})]
    ):
        assert cloud.table(method, ENTITY, {f"m{number}": 1}, **headers).status_code == 204
    assert {"n", "m0", "m1", "m2"} <= set(table.get_entity("p", "r"))


def fill(cloud: Callers, count: int) -> None:
    """Put so many entities into the table, behind everybody's back."""
    world = cloud.cloud.world
    found = world.storage_accounts[cloud.cloud.landscape.storage_account].table("Notes")
    for number in range(count):
        found.put(Entity((f"p{number % 3}", f"{number:05d}"), {}, world.now))


def test_a_page_holds_a_thousand_at_the_most(cloud: Callers, table: TableClient) -> None:
    fill(cloud, 10_000)
    pages = [len(list(page)) for page in table.list_entities().by_page()]
    assert pages == [1000] * 10
    assert len(list(table.query_entities("PartitionKey eq 'p1'"))) == 3333


def test_a_page_may_be_empty_and_not_the_last(cloud: Callers, table: TableClient) -> None:
    fill(cloud, 5)
    cloud.knobs(table_empty_pages=2)
    assert [len(list(page)) for page in table.list_entities().by_page()] == [0, 0, 5]


# What the cloud's own routes make of it.


def test_the_tables_are_the_apps_own_notes(cloud: Callers, table: TableClient) -> None:
    before = cloud.state()
    table.create_entity(BODY)
    assert cloud.state() == before
    assert cloud.admin("GET", "/writes").json() == []
    requests: list[dict[str, Any]] = cloud.admin("GET", "/requests").json()
    assert [(r["method"], r["path"]) for r in requests if r["service"] == "table"] == [
        ("POST", "/Tables"),
        ("POST", "/Notes"),
    ]


def test_an_answer_is_lost_after_the_write(cloud: Callers, table: TableClient) -> None:
    """The SDK repeats the insert by itself, and is told that the entity is there already."""
    fault = {"host": r".*\.table\..*", "method": "POST", "status": 500, "code": "InternalError", "after": True}
    cloud.knobs(faults=[fault])
    environment = cloud.cloud.environment

    async def insert() -> None:
        secret = [environment[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")]
        endpoint = environment["REGISTRY_TABLE_ENDPOINT"]
        async with (
            AsyncCredential(*secret) as identity,
            AsyncTableClient(endpoint, "Notes", credential=identity, retry_backoff_factor=0.01) as client,
        ):
            await client.create_entity(BODY)

    with pytest.raises(HttpResponseError) as lost:
        asyncio.run(insert())
    assert lost.value.status_code == 409
    assert table.get_entity("p", "r")["n"] == 1
