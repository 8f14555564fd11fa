"""CONTRIBUTING.md names what is there: files, folders of tests, markers."""

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ROOT / "tests"
TEXT: Final = (ROOT / "CONTRIBUTING.md").read_text()


def named_in_table(head: str) -> set[str]:
    """What the first column of a table names, by the table's head."""
    rows = TEXT.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}


def test_every_file_that_it_links_exists() -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", TEXT)} - {""}
    assert len(linked) > 20
    assert [link for link in linked if not link.startswith("https://") and not (ROOT / link).exists()] == []


def test_every_test_that_it_names_exists() -> None:
    named = set(re.findall(r"`(?:red: )?(\w+/test_\w+\.py)`", TEXT))
    assert len(named) > 10
    assert [name for name in named if not (TESTS / name).exists()] == []


def test_it_has_every_folder_of_tests() -> None:
    assert named_in_table("folder of `tests/`") == {path.parent.name for path in TESTS.glob("*/__init__.py")}


def test_it_has_every_marker() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    markers = project["tool"]["pytest"]["ini_options"]["markers"]
    assert named_in_table("marker") == {marker.partition(":")[0] for marker in markers}
