"""The compiler and its linter have nothing to say, and what was recorded of them is what they still say."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from tests.infra.compiler import DEPLOYMENTS, INFRA, bicep, compiled, snapshot

pytestmark = pytest.mark.bicep
ROOT = INFRA.parent
FOLDERS = (INFRA, DEPLOYMENTS)
AGAIN = "python -m tests.infra.compiler"


def name(file: Path) -> str:
    return file.name


def test_the_linter_has_nothing_to_say() -> None:
    assert [bicep("lint", "--pattern", f"{folder}/**/*.bicep*") for folder in FOLDERS] == ["", ""]


def test_the_formatter_changes_nothing(tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(folder, tmp_path / folder.relative_to(ROOT))
    assert bicep("format", "--pattern", f"{tmp_path}/**/*.bicep*") == ""
    written = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.bicep*")}
    assert len(written) > 20
    assert written == {file: (ROOT / file).read_text() for file in written}


def test_the_committed_template_is_what_the_files_compile_to(tmp_path: Path) -> None:
    assert compiled(tmp_path / "main.json") == ""
    fresh, committed = (_without_generator(path) for path in (tmp_path / "main.json", INFRA / "main.json"))
    assert fresh == committed, f"infra/main.json is stale: {AGAIN}"


@pytest.mark.parametrize("parameters", sorted(DEPLOYMENTS.glob("*.bicepparam")), ids=name)
def test_a_recorded_deployment_is_what_the_files_make(parameters: Path) -> None:
    assert snapshot(parameters, "validate") == "", f"What is made has changed; if that is meant: {AGAIN}"


def test_a_private_network_with_a_scheduler_is_refused(tmp_path: Path) -> None:
    text = (DEPLOYMENTS / "private-network.bicepparam").read_text()
    asked = tmp_path / "both.bicepparam"
    template = os.path.relpath(INFRA / "main.bicep", tmp_path)
    asked.write_text(f"{text.replace('../../../infra/main.bicep', template)}param durableBackend = 'scheduler'\n")
    assert "privateNetwork requires durableBackend=storage" in snapshot(asked, "overwrite")


def _without_generator(template: Path) -> dict[str, Any]:
    """A template without the compiler's version and its own hash of it."""

    def strip(found: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in found.items() if key != "_generator"}

    return cast("dict[str, Any]", json.loads(template.read_text(), object_hook=strip))
