"""Everything that checkov finds in a deployment is explained in infra/checkov.md, and nothing else is."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.infra.compiler import INFRA
from tests.infra.predicted import NAMES, of_type, resources

#: Deployments with a network of their own.
PRIVATE: Final = [one for one in NAMES if of_type(one, "Microsoft.Network/privateEndpoints")]
_SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_NOT_PRIVATE: Final = "not with `privateNetwork`"


class Finding(NamedTuple):
    """A check, and the type of the resource that does not pass it."""

    check: str
    type: str


def explained() -> dict[Finding, str]:
    """The rows of the table: each finding, and where it is found."""
    text = (INFRA / "checkov.md").read_text()
    rows = re.findall(r"^\| `(CKV\w+)` \| `([\w./]+)` \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return {Finding(check, type_): found for check, type_, found in rows}


def found_by_checkov(directory: Path) -> dict[str, set[Finding]]:
    """What checkov finds in each deployment; it is told to ask no network."""
    for name in NAMES:
        template = {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": resources(name)}
        (directory / f"{name}.json").write_text(json.dumps(template))
    options = ["--framework", "arm", "--output", "json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    command = [os.environ.get("CHECKOV", "checkov"), "--directory", str(directory), *options]
    said: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert said["summary"]["parsing_errors"] == 0
    assert said["summary"]["passed"] > 100
    found: dict[str, set[Finding]] = {name: set() for name in NAMES}
    for one in said["results"]["failed_checks"]:
        type_ = one["resource"].rpartition(".")[0]
        found[Path(one["file_path"]).stem].add(Finding(one["check_id"], type_))
    return found


def test_every_row_says_where_a_finding_is() -> None:
    assert len(PRIVATE) == 2
    assert len(explained()) > 10
    assert set(explained().values()) == {"always", _NOT_PRIVATE}


@pytest.mark.checkov
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_found_is_what_is_explained(tmp_path: Path) -> None:
    everywhere = {one for one, where in explained().items() if where == "always"}
    for name, found in found_by_checkov(tmp_path).items():
        assert found == (everywhere if name in PRIVATE else explained().keys()), name
