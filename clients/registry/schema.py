"""The schema version of what the registry's rows hold: the older is migrated as it is read, the newer is refused.

Each JSON text of a row has the version of its form in a column beside it, and so has an order's row. A write is always
of today's version, so what is changed is migrated for good. Each form has a version of its own: after a return to an
earlier version of the app, it still reads what has not changed.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from peering.outcome import ProblemError

#: The version in which a form is written that has never changed.
FIRST: Final = 1
#: The versions of the others, by their names: those of the texts, or `order`. One more whenever a form changes so that
#: the version of the app before could not read it.
CHANGED: Final[dict[str, int]] = {}
#: The column with the version of an order's row; with `_` and the name of a text before it, with that of the text.
COLUMN: Final = "schema"
_ENDING: Final = f"_{COLUMN}"

Held = Mapping[str, Any]
Step = Callable[[Held], Held]


def _placed_when_due(order: Held) -> Held:
    """An order's row without the time at which the order was placed: it was placed before it may first be resumed."""
    return {"at": order["not_before"], **order}


#: What makes of each older version the next one, by what it is; what is not listed has kept its form. What has no
#: version was written before there were versions, and is of version 0.
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
    """A version's number; 0 before there were versions. What is no number is of no version that this app knows."""
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
    """What a row holds, in today's form.

    Args:
        name: what it is: the name of a text, or `order`.
        version: its schema version; None for what was written before there were versions.
        found: what was read.
    """
    for earlier in range(_number(version), today(name)):
        found = FORWARDS.get((name, earlier), dict)(found)
    return found
