"""What a program of this directory found out: cells that are right or wrong, and their table."""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table

#: Of so many cells what they are about may not have come.
_MOST_MISSED: Final = 0.1

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Cell:
    """One case: its row in the table, its name, what is wrong with it, and how long it took in the machine's time.

    `is_missed`: what it is about did not come, since the engine groups its calls as they happen to arrive.
    """

    row: str
    name: str
    wrong: Sequence[str]
    seconds: float
    is_missed: bool = False


def cell(row: str, name: str, case: Callable[[], Iterable[str]]) -> Cell:
    """Run a case, which says what is wrong; an exception is wrong, too."""
    started = time.monotonic()
    try:
        wrong = list(case())
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        wrong = [f"{type(error).__name__} at {place.name}:{place.lineno}: {error}"]
    seconds = time.monotonic() - started
    sys.stderr.write(f"{row}, {name}: {'; '.join(wrong) or 'right'}, {seconds:.1f} s\n")
    return Cell(row, name, wrong, seconds)


def side_by_side(case: Callable[[T], R], items: Iterable[T], lanes: int) -> list[R]:
    """The results of a function for some items, so many at a time, in the order of the items."""
    with ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(case, items))


def at_once(*calls: Callable[[], R]) -> list[R]:
    """The results of some functions that begin in the same moment."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], R]) -> R:
        barrier.wait(30)
        return call()

    return side_by_side(begin, calls, len(calls))


def show(title: str, kind: str, cells: Sequence[Cell]) -> int:
    """Print the table of cells, and what is wrong; returns the exit code of the program.

    Args:
        title: the table's.
        kind: what the cells are, in the plural.
        cells: all of them.
    """
    console, table = Console(width=160), Table("", kind, "missed", "wrong", "seconds", title=title)
    for row in dict.fromkeys(one.row for one in cells):
        table.add_row(row, *_sums([one for one in cells if one.row == row]))
    table.add_row("all", *_sums(cells))
    ended_otherwise = [one for one in cells if one.wrong]
    console.print(table)
    for one in ended_otherwise:
        console.print(f"{one.row}, {one.name}: {'; '.join(one.wrong)}", markup=False)
    too_many_missed = sum(one.is_missed for one in cells) >= _MOST_MISSED * len(cells)
    return 1 if ended_otherwise or too_many_missed else 0


def _sums(cells: Sequence[Cell]) -> tuple[str, ...]:
    counts = len(cells), sum(one.is_missed for one in cells), sum(bool(one.wrong) for one in cells)
    return (*map(str, counts), f"{sum(one.seconds for one in cells):.0f}")
