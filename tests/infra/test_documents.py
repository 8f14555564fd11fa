"""What docs/deploying.md tells people to type exists, its sums are right; what was never tried is marked as such."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.infra.compiler import INFRA

ROOT: Final = INFRA.parent
TEXT: Final = (ROOT / "docs/deploying.md").read_text()
TEMPLATE: Final[dict[str, Any]] = json.loads((INFRA / "main.json").read_text())
COMMANDS: Final = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
#: Where people read what to do. What the catalogue of problems says is the app's own, and tried.
DOCUMENTS: Final = [ROOT / "README.md", *(path for path in ROOT.glob("docs/*.md") if path.name != "problems.md")]
#: What can be tried neither without Azure nor without a program that is not to be had.
NEVER_TRIED: Final = ("azd", "App Service authentication", "Durable Task Scheduler", "GitHub Actions", "Core Tools")
MARK: Final = "not yet verified"


def test_every_parameter_that_it_names_exists() -> None:
    table = TEXT.partition("## Parameters")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }
    assert len(named) > 10
    assert named | {"recoverVault", "aivenToken", "webhookSecret"} <= TEMPLATE["parameters"].keys()


def test_the_defaults_that_it_names_are_those_of_the_template() -> None:
    defaults = {name: one.get("defaultValue") for name, one in TEMPLATE["parameters"].items()}
    assert (defaults["httpConcurrency"], defaults["instanceMemoryMB"], defaults["maximumInstanceCount"]) == (
        16,
        2048,
        40,
    )
    assert (defaults["alwaysReadyInstances"], defaults["privateNetwork"], defaults["locks"]) == (1, False, False)


def test_every_output_that_it_reads_exists() -> None:
    read = set(re.findall(r"\$\(out (\w+)\)", COMMANDS))
    assert read
    assert read <= TEMPLATE["outputs"].keys()


def test_every_file_that_it_names_exists() -> None:
    files = {name for name in re.findall(r"(?<![\w/.])(infra/[\w./-]+)", TEXT) if "/tests/" not in name}
    assert {"infra/main.bicep", "infra/main.bicepparam", "infra/graph.sh"} <= files
    assert all((ROOT / name).exists() for name in files)


def test_the_variables_that_it_exports_are_those_that_the_parameters_read() -> None:
    read = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text()))
    assert all(name in TEXT for name in read)


@pytest.mark.parametrize("column", range(3))
def test_the_costs_add_up(column: int) -> None:
    rows = [
        line.strip("|\n ").split(" | ") for line in TEXT.partition("## Cost")[2].splitlines() if line.startswith("|")
    ]
    figures = [[float(cell.strip(" *")) for cell in row[1:]] for row in rows[2:]]
    *parts, total = (row[column] for row in figures)
    assert round(sum(parts)) == total


def test_the_platforms_application_is_the_one_of_the_code() -> None:
    from clients.settings import Settings

    platform = str(Settings.model_fields["platform_application_id"].default)
    assert f"az ad sp create --id {platform}" in TEXT
    assert platform in (INFRA / "graph.sh").read_text()


def test_the_app_roles_are_reader_and_operator() -> None:
    roles: list[dict[str, Any]] = json.loads((INFRA / "app-roles.json").read_text())
    assert [one["value"] for one in roles] == ["reader", "operator"]
    assert all(one["isEnabled"] for one in roles)


def passages(text: str) -> list[str]:
    """The paragraphs and the rows of tables, each without line breaks."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\|)", text)]


def unmarked(text: str, what: str) -> list[str]:
    """The passages that name something that was never tried, and have no mark; headings and addresses are none."""
    named = re.compile(rf"(?<![\w-]){what}(?![\w-])")
    found = (one for one in passages(text) if named.search(re.sub(r"\]\([^)]*\)", "", one)))
    return [one for one in found if not one.startswith("#") and MARK not in one.lower()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
@pytest.mark.parametrize("what", NEVER_TRIED)
def test_what_was_never_tried_is_marked_wherever_it_is_told(document: Path, what: str) -> None:
    assert unmarked(document.read_text(), what) == []


@pytest.mark.parametrize("what", NEVER_TRIED)
def test_deploying_tells_of_all_that_was_never_tried(what: str) -> None:
    assert any(what in one and MARK in one.lower() for one in passages(TEXT))
    assert unmarked(f"A paragraph.\n\nThe use of {what}.\n\n*Not yet verified.*", what) == [f"The use of {what}."]
