"""What causes the rows of a document's table: changes of the local cloud, in a JSON file beside the tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

from tests.workflows.markdown_tables import Row, TableError

_FOLDER: Final = Path(__file__).parent
#: One change. With `kind` it is the body of a `POST /events`, and `knobs` is that of a `PUT /knobs`. In a diagnosis,
#: `until` lets the run continue until it waits at that step; `connection` replaces fields of Aiven's row of the
#: connection, which no event can set. `$names` stand for the parts of the peering.
Change = dict[str, Any]


def changes_of(rows: Sequence[Row], title: str, file: str) -> dict[str, list[Change]]:
    """The changes that cause each row, by the cell that names the row.

    Args:
        rows: of the table.
        title: the column that names a row.
        file: the file's name.

    Raises:
        TableError: the file lacks a row of the table, or has another one.
    """
    found: dict[str, list[Change]] = json.loads((_FOLDER / file).read_text(encoding="utf-8"))
    titles = [row[title] for row in rows]
    if sorted(found) != sorted(titles):
        raise TableError(f"only {file}, or only the document, has the rows {sorted({*found} ^ {*titles})}")
    return found


def mention(changes: Sequence[Change], placeholder: str) -> bool:
    """Whether the JSON of changes contains a text, such as a placeholder or a host."""
    return placeholder in json.dumps(changes)


def filled(changes: Sequence[Change], values: Mapping[str, str]) -> list[Change]:
    """The changes with values in the place of their `$names`."""
    return [json.loads(Template(json.dumps(change)).substitute(values)) for change in changes]
