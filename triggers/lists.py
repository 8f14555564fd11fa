"""The list of peerings: a page in the order of the table, or all peerings filtered, sorted and counted in memory.

Table Storage sorts by its keys only and has no secondary index. A page sorted by id is read from the table directly.
Everything else uses some columns of all peerings, which are cached for some seconds: the next pages need no new read.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from clients.registry import registry
from clients.registry.remembered import Remembered
from clients.registry.rows import Value, findings_in, vpc_of
from peering.naming import last_part
from peering.problems import PROBLEMS
from triggers.documents.problem_documents import FieldError, InvalidRequestError
from triggers.requests.queries import Filters, ListQuery

#: The columns whose names differ from those of the parameters.
_COLUMNS: Final = {"id": "RowKey"}
#: The columns whose text a search covers; it also covers labels, and the codes and titles of problems.
_SEARCHED: Final = (
    *("RowKey", "owner", "project_vpc_id", "organization_vpc_id", "vnet_id"),
    *("state", "verdict", "requested_by", "note"),
)
#: The end of a page: the sort parameter, its value in the last row, and the id of that row.
_Cursor: Final = TypeAdapter(tuple[str, str, str])

Row = Mapping[str, Value]


@dataclass
class Page:
    """Some peerings, the cursor of the next page if any, and the total number if requested."""

    rows: Sequence[Row]
    cursor: str | None = None
    count: int | None = None


async def listed(query: ListQuery) -> Page:
    """The page that the parameters of a list request.

    Raises:
        InvalidRequestError: the cursor belongs to another list.
        azure.core.exceptions.AzureError: the registry does not respond.
    """
    after = _position(query)
    plain = query.model_fields_set <= {"limit", "cursor", "sort"} and query.sort == "id"
    if plain:
        found = await registry().page(after[1] if after is not None else "", query.limit + 1)
        return _cut(found, query)
    rows = [row for row in await matches(query) if _is_newer(row, query) and _mentions(row, query)]
    rows.sort(key=lambda row: _place(row, query.sort), reverse=query.sort.startswith("-"))
    page = _cut([row for row in rows if after is None or _is_behind(row, after, query.sort)], query)
    page.count = len(rows) if query.count == "true" else None
    return page


async def matches(filters: Filters) -> list[Row]:
    """The columns of the peerings that match a filter."""
    wanted = {name: str(getattr(filters, name)).casefold() for name in Filters.model_fields if _has(filters, name)}
    return [row for row in await all_columns() if all(_test(name)(row, text) for name, text in wanted.items())]


def _has(filters: Filters, name: str) -> bool:
    return getattr(filters, name) is not None


def _test(name: str) -> Callable[[Row, str], bool]:
    """The test whether a peering's columns match a filter's value."""
    return _TESTS.get(name, lambda row, wanted: _text(row, _COLUMNS.get(name, name)) == wanted)


def _has_labels(row: Row, wanted: str) -> bool:
    labels = {name: str(value).casefold() for name, value in labels_of(row).items()}
    pairs = (one.partition("=") for one in wanted.split(","))
    return all(name in labels and (not sign or labels[name] == value) for name, sign, value in pairs)


def _has_problem(row: Row, wanted: str) -> bool:
    return _text(row, "problem") == wanted or wanted in findings_in(row)


#: Filters that do not compare a column's whole text.
_TESTS: Final[Mapping[str, Callable[[Row, str], bool]]] = {
    "vnet": lambda row, wanted: wanted in last_part(_text(row, "vnet_id")),
    "label": _has_labels,
    "problem": _has_problem,
    "paused": lambda row, wanted: is_paused(row) is (wanted == "true"),
}


def labels_of(row: Row) -> dict[str, str]:
    """The labels of a peering; rows of earlier versions have none."""
    return dict(json.loads(str(row.get("labels") or "{}")))


def is_paused(row: Row) -> bool:
    """Whether this peering itself is paused now."""
    until = str(row.get("paused_until") or "")
    return until != "" and datetime.fromisoformat(until) > registry().now


def _is_newer(row: Row, query: ListQuery) -> bool:
    return query.changed_since is None or datetime.fromisoformat(str(row["changed"])) >= query.changed_since


def _mentions(row: Row, query: ListQuery) -> bool:
    wanted = query.search.casefold() if query.search is not None else ""
    return any(wanted in text.casefold() for text in _shown(row))


def _shown(row: Row) -> Iterator[str]:
    """The texts of a peering that the list shows."""
    yield from (str(row.get(column, "")) for column in _SEARCHED)
    yield from (f"{name}={value}" for name, value in labels_of(row).items())
    for code in filter(None, (str(row.get("problem") or ""), *findings_in(row))):
        yield code
        yield PROBLEMS[code].title if code in PROBLEMS else ""


def _place(row: Row, sort: str) -> tuple[str, str]:
    name = sort.removeprefix("-")
    return _text(row, _COLUMNS.get(name, name)), str(row["RowKey"])


def _is_behind(row: Row, after: tuple[str, str], sort: str) -> bool:
    return _place(row, sort) < after if sort.startswith("-") else _place(row, sort) > after


def _cut(rows: Sequence[Row], query: ListQuery) -> Page:
    page = rows[: query.limit]
    if len(rows) <= query.limit:
        return Page(page)
    cursor = json.dumps([query.sort, *_place(page[-1], query.sort)]).encode()
    return Page(page, base64.urlsafe_b64encode(cursor).decode().rstrip("="))


def _position(query: ListQuery) -> tuple[str, str] | None:
    """The sort value and the id at the end of the previous page.

    Raises:
        InvalidRequestError: the cursor belongs to a list with another sort order.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        sort, value, peering_id = _Cursor.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        UUID(peering_id)
    except (ValueError, ValidationError):
        sort, value, peering_id = "", "", ""
    if sort != query.sort:
        rule = "must be the cursor that a list with the same `sort` gave"
        raise InvalidRequestError([FieldError(field="cursor", rule=rule)])
    return value, peering_id


async def all_columns() -> list[Row]:
    """The columns of all peerings, at most some seconds old."""
    return await _remembered.value()


async def _columns() -> list[Row]:
    # The owner of the VPC has one column for both kinds, but one parameter for each kind.
    return [{**row, **_names(row)} for row in await registry().listed()]


_remembered: Final = Remembered(_columns)


def _names(row: Row) -> Row:
    return {name: str(value) for name, value in vpc_of(row).names.items()}


def forget_columns() -> None:
    """Discard the cached columns, because this worker has just changed some."""
    _remembered.forget()


def _text(row: Row, column: str) -> str:
    return str(row.get(column, "")).casefold()
