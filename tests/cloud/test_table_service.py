"""The Table service by the genuine SDK: what the local cloud and Azurite have to answer alike."""

import json
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableEntity,
    TableTransactionError,
    TransactionOperation,
    UpdateMode,
)

from tests.cloud.table_services import Tables

Keys = dict[str, str]


def keys(row: str = "r", partition: str = "p") -> Keys:
    """The keys of an entity."""
    return {"PartitionKey": partition, "RowKey": row}


def rows(found: object) -> list[str]:
    """The row keys of entities."""
    assert isinstance(found, list)
    return [entity["RowKey"] for entity in found]


def etag_of(entity: TableEntity) -> str:
    """An entity's etag."""
    return str(entity.metadata["etag"])


def refusal(error: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str]:
    """The status and the code of a refusal; the SDK does not read the code for every operation."""
    assert error.value.response is not None
    return error.value.status_code, str(json.loads(error.value.response.text())["odata.error"]["code"])


def test_a_table_is_made_listed_and_deleted_once(tables: Tables) -> None:
    table = tables.table()
    with pytest.raises(ResourceExistsError) as twice:
        tables.service.create_table(table.table_name)
    assert refusal(twice) == (409, "TableAlreadyExists")
    assert table.table_name in [found.name for found in tables.service.list_tables()]
    assert [t.name for t in tables.service.query_tables(f"TableName eq '{table.table_name}'")] == [table.table_name]
    table.delete_table()
    assert table.table_name not in [found.name for found in tables.service.list_tables()]
    with pytest.raises(ResourceNotFoundError) as gone:
        table.create_entity(keys())
    assert refusal(gone) == (404, "TableNotFound")


def test_types_and_odd_keys_come_back_as_they_went(tables: Tables) -> None:
    table, key = tables.table(), keys("it's 100% é+&=:, (r)", "p' q")
    values = {
        "Text": "grüße, 'quoted'",
        "Empty": "",
        "Int32": -(2**31),
        "Int64": EntityProperty(2**53 + 1, EdmType.INT64),
        "Double": 1.5,
        "Whole": 2.0,
        "Infinite": float("-inf"),
        "Truth": True,
        "Moment": datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
        "Guid": UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
        "Bytes": bytes(range(256)),
    }
    made = table.create_entity({**key, **values, "Nothing": None})
    found = table.get_entity(key["PartitionKey"], key["RowKey"])
    assert dict(found) == {**key, **values}
    assert {name: type(value) for name, value in found.items() if name in ("Whole", "Int32", "Truth")} == {
        "Whole": float,
        "Int32": int,
        "Truth": bool,
    }
    assert etag_of(found) == made["etag"]
    assert rows(list(table.list_entities())) == [key["RowKey"]]


def test_an_etag_is_made_of_the_time_of_the_write(tables: Tables) -> None:
    table = tables.table()
    made = [str(table.upsert_entity({**keys(), "n": n})["etag"]) for n in range(3)]
    assert len(set(made)) == len(made)
    found = table.get_entity("p", "r")
    moment = getattr(found.metadata["timestamp"], "tables_service_value", "")
    assert etag_of(found) == made[-1] == f"W/\"datetime'{quote(moment)}'\""


def test_an_insert_is_refused_where_there_is_one(tables: Tables) -> None:
    table = tables.table()
    table.create_entity({**keys(), "n": 1})
    with pytest.raises(ResourceExistsError) as twice:
        table.create_entity({**keys(), "n": 2})
    assert refusal(twice) == (409, "EntityAlreadyExists")
    assert table.get_entity("p", "r")["n"] == 1


@pytest.mark.parametrize(("mode", "expected"), [(UpdateMode.REPLACE, {"b": 2}), (UpdateMode.MERGE, {"a": 1, "b": 2})])
def test_an_upsert_and_an_update_replace_or_merge(tables: Tables, mode: UpdateMode, expected: dict[str, int]) -> None:
    table = tables.table()
    for write in (table.upsert_entity, table.update_entity):
        table.upsert_entity({**keys(), "a": 1}, mode=UpdateMode.REPLACE)
        write({**keys(), "b": 2}, mode=mode)
        assert dict(table.get_entity("p", "r")) == {**keys(), **expected}
    table.upsert_entity({**keys("new"), "a": 1}, mode=mode)
    assert table.get_entity("p", "new")["a"] == 1


