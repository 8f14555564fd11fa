"""Writes of entities, single ones and those of a transaction: insert, replace, merge and delete, with conditions."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from local.cloud.entra import Caller
from local.cloud.server.wire import Request, Response
from local.cloud.table_service.access import Access
from local.cloud.table_service.edm import Edm, Property
from local.cloud.table_service.entities import Entity, Key, checked, entity_path, read_properties
from local.cloud.table_service.errors import TableError, invalid_input, not_found, not_implemented
from local.cloud.table_service.shapes import ENTITY, TABLE, content_type, metadata_level, unquoted
from local.cloud.table_service.store import EntityTable, StorageAccount
from local.cloud.world.world import World

_ETAG: Final = re.compile(r"W/\"datetime'[^']*'\"")
_ON_ENTITY: Final[dict[str, Literal["replace", "merge", "delete"]]] = {
    "PUT": "replace",
    "PATCH": "merge",
    "MERGE": "merge",
    "DELETE": "delete",
}


@dataclass(frozen=True)
class Change:
    """What a request wants to change. Without a condition, replace and merge also insert."""

    request: Request
    operation: Literal["insert", "replace", "merge", "delete"]
    table: str
    key: Key
    properties: dict[str, Property]

    @property
    def condition(self) -> str | None:
        """The etag that the entity has to have, or `*`."""
        return self.request.headers.get("if-match")

    @property
    def right(self) -> str:
        """What a caller needs for it."""
        if self.operation in ("insert", "delete"):
            return self.operation
        return "upsert" if self.condition is None else "update"


def read_change(request: Request) -> Change:
    """What a request wants to change.

    Raises:
        TableError: it is malformed.
    """
    method = request.headers.get("x-http-method", request.method) if request.method == "POST" else request.method
    if method == "POST" and (match := TABLE.fullmatch(request.path)):
        properties = read_properties(request.body)
        return Change(request, "insert", match["table"], _key(properties), _own(properties))
    match = ENTITY.fullmatch(request.path)
    if match is None or method not in _ON_ENTITY:
        raise not_implemented()
    key = unquoted(match["partition"]), unquoted(match["row"])
    operation = _ON_ENTITY[method]
    if "if-none-match" in request.headers:
        raise invalid_input(f"If-None-Match HTTP header cannot be specified for {method} operations.")
    properties = {} if operation == "delete" else read_properties(request.body)
    for name, part in zip(("PartitionKey", "RowKey"), key, strict=True):
        if name in properties and properties[name].value != part:
            raise invalid_input()
    return Change(request, operation, match["table"], key, _own(properties))


def _key(properties: dict[str, Property]) -> Key:
    found = [properties.get(name) for name in ("PartitionKey", "RowKey")]
    texts = [held.value for held in found if held is not None and held.edm is Edm.STRING]
    if len(texts) < len(found):
        raise TableError(400, "PropertiesNeedValue", "The values are not specified for all properties in the entity.")
    return str(texts[0]), str(texts[1])


def _own(properties: dict[str, Property]) -> dict[str, Property]:
    return {name: held for name, held in properties.items() if name not in ("PartitionKey", "RowKey")}


class Changes:
    """The changes that one caller makes to the tables of an account."""

    def __init__(self, world: World, access: Access, account: StorageAccount, caller: Caller) -> None:
        self._world, self._access, self._account, self._caller = world, access, account, caller

    def apply(self, change: Change) -> Response:
        """Make a change, if the caller may, and the entity is as the caller expects.

        Raises:
            TableError: it is refused; then nothing has changed.
        """
        self._access.check_entities(self._caller, self._account, change.right, change.table)
        table = self._account.table(change.table)
        held = table.get(change.key)
        _check_condition(change, held)
        if change.operation == "delete":
            table.remove(change.key)
            return Response(204)
        merged = change.operation == "merge" and held is not None
        properties = {**held.properties, **change.properties} if merged and held is not None else change.properties
        made = checked(change.key, properties, self._account.stamp(self._world.now))
        table.put(made)
        return (
            _inserted(change, table, made) if change.operation == "insert" else Response(204, None, {"ETag": made.etag})
        )


def _check_condition(change: Change, held: Entity | None) -> None:
    if change.operation == "insert":
        if held is not None:
            raise TableError(409, "EntityAlreadyExists", "The specified entity already exists.")
        return
    condition = change.condition
    if condition is None and change.operation == "delete":
        raise invalid_input("The If-Match header has to be specified for DELETE operations.")
    if condition is None:
        return
    if condition != "*" and not _ETAG.fullmatch(condition):
        text = f"The etag value '{condition}' specified in one of the request headers is not valid."
        raise invalid_input(f"{text} Please make sure only one etag value is specified and is valid.")
    if held is None:
        raise not_found()
    if condition not in ("*", held.etag):
        text = "The update condition specified in the request was not satisfied."
        raise TableError(412, "UpdateConditionNotSatisfied", text)


def _inserted(change: Change, table: EntityTable, made: Entity) -> Response:
    request, level = change.request, metadata_level(change.request)
    base = f"https://{request.host}/"
    link = base + entity_path(table.name, made.key)
    headers = {"ETag": made.etag, "Location": link}
    prefer = request.headers.get("prefer")
    if prefer is not None:
        headers["Preference-Applied"] = prefer
    if prefer == "return-no-content":
        return Response(204, None, {**headers, "DataServiceId": link})
    metadata = {} if level == "no" else {"odata.metadata": f"{base}$metadata#{table.name}/@Element"}
    body = {**metadata, **made.shown(base + table.name, level, ())}
    return Response(201, body, {**headers, "Content-Type": content_type(level)})
