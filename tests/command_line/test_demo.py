"""`make demo` in a terminal of 80 columns and 24 rows."""

import os

from rich.console import Console

from local.processes import PROJECT
from local.timeline import timeline
from tests.command_line.conftest import COLUMNS, ROWS, Terminal


def test_an_interruption_ends_it_without_a_traceback() -> None:
    terminal = Terminal.running(["-m", "local.demo"], PROJECT, os.environ)
    terminal.until("1 plan")
    terminal.send("\x03")
    assert terminal.end() == 130
    assert "stopped" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_its_steps_fit_a_small_terminal() -> None:
    begun = {"state": "done", "started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:00:01+00:00"}
    step = {"article_step": 13, "title": "Remove an orphaned VNet peering", "seconds": 1.0, "tries": 1, **begun}
    steps = [{**step, "name": str(number)} for number in range(30)]
    waiting = {**step, "name": "last", "title": "Wait for ACTIVE", "state": "waiting"}
    console = Console(width=COLUMNS, record=True, quiet=True)
    lines = console.render_lines(timeline({"steps": [*steps, waiting]}, width=COLUMNS, rows=ROWS - 8))
    texts = ["".join(segment.text for segment in line).rstrip() for line in lines]
    assert len(texts) <= ROWS
    assert "Wait for ACTIVE" in texts[-1]
    assert "waiting" in texts[-1]
