"""The compiler and its linter have nothing to say, and what was recorded of them is what they still say."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tests.infra.compiler import DEPLOYMENTS, INFRA, bicep, compiled, snapshot

pytestmark = pytest.mark.bicep
PARAMETERS = sorted((*DEPLOYMENTS.glob("*.bicepparam"), INFRA / "main.bicepparam"))
FILES = sorted(INFRA.rglob("*.bicep"))
AGAIN = "python -m tests.infra.compiler"


def name(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", [*FILES, *PARAMETERS], ids=name)
def test_the_linter_has_nothing_to_say(file: Path) -> None:
    assert bicep("lint", str(file)) == ""


@pytest.mark.parametrize("file", [*FILES, *PARAMETERS], ids=name)
def test_the_formatter_changes_nothing(file: Path, tmp_path: Path) -> None:
    formatted = tmp_path / file.name
    assert bicep("format", str(file), "--outfile", str(formatted)) == ""
    assert formatted.read_text() == file.read_text()


def test_the_committed_template_is_what_the_files_compile_to(tmp_path: Path) -> None:
    assert compiled(tmp_path / "main.json") == ""
    fresh, committed = (_without_generator(path) for path in (tmp_path / "main.json", INFRA / "main.json"))
    assert fresh == committed, f"infra/main.json is stale: {AGAIN}"


@pytest.mark.parametrize("parameters", sorted(DEPLOYMENTS.glob("*.bicepparam")), ids=name)
def test_a_recorded_deployment_is_what_the_files_make(parameters: Path) -> None:
    assert snapshot(parameters, "validate") == "", f"What is made has changed; if that is meant: {AGAIN}"


def _without_generator(template: Path) -> dict[str, Any]:
    """A template without the compiler's version and its own hash of it."""

    def strip(found: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in found.items() if key != "_generator"}

    return cast("dict[str, Any]", json.loads(template.read_text(), object_hook=strip))
