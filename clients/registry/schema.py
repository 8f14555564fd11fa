"""The schema versions of the registry's rows: older content is migrated when it is read, newer content is refused.

Each JSON text of a row has the version of its form in a column beside it, and so has an order's row. A write always has
today's version, so a change also migrates the row. Each form has a version of its own: an earlier version of the app
can still read the forms that have not changed since.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from peering.outcome import ProblemError

#: The version of a form that has never changed.
FIRST: Final = 1
#: The versions of the others, by name: those of the texts, or `order`. A version grows when the previous version of the
#: app could not read the changed form.
CHANGED: Final[dict[str, int]] = {}
#: The column with the version of an order's row; with `_` and the name of a text before it, with that of the text.
COLUMN: Final = "schema"
_ENDING: Final = f"_{COLUMN}"

Held = Mapping[str, Any]
Step = Callable[[Held], Held]


def _placed_when_due(order: Held) -> Held:
    """An order's row without the time at which the order was placed: it was placed before it may first be resumed."""
    return {"at": order["not_before"], **order}


#: The functions that migrate each older version to the next one, by form; an unlisted form has not changed. Content
#: without a version is older than versions, and counts as version 0.
FORWARDS: Final[dict[tuple[str, int], Step]] = {("order", 0): _placed_when_due}


def of_text(name: str) -> str:
    """The column with the version of a text."""
    return name + _ENDING


def today(name: str) -> int:
    """The version in which a form is written, by the name of the text, or `order`."""
    return CHANGED.get(name, FIRST)


def is_newer(row: Held) -> bool:
    """Whether a newer version of the app wrote a row, or a part of it."""
    return bool(_newer(row))


def _newer(row: Held) -> list[str]:
    """The forms in a row that are newer than today's."""
    versions = {"order": row[COLUMN]} if COLUMN in row else {}
    versions |= {column.removesuffix(_ENDING): value for column, value in row.items() if column.endswith(_ENDING)}
    return [form for form, version in versions.items() if _number(version) > today(form)]


def _number(version: object) -> int:
    """A version's number; 0 without one. Anything that is no number counts as an unknown, newer version."""
    text = str(version or 0)
    return int(text) if text.isdecimal() else sys.maxsize


def check(row: Held) -> None:
    """Check that a row can be read and changed.

    Raises:
        ProblemError: `registry-row-newer`.
    """
    if newer := _newer(row):
        known = ", ".join(f"{name} in version {today(name)}" for name in newer)
        raise ProblemError("registry-row-newer", f"This version of the app knows {known}.")


def migrated(name: str, version: object, found: Held) -> Held:
    """The content of a row, in today's form.

    Args:
        name: the form: the name of a text, or `order`.
        version: its schema version; None for content that is older than versions.
        found: what was read.
    """
    for earlier in range(_number(version), today(name)):
        found = FORWARDS.get((name, earlier), dict)(found)
    return found
