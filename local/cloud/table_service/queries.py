"""Reads of entities: one by its key, or pages of those that meet a filter."""

import base64
import binascii
from typing import Final

from local.cloud.server.wire import Request, Response
from local.cloud.table_service.entities import Entity, Key
from local.cloud.table_service.errors import TableError, invalid_input, not_found
from local.cloud.table_service.odata_filter import parse_filter
from local.cloud.table_service.shapes import content_type, metadata_level
from local.cloud.table_service.store import EntityTable
from local.cloud.world.world import World

_PAGE: Final = 1000
_NEXT: Final = ("NextPartitionKey", "NextRowKey")


def get_entity(request: Request, table: EntityTable, key: Key) -> Response:
    """The entity with a key.

    Raises:
        TableError: there is none.
    """
    held = table.get(key)
    if held is None:
        raise not_found()
    level, url = metadata_level(request), f"https://{request.host}/{table.name}"
    metadata = {} if level == "no" else {"odata.metadata": f"https://{request.host}/$metadata#{table.name}/@Element"}
    headers = {"ETag": held.etag, "Content-Type": content_type(level)}
    return Response(200, {**metadata, **held.shown(url, level, _selected(request))}, headers)


def query_entities(world: World, request: Request, table: EntityTable) -> Response:
    """A page of the entities that meet a filter, and where the next one begins.

    Raises:
        TableError: the query is malformed.
    """
    size, start = _page_size(request), _start(request)
    found, rest = _page(request, table, start, size)
    if world.knobs.table_empty_pages:
        world.knobs.table_empty_pages -= 1
        found, rest = [], start
    level, url = metadata_level(request), f"https://{request.host}/{table.name}"
    metadata = {} if level == "no" else {"odata.metadata": f"https://{request.host}/$metadata#{table.name}"}
    select = _selected(request)
    headers = {"Content-Type": content_type(level)}
    if rest is not None:
        headers |= {f"x-ms-continuation-{name}": _token(part) for name, part in zip(_NEXT, rest, strict=True)}
    return Response(200, {**metadata, "value": [held.shown(url, level, select) for held in found]}, headers)


def _page(request: Request, table: EntityTable, start: Key, size: int) -> tuple[list[Entity], Key | None]:
    condition = parse_filter(request.query.get("$filter", ""))
    partition, (first, end) = condition.partition, condition.rows
    found: list[Entity] = []
    for held in table.scan(start if partition is None else max(start, (partition, first))):
        if partition is not None and (held.key[0] != partition or (end is not None and held.key[1] >= end)):
            break
        if condition.matches(held):
            if len(found) == size:
                return found, held.key
            found.append(held)
    return found, None


def _selected(request: Request) -> list[str]:
    return [name.strip() for name in request.query.get("$select", "").split(",") if name.strip()]


def _page_size(request: Request) -> int:
    asked = request.query.get("$top", str(_PAGE))
    if not asked.isdecimal() or not 1 <= int(asked) <= _PAGE:
        text = "Value for one of the query parameters specified in the request URI is invalid."
        raise TableError(400, "InvalidQueryParameterValue", text)
    return int(asked)


def _start(request: Request) -> Key:
    """The key that a page begins with; clients hand it back as they were given it."""
    try:
        partition, row = (_read_token(request.query.get(name)) for name in _NEXT)
    except (ValueError, binascii.Error):
        raise invalid_input() from None
    return partition, row


def _token(part: str) -> str:
    text = base64.urlsafe_b64encode(part.encode()).decode()
    return f"1!{len(text)}!{text}"


def _read_token(token: str | None) -> str:
    if token is None:
        return ""
    version, length, text = token.split("!")
    if version != "1" or int(length) != len(text):
        raise ValueError(f"{token} is no continuation token")
    return base64.urlsafe_b64decode(text).decode()
