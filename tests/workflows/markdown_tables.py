"""Tables of a Markdown document as data, so that a document and what tests it cannot drift apart. Strict on purpose."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
#: One row of a table, by the names of the columns.
Row = dict[str, str]

_RULE: Final = re.compile(r"\|(?: ?:?-+:? ?\|)+")
_CODE: Final = re.compile(r"`([^`]+)`")


class TableError(ValueError):
    """A document does not hold the table that is looked for, or a row of it does not fit."""


def table(document: str, *columns: str) -> list[Row]:
    """The rows of the only table of a document in `docs` that has exactly these columns.

    Raises:
        TableError: there is no such table, or several, or a row has more or fewer cells.
    """
    found = [rows for head, rows in _tables(document) if head == list(columns)]
    if len(found) != 1:
        raise TableError(f"docs/{document} has {len(found)} tables with the columns {', '.join(columns)}")
    return found[0]


def code_spans(cell: str) -> list[str]:
    """The pieces of code in a cell that has nothing else but commas between them.

    Raises:
        TableError: there is something else in the cell.
    """
    spans = _CODE.findall(cell)
    if ", ".join(f"`{span}`" for span in spans) != cell:
        raise TableError(f"not pieces of code with commas between them: {cell}")
    return spans


def _tables(document: str) -> Iterator[tuple[list[str], list[Row]]]:
    """Every table with its columns."""
    lines = (DOCS / document).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if _RULE.fullmatch(line) and number:
            head = _cells(lines[number - 1])
            yield head, list(_rows(document, lines, number + 1, head))


def _rows(document: str, lines: list[str], start: int, head: list[str]) -> Iterator[Row]:
    for number in range(start, len(lines)):
        if not lines[number].startswith("|"):
            return
        cells = _cells(lines[number])
        if len(cells) != len(head):
            raise TableError(f"docs/{document}, line {number + 1}: {len(cells)} cells instead of {len(head)}")
        yield dict(zip(head, cells, strict=True))


def _cells(line: str) -> list[str]:
    if not (line.startswith("| ") and line.endswith(" |")):
        raise TableError(f"not a row of a table: {line}")
    return [cell.strip() for cell in line[1:-1].split("|")]
