"""Azure Table Storage's data plane, version 2019-02-02: tables, entities and transactions, with an Entra token.

Headers, codes and metadata follow the REST documentation, and the recordings of the genuine service that the Azure
SDKs are tested with.
"""

from dataclasses import dataclass
from typing import Final

from local.cloud.entra import Caller, Entra
from local.cloud.server.wire import ApiError, Request, Response, Routes
from local.cloud.table_service.access import Access
from local.cloud.table_service.batch import transact
from local.cloud.table_service.changes import Changes, read_change
from local.cloud.table_service.edm import Edm, Property
from local.cloud.table_service.errors import TableError, not_found
from local.cloud.table_service.odata_filter import parse_filter
from local.cloud.table_service.queries import get_entity, query_entities
from local.cloud.table_service.shapes import ENTITY, TABLE, checked_name, content_type, metadata_level, unquoted
from local.cloud.table_service.store import EntityTable, StorageAccount
from local.cloud.world.world import World

_ONE: Final = r"/Tables\('(?P<name>[^']*)'\)"
_PAGE: Final = 1000


@dataclass(frozen=True)
class _Listed:
    """A table in the list of tables, as a filter sees it."""

    name: str

    def property(self, name: str) -> Property | None:
        return Property(Edm.STRING, self.name) if name == "TableName" else None


class TableService:
    """All storage accounts; the host name chooses one."""

    def __init__(self, world: World, entra: Entra, login: str) -> None:
        self._world, self._access = world, Access(world, entra, login)
        routes = self.routes = Routes("Table service")
        routes.add("GET", r"/Tables(\(\))?", self._list_tables)
        routes.add("POST", r"/Tables(\(\))?", self._create_table)
        routes.add("GET", _ONE, self._get_table)
        routes.add("DELETE", _ONE, self._delete_table)
        routes.add("POST", r"/\$batch", self._transact)
        routes.add("GET", TABLE.pattern, self._query)
        routes.add("GET", ENTITY.pattern, self._get)
        routes.add("POST", TABLE.pattern, self._write)
        for method in ("POST", "PUT", "PATCH", "MERGE", "DELETE"):
            routes.add(method, ENTITY.pattern, self._write)

    def answer(self, request: Request) -> Response:
        """Answer one request, with the headers that every answer has."""
        try:
            response = self.routes.answer(request)
        except ApiError as error:
            response = error.response
        common = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if response.body is not None:
            common["Content-Type"] = content_type(metadata_level(request))
        if version := request.headers.get("x-ms-version"):
            common["x-ms-version"] = version
        return Response(response.status, response.body, {**common, **response.headers})

    def _enter(self, request: Request) -> tuple[StorageAccount, Caller]:
        account = self._world.storage_accounts[request.host.partition(".")[0]]
        return account, self._access.caller(request, account)

    # Tables.

    def _list_tables(self, request: Request) -> Response:
        account, caller = self._enter(request)
        self._access.check_tables(caller, account, "read")
        condition, start = parse_filter(request.query.get("$filter", "")), request.query.get("NextTableName", "")
        names = [account.tables[name].name for name in sorted(account.tables) if name >= start]
        found = [name for name in names if condition.matches(_Listed(name))]
        size = min(int(request.query.get("$top", _PAGE)), _PAGE)
        headers = {"x-ms-continuation-NextTableName": found[size].lower()} if len(found) > size else {}
        body = {**_metadata(request, "Tables"), "value": [{"TableName": name} for name in found[:size]]}
        return Response(200, body, headers)

    def _create_table(self, request: Request) -> Response:
        account, caller = self._enter(request)
        name = checked_name(request.json()["TableName"])
        self._access.check_tables(caller, account, "write", name)
        if name.lower() in account.tables:
            raise TableError(409, "TableAlreadyExists", "The table specified already exists.")
        account.tables[name.lower()] = EntityTable(name)
        link, prefer = f"https://{request.host}/Tables('{name}')", request.headers.get("prefer")
        headers = {"Location": link} if prefer is None else {"Location": link, "Preference-Applied": prefer}
        if prefer == "return-no-content":
            return Response(204, None, {**headers, "DataServiceId": link})
        return Response(201, {**_metadata(request, "Tables/@Element"), "TableName": name}, headers)

    def _get_table(self, request: Request, name: str) -> Response:
        account, caller = self._enter(request)
        self._access.check_tables(caller, account, "read", name)
        if name.lower() not in account.tables:
            raise not_found()
        found = account.tables[name.lower()].name
        return Response(200, {**_metadata(request, "Tables/@Element"), "TableName": found})

    def _delete_table(self, request: Request, name: str) -> Response:
        account, caller = self._enter(request)
        self._access.check_tables(caller, account, "delete", checked_name(name))
        if account.tables.pop(name.lower(), None) is None:
            raise not_found()
        return Response(204)

    # Entities.

    def _query(self, request: Request, table: str) -> Response:
        return query_entities(self._world, request, self._readable(request, table))

    def _get(self, request: Request, table: str, partition: str, row: str) -> Response:
        return get_entity(request, self._readable(request, table), (unquoted(partition), unquoted(row)))

    def _readable(self, request: Request, table: str) -> EntityTable:
        account, caller = self._enter(request)
        self._access.check_entities(caller, account, "read", checked_name(table))
        return account.table(table)

    def _write(self, request: Request, **_: str) -> Response:
        return self._changes(request).apply(read_change(request))

    def _transact(self, request: Request) -> Response:
        account, _ = self._enter(request)
        return transact(request, account, self._changes(request))

    def _changes(self, request: Request) -> Changes:
        account, caller = self._enter(request)
        return Changes(self._world, self._access, account, caller)


def _metadata(request: Request, what: str) -> dict[str, object]:
    none = metadata_level(request) == "no"
    return {} if none else {"odata.metadata": f"https://{request.host}/$metadata#{what}"}
