"""`make demo` in a terminal of 80 columns and 24 rows."""

import os
from pathlib import Path

from rich.console import Console

from local.processes import PROJECT
from local.timeline import timeline
from tests.command_line.conftest import COLUMNS, ROWS, Terminal


def test_an_interruption_ends_it_without_a_traceback() -> None:
    _ends_in_a_line(Terminal.running(["-m", "local.run_demo"], PROJECT, os.environ), "1 plan")


def test_an_interruption_while_it_is_loaded_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "httpx.py").write_text("import time\nprint('loading')\ntime.sleep(60)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{PROJECT}"}
    _ends_in_a_line(Terminal.running(["-P", "-m", "local.run_demo"], PROJECT, environment), "loading")


def _ends_in_a_line(terminal: Terminal, at: str) -> None:
    terminal.until(at)
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
