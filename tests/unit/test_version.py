"""The version that the registry notes is the project's."""

import tomllib
from pathlib import Path

from peering.version import VERSION


def test_there_is_one_version() -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
