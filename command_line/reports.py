"""A report in a terminal: Markdown, of which a table that is too wide for the terminal becomes a list of its rows."""

from collections.abc import Iterator
from typing import ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from command_line.tables import grid

#: More characters than any row has.
_ROOM: Final = 10_000
#: Columns of a table that is a list of names with their values already.
_PAIR: Final = 2


class _Table(TableElement):
    """A table that cuts nothing off: where it does not fit, each row stands as names with their values."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            is_wide = isinstance(part, Table) and len(part.columns) > _PAIR and _is_cut(part, console, options)
            yield from self._rows() if is_wide else (part,)

    def _rows(self) -> Iterator[RenderableType]:
        names = [cell.content.plain for cell in self.header.row.cells] if self.header and self.header.row else []
        for row in self.body.rows if self.body else []:
            yield Text()
            yield grid(*zip(names, (cell.content for cell in row.cells), strict=False))


def _is_cut(part: Table, console: Console, options: ConsoleOptions) -> bool:
    """Whether a table is wider than the terminal where it has room enough."""
    return Measurement.get(console, options.update(max_width=_ROOM), part).maximum > options.max_width


class _Report(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": _Table}


def of_report(text: str) -> RenderableType:
    """A report, which is Markdown."""
    return _Report(text)
