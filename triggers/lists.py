"""The list of peerings: a page as the table sorts it, or filtered, sorted and counted here by a few columns of all.

Table Storage sorts by its keys alone and has no second index. So a page by id is read as it is, and everything else
from the columns of all peerings, which are remembered for some seconds: who turns pages reads them once.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from clients.registry import registry
from clients.registry.rows import COLUMNS, Value, vpc_of
from triggers.blueprint import FILTERS
from triggers.problem_documents import FieldError, InvalidRequestError

LARGEST_PAGE: Final = 100
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
#: For how long the columns of all peerings are taken for true, in seconds.
REMEMBERED: Final = 10.0
SORTS: Final = ("changed", "expires", "state", "verdict", "operation", "project", "organization_id", "vnet_id")

Row = Mapping[str, Value]


@dataclass
class Page:
    """Some peerings, the cursor of the next page if there is one, and how many there are altogether if asked for."""

    rows: Sequence[Row]
    next: str | None = None
    count: int | None = None


@dataclass
class _Remembered:
    rows: list[Row]
    until: float


_remembered: Final[dict[int, _Remembered]] = {}


async def listed(given: Mapping[str, str]) -> Page:
    """The page that the parameters of a list ask for.

    Raises:
        InvalidRequestError: a parameter breaks its rule.
        azure.core.exceptions.AzureError: the registry does not answer.
    """
    limit, sort, after = _limit(given), _one_of(given, "sort", SORTS), given.get("after", "")
    counts = _one_of(given, "count", ("true", "false")) == "true"
    filters = {name: given[name].casefold() for name in FILTERS if name in given}
    if not filters and sort is None and not counts:
        found = await registry().page(after, limit + 1)
        return _cut(found, limit)
    rows = [row for row in await _all() if all(_text(row, column) == wanted for column, wanted in filters.items())]
    count = len(rows) if counts else None
    if sort is not None:
        rows.sort(key=lambda row: (_text(row, sort), str(row["RowKey"])))
        ids = [str(row["RowKey"]) for row in rows]
        rows = rows[ids.index(after) + 1 :] if after in ids else rows
    else:
        rows = [row for row in rows if str(row["RowKey"]) > after]
    page = _cut(rows, limit)
    page.count = count
    return page


def _cut(rows: Sequence[Row], limit: int) -> Page:
    page = rows[:limit]
    return Page(page, str(page[-1]["RowKey"]) if len(rows) > limit else None)


async def _all() -> list[Row]:
    """The columns of all peerings, as they were a moment ago."""
    held, key = registry(), id(registry())
    remembered = _remembered.get(key)
    if remembered is None or remembered.until < time.monotonic():
        # What the VPC belongs to has one column for both kinds, but a parameter for each.
        rows: list[Row] = [{**row, **cast("Row", vpc_of(row).names)} for row in await held.columns("", *COLUMNS)]
        _remembered.clear()
        remembered = _remembered[key] = _Remembered(rows, time.monotonic() + REMEMBERED)
    return remembered.rows


def _text(row: Row, column: str) -> str:
    return str(row.get(column, "")).casefold()


def _limit(given: Mapping[str, str]) -> int:
    limit = given.get("limit", "50")
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= LARGEST_PAGE:
        raise InvalidRequestError([FieldError(field="limit", rule=f"must be a whole number from 1 to {LARGEST_PAGE}")])
    return int(limit)


def _one_of(given: Mapping[str, str], name: str, values: Sequence[str]) -> str | None:
    value = given.get(name)
    if value is not None and value not in values:
        raise InvalidRequestError([FieldError(field=name, rule=f"must be one of {', '.join(values)}")])
    return value