@pytest.mark.parametrize("mode", [UpdateMode.REPLACE, UpdateMode.MERGE])
def test_a_condition_decides_between_two_writers(tables: Tables, mode: UpdateMode) -> None:
    table, met = tables.table(), MatchConditions.IfNotModified
    with pytest.raises(ResourceNotFoundError) as missing:
        table.update_entity(keys(), mode=mode)
    assert refusal(missing) == (404, "ResourceNotFound")
    old = str(table.create_entity({**keys(), "n": 0})["etag"])
    new = str(table.update_entity({**keys(), "n": 1}, mode=mode, etag=old, match_condition=met)["etag"])
    with pytest.raises(ResourceModifiedError) as late:
        table.update_entity({**keys(), "n": 2}, mode=mode, etag=old, match_condition=met)
    assert refusal(late) == (412, "UpdateConditionNotSatisfied")
    assert (table.get_entity("p", "r")["n"], etag_of(table.get_entity("p", "r"))) == (1, new)


def test_a_deletion_has_a_condition_too(tables: Tables) -> None:
    table = tables.table()
    old = str(table.create_entity(keys())["etag"])
    new = str(table.upsert_entity(keys())["etag"])
    with pytest.raises(ResourceModifiedError) as late:
        table.delete_entity("p", "r", etag=old, match_condition=MatchConditions.IfNotModified)
    assert refusal(late) == (412, "UpdateConditionNotSatisfied")
    table.delete_entity("p", "r", etag=new, match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ResourceNotFoundError) as gone:
        table.get_entity("p", "r")
    assert refusal(gone) == (404, "ResourceNotFound")
    table.delete_entity("p", "r")  # The SDK takes a 404 for done.


def test_a_selection_leaves_the_rest_out(tables: Tables) -> None:
    table = tables.table()
    table.create_entity({**keys(), "a": 1, "b": 2})
    assert dict(table.get_entity("p", "r", select=["a"])) == {"a": 1}
    found = next(iter(table.list_entities(select=["RowKey", "b"])))
    assert dict(found) == {"RowKey": "r", "b": 2}
    assert etag_of(found) == etag_of(table.get_entity("p", "r"))


def test_rows_are_in_the_order_of_their_keys_and_come_in_pages(tables: Tables) -> None:
    table = tables.table()
    for partition, row in [("b", "1"), ("a", "20"), ("a", "3"), ("B", "1"), ("a", "1"), ("", "")]:
        table.create_entity(keys(row, partition))
    pages = [list(page) for page in table.list_entities(results_per_page=2).by_page()]
    assert [(e["PartitionKey"], e["RowKey"]) for page in pages for e in page] == [
        ("", ""),
        ("B", "1"),
        ("a", "1"),
        ("a", "20"),
        ("a", "3"),
        ("b", "1"),
    ]
    assert all(len(page) <= 2 for page in pages)


