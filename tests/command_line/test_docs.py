"""Every `peering` command of the README and of the docs for users, run literally."""

import re
from pathlib import Path
from typing import Final

import pytest

from local.demo import peering_request
from local.processes import PROJECT
from tests.command_line.conftest import CommandLine, Ended

DOCS: Final = ("docs/command-line.md", "README.md")
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(name: str) -> list[str]:
    """The lines of a document's shell blocks that begin with `peering`."""
    blocks = _BLOCK.findall((PROJECT / name).read_text())
    return [line for block in blocks for line in block.splitlines() if line.startswith("peering ")]


@pytest.mark.parametrize("name", DOCS)
@pytest.mark.timeout(600)
def test_every_command_works_as_it_is_written(command: CommandLine, name: str, tmp_path: Path) -> None:
    written = commands(name)
    assert written
    failed = [(line, ended) for line in written if (ended := _run(command, line, tmp_path)).code != 0]
    assert not failed


def _run(command: CommandLine, line: str, tmp_path: Path) -> Ended:
    shim = tmp_path / "peering"
    shim.write_text('#!/bin/sh\nexec "$PEERING_PYTHON" -m command_line "$@"\n')
    shim.chmod(0o700)
    return command.shell(line, shim.parent, {"VNET_ID": str(peering_request(command.cloud)["vnet_id"])})
