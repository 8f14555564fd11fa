"""`make recording` draws what `peering apply` shows of 60 peerings, two of them wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_recording_shows_the_plan_the_progress_and_the_end(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.command_line.recording", tmp_path],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown = {path.stem: _text(path) for path in tmp_path.iterdir()}
    assert "58 to create, 2 with problems." in shown["apply-plan"]
    assert re.search(r"connected [1-9]", shown["apply-progress"])
    assert "connected 58 wrong 1 blocked 1" in shown["apply-end"]


def _text(picture: Path) -> str:
    """The words of a picture, with single spaces between them."""
    return " ".join(re.sub(r"<[^>]*>|&#160;", " ", picture.read_text()).split())