def filled(tables: Tables) -> TableClient:
    """A table with one entity of each kind."""
    table = tables.table()
    table.create_entity({**keys("1"), "n": 1, "name": "it's", "on": True})
    table.create_entity({**keys("2"), "n": 2, "x": 2.5, "big": EntityProperty(2**40, EdmType.INT64), "on": False})
    table.create_entity({**keys("3"), "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "id": UUID(int=7)})
    table.create_entity({**keys("4", "q"), "n": -4})
    return table


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("PartitionKey eq 'p'", "123"),
        ("PartitionKey eq 'p' and RowKey eq '2'", "2"),
        ("PartitionKey ge 'p' and PartitionKey lt 'q'", "123"),
        ("RowKey gt '1' and RowKey le '3'", "23"),
        ("PartitionKey eq 'p' and RowKey gt '1' and RowKey le '2'", "2"),
        ("PartitionKey eq 'p' and RowKey ge '2' and RowKey lt '3'", "2"),
        ("PartitionKey eq 'p' and (RowKey lt '2' or RowKey gt '2')", "13"),
        ("PartitionKey eq 'p' and not (RowKey lt '3')", "3"),
        ("name eq 'it''s'", "1"),
        ("n ge 2 or n lt 0", "24"),
        ("n eq -4", "4"),
        ("n gt 0 and (on eq false or name eq 'it''s')", "12"),
        ("n ge 1 and not (n eq 2)", "1"),
        ("on eq true", "1"),
        ("x gt 2.25", "2"),
        ("big eq 1099511627776L", "2"),
        ("big lt 1099511627776L", ""),
        ("at eq datetime'2026-01-02T03:04:05Z'", "3"),
        ("at gt datetime'2026-01-02T03:04:05Z'", ""),
        ("id eq guid'00000000-0000-0000-0000-000000000007'", "3"),
        ("Timestamp gt datetime'2020-01-01T00:00:00Z'", "1234"),
        ("PartitionKey eq 'nobody'", ""),
    ],
)
def test_a_filter_finds_what_it_says(tables: Tables, condition: str, expected: str) -> None:
    assert "".join(rows(list(filled(tables).query_entities(condition)))) == expected


def test_a_malformed_filter_is_refused(tables: Tables) -> None:
    with pytest.raises(HttpResponseError) as malformed:
        list(tables.table().query_entities("PartitionKey eq"))
    assert malformed.value.status_code == 400


def test_a_transaction_is_carried_out_as_a_whole(tables: Tables) -> None:
    table = tables.table()
    for row in ("merged", "replaced", "deleted"):
        table.create_entity({**keys(row), "a": 1})
    answers = table.submit_transaction(
        [
            (TransactionOperation.CREATE, {**keys("created"), "text": "grüße"}),
            (TransactionOperation.UPSERT, {**keys("merged"), "b": 2}),
            (TransactionOperation.UPDATE, {**keys("replaced"), "b": 2}, {"mode": UpdateMode.REPLACE}),
            (TransactionOperation.DELETE, keys("deleted")),
        ]
    )
    found = {entity["RowKey"]: entity for entity in table.list_entities()}
    assert [answer.get("etag") for answer in answers][:3] == [
        etag_of(found[row]) for row in ("created", "merged", "replaced")
    ]
    assert {row: {n: v for n, v in entity.items() if n not in keys()} for row, entity in found.items()} == {
        "created": {"text": "grüße"},
        "merged": {"a": 1, "b": 2},
        "replaced": {"b": 2},
    }


def test_a_refused_transaction_changes_nothing_and_names_its_operation(tables: Tables) -> None:
    table = tables.table()
    old = str(table.create_entity({**keys("held"), "n": 0})["etag"])
    table.update_entity({**keys("held"), "n": 1})
    late = {"etag": old, "match_condition": MatchConditions.IfNotModified}
    with pytest.raises(TableTransactionError) as refused:
        table.submit_transaction(
            [
                (TransactionOperation.CREATE, keys("new")),
                (TransactionOperation.UPDATE, {**keys("held"), "n": 2}, late),
            ]
        )
    assert refusal(refused) == (412, "UpdateConditionNotSatisfied")
    assert {entity["RowKey"]: entity["n"] for entity in table.list_entities()} == {"held": 1}


def test_an_entity_stands_in_a_transaction_once(tables: Tables) -> None:
    table = tables.table()
    with pytest.raises(TableTransactionError) as twice:
        table.submit_transaction([(TransactionOperation.UPSERT, {**keys(), "n": n}) for n in range(2)])
    assert refusal(twice) == (400, "InvalidDuplicateRow")
    assert list(table.list_entities()) == []


def test_a_property_holds_32_ki_characters(tables: Tables) -> None:
    table = tables.table()
    table.create_entity({**keys(), "text": "é" * 32 * 1024})
    with pytest.raises(HttpResponseError) as long:
        table.create_entity({**keys("2"), "text": "é" * (32 * 1024 + 1)})
    assert refusal(long) == (400, "PropertyValueTooLarge")
