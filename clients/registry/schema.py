"""The schema version of what the registry's rows hold: the older is migrated as it is read, the newer is refused.

Each JSON text of a row has its version in a column beside it, and so has an order's row. A write is always of today's
version, so what is changed is migrated for good.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from peering.outcome import ProblemError

#: The version that is written. One more whenever a form changes so that the version before could not read it.
SCHEMA: Final = 1
#: The column with the version of an order's row; with `_` and the name of a text before it, with that of the text.
COLUMN: Final = "schema"

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
    return f"{name}_{COLUMN}"


def is_newer(row: Held) -> bool:
    """Whether a newer version of the app wrote a row, or a part of it."""
    versions = (value for name, value in row.items() if name == COLUMN or name.endswith(f"_{COLUMN}"))
    return any(int(value or 0) > SCHEMA for value in versions)


def check(row: Held) -> None:
    """Check that a row can be read and changed.

    Raises:
        ProblemError: `registry-row-newer`.
    """
    if is_newer(row):
        raise ProblemError("registry-row-newer", f"This version of the app knows schema {SCHEMA}.")


def migrated(name: str, version: object, found: Held) -> Held:
    """What a row holds, in today's form.

    Args:
        name: what it is: the name of a text, or `order`.
        version: its schema version; None for what was written before there were versions.
        found: what was read.
    """
    for earlier in range(int(str(version or 0)), SCHEMA):
        found = FORWARDS.get((name, earlier), dict)(found)
    return found
