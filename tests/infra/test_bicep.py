"""Every file compiles, and the linter has nothing to say."""

import os
import subprocess
from pathlib import Path

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"


@pytest.mark.bicep
@pytest.mark.parametrize("command", ["build", "lint"])
@pytest.mark.parametrize("file", sorted(INFRA.glob("*.bicep")), ids=lambda file: file.name)
def test_the_compiler_has_nothing_to_say(file: Path, command: str, tmp_path: Path) -> None:
    output = ["--outfile", str(tmp_path / "template.json")] if command == "build" else []
    compiler = os.environ.get("BICEP", "bicep")
    ran = subprocess.run([compiler, command, str(file), *output], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
