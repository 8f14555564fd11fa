"""The article's commands as a person gives them, by the genuine az and avn."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CLIS: Final = Path(".local/clis")


def install_clis() -> None:
    """azure-cli and aiven-client in an environment of their own, unless they are there."""
    if not (CLIS / "bin/az").exists():
        uv = shutil.which("uv") or ".venv/bin/uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", str(CLIS)], check=True)
        python, locked = str(CLIS / "bin/python"), str(HERE / "requirements.txt")
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", locked], check=True
        )


def by_hand(cloud: Mapping[str, str], transcript: Path) -> None:
    """Run the article's commands, with nothing but the variables that the cloud prints."""
    path = f"{(CLIS / 'bin').resolve()}:{os.environ['PATH']}"
    with transcript.open("wb") as output:
        script = ["bash", str(HERE / "article.sh")]
        done = subprocess.run(
            script, env={**os.environ, **cloud, "PATH": path}, stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        raise SystemExit(f"the article's commands failed:\n{transcript.read_text()}")
