"""The command as `pipx install '.[cli]'` installs it: in an environment of its own, with nothing of the app there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import PROJECT
from peering.version import VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_what_is_installed_runs_without_the_app(tmp_path: Path) -> None:
    # As for pipx, what the package needs comes from the index: without a network, from the cache alone.
    uv, programs = Path(sys.executable).with_name("uv"), tmp_path / "venv" / "bin"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    into = ("pip", "install", "--quiet", "--python", str(programs / "python"))
    subprocess.run([uv, *into, f"{PROJECT}[cli]"], check=True, timeout=300)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PEERING_", "PYTHON"))}
    environment = {**kept, "PEERING_CONFIG": str(tmp_path / "none.toml")}

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        given = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 60}
        return subprocess.run(command, check=False, **given)  # type: ignore[call-overload,no-any-return]

    assert run(programs / "peering", "--version").stdout.strip() == VERSION
    ended = run(programs / "peering", "list")
    assert (ended.returncode, "Where is the app?" in ended.stderr) == (64, True), ended
    assert run(programs / "python", "-c", "import peering").returncode != 0
