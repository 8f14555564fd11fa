"""Every command that the README and the documents for users tell people to type, run as it is written.

`$API`, `$APP` and what stands for an id or a file are filled in as a reader would. Commands against Azure itself need a
subscription; what they name is checked by `tests/infra`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from local.demo import peering_request
from local.processes import PROJECT
from tests.command_line.conftest import CommandLine, Ended
from triggers.route_table import ROUTES

DOCS: Final = ("docs/command-line.md", "README.md")
#: The documents for users, and the one of them whose commands need an Azure subscription.
FOR_USERS: Final = (
    *("README.md", "docs/api.md", "docs/command-line.md", "docs/operating.md", "docs/organization-vpcs.md"),
    *("docs/page.md", "docs/drift.md", "docs/diagnosis.md", "docs/security.md", "docs/deploying.md"),
)
AZURE: Final = frozenset({"docs/deploying.md"})
_VNET: Final = "/subscriptions/.../resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Hub-VNet"
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_INLINE: Final = re.compile(r"`(curl [^`]+)`")
_MAKE: Final = re.compile(r"(?:^|`)(make [a-z][a-z-]*(?: [A-Z]+=(?:\"[^\"]*\"|\S+))*)", re.MULTILINE)
_MODULE: Final = re.compile(r"python -m ([a-z_.]+)")
#: What a reader puts in the place of an example's values.
_EXAMPLES: Final = {
    "my-project": "project",
    "0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c4d": "project_vpc_id",
    _VNET: "vnet_id",
}
#: The blocks of other programs, each of which a test here runs; those of `make` are tried without being carried out.
ELSEWHERE: Final = {"README.md": 1, "docs/operating.md": 2, "docs/organization-vpcs.md": 1}
#: A command of az, or a script that runs some.
AZ: Final = re.compile(r"(?m)(^|[ (])az [a-z]|^infra/")
_REFUSED: Final = frozenset({400, 401, 403, 404, 405, 415})


def blocks(name: str) -> list[str]:
    """The shell blocks of a document."""
    return _BLOCK.findall((PROJECT / name).read_text())


def commands(name: str) -> list[str]:
    """The lines of a document's shell blocks that begin with `peering`."""
    return [line for block in blocks(name) for line in block.splitlines() if line.startswith("peering ")]


@pytest.mark.parametrize("name", DOCS)
@pytest.mark.timeout(600)
def test_every_command_works_as_it_is_written(command: CommandLine, name: str, tmp_path: Path) -> None:
    written = commands(name)
    assert written
    failed = [(line, ended) for line in written if (ended := _run(command, line, tmp_path)).code != 0]
    assert not failed


def _run(command: CommandLine, line: str, programs: Path, **variables: str) -> Ended:
    """Run a line of a document, with the programs that it names."""
    _program(programs / "peering", 'exec "$PEERING_PYTHON" -m command_line "$@"')
    given = {"VNET_ID": str(peering_request(command.cloud)["vnet_id"]), **variables}
    return command.shell(line, programs, given)


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o700)


@pytest.fixture
def at_home(command: CommandLine, tmp_path: Path) -> dict[str, str]:
    """The variables of the documents, and a curl that finds the app on this machine, silent but for what it answers."""
    _program(
        tmp_path / "curl",
        'arguments=(); for one in "$@"; do arguments+=("${one/https:\\/\\/$APP.azurewebsites.net/$SERVED}"); done\n'
        'exec /usr/bin/env -u https_proxy -u HTTPS_PROXY PATH="${PATH#*:}" curl -s "${arguments[@]}"',
    )
    _program(
        tmp_path / "az",
        'test "$*" = "functionapp function keys set --resource-group group --name app --function-name ${10}'
        ' --key-name reader --key-value readers" && curl -f -X PUT -H "x-functions-key: $MASTER"'
        ' "$SERVED/admin/functions/${10}/keys/reader" -d \'{"value": "readers"}\'',
    )
    (tmp_path / "request.json").write_text(json.dumps(peering_request(command.cloud)))
    keys = json.loads((command.directory / "app" / "keys.json").read_text())
    served = {"SERVED": command.app.url, "API": f"{command.app.url}/api", "APP": "app", "GROUP": "group"}
    return {**served, "KEY": command.app.key, "MASTER": keys["master"], "READER": "readers"}


def _asked(command: CommandLine, path: str) -> Any:  # noqa: ANN401 - JSON
    headers = {"x-functions-key": command.app.key}
    url = f"{command.app.url}/api/{path}"
    return httpx.get(url, headers=headers, trust_env=False, timeout=60).raise_for_status().json()


@pytest.mark.timeout(600)
def test_the_first_command_of_the_readme_comes_to_its_end(tmp_path: Path) -> None:
    first = blocks("README.md")[0].splitlines()[0].partition("#")[0].strip()
    assert first == "make demo"
    # A copy, for what the demonstration writes is one for each folder.
    copy = tmp_path / "app"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".*", "node_modules", "__pycache__"))
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHONPATH"))}
    done = subprocess.run(first.split(), cwd=copy, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "the cloud is as before" in done.stdout
    assert (copy / ".local/demo/report.md").exists()


@pytest.mark.curl
def test_the_request_of_the_readme_starts_a_peering(
    command: CommandLine, at_home: Mapping[str, str], tmp_path: Path
) -> None:
    (line,) = [block for block in blocks("README.md") if block.startswith("curl ")]
    request = peering_request(command.cloud)
    for example, field in _EXAMPLES.items():
        assert example in line
        line = line.replace(example, str(request[field]))
    assert "202 Accepted" in _run(command, line, tmp_path, **at_home).out


@pytest.mark.curl
def test_a_request_for_an_organization_is_understood(
    command: CommandLine, at_home: Mapping[str, str], tmp_path: Path
) -> None:
    (line,) = blocks("docs/organization-vpcs.md")
    line = line.replace(_VNET, str(peering_request(command.cloud)["vnet_id"]))
    assert "202 Accepted" in _run(command, line, tmp_path, **at_home).out


@pytest.mark.curl
def test_the_reader_key_of_the_document_opens_what_only_reads(
    command: CommandLine, at_home: Mapping[str, str], tmp_path: Path
) -> None:
    (block,) = blocks("docs/api.md")
    ended = _run(command, block, tmp_path, **at_home)
    assert ended.code == 0, ended
    opened = {route.name for route in ROUTES if _status(command, route.method, route.path) != 401}
    assert opened == {route.name for route in ROUTES if route.role == "reader"}


def _status(command: CommandLine, method: str, path: str) -> int:
    url = f"{command.app.url}/api/{path.format(id='x', run='x', code='x')}"
    return httpx.request(method, url, headers={"x-functions-key": "readers"}, trust_env=False, timeout=60).status_code


@pytest.mark.curl
def test_the_first_peering_of_the_document_is_connected_and_healthy(
    command: CommandLine, at_home: Mapping[str, str], tmp_path: Path
) -> None:
    step = (PROJECT / "docs/deploying.md").read_text().partition("## 5. ")[2].partition("\n## ")[0]
    plan, token, start, check = _BLOCK.findall(step)
    assert "az account get-access-token" in token
    key = "functionapp keys list --resource-group group --name app --query functionKeys.default --output tsv"
    _program(tmp_path / "az", f'test "$*" = "{key}" && echo "$DEFAULT"')
    _program(tmp_path / "sleep", "exec /bin/sleep 1")
    given = {**at_home, "HOST": "$APP.azurewebsites.net".replace("$APP", at_home["APP"]), "DEFAULT": at_home["KEY"]}
    ended = _run(command, plan, tmp_path, **given)
    assert ended.code == 0, ended
    assert json.loads(ended.out)["obstacles"] == []
    ended = _run(command, "\n".join((plan.replace("| jq .", "> plan.json"), start)), tmp_path, **given)
    states, _, result = ended.out.partition("{")
    assert (set(states.split()), json.loads("{" + result)) == (
        {"running", "connected"},
        {"state": "connected", "problem": None},
    ), ended
    # The body has no end of line. It may come before the status, after it, or between its digits.
    assert "202" in re.sub(r"\{.*\}", "", ended.notes).splitlines(), ended
    ended = _run(command, "\n".join((plan.replace("| jq .", "> plan.json"), start, check)), tmp_path, **given)
    assert ended.out.split()[-2:] == ["connected", '"healthy"'], ended


def _by_hand() -> Iterator[str]:
    """The requests of the operators' document, in its order but for the removal, which comes last."""
    found = _INLINE.findall((PROJECT / "docs/operating.md").read_text())
    yield from sorted(found, key=lambda line: "-X DELETE" in line and "dryRun" not in line)


@pytest.mark.curl
def test_every_request_by_hand_is_answered(command: CommandLine, at_home: Mapping[str, str], tmp_path: Path) -> None:
    identity = json.loads(command.well("start", *command.pair(), "-o", "json"))["id"]
    lines = [*_by_hand()]
    assert len(lines) >= 6
    head = 'curl -H "x-functions-key: $KEY" -o /dev/null -w "%{http_code}" '
    for line in lines:
        command.well("wait", identity, "--for=rest", "--timeout=5m")
        ended = _run(command, line.replace("{id}", identity).replace("curl ", head, 1), tmp_path, **at_home)
        assert ended.code == 0, (line, ended)
        assert int(ended.out) not in _REFUSED, (line, ended)
        assert int(ended.out) < 500, (line, ended)


@pytest.mark.curl
def test_what_is_under_way_is_listed_as_before_an_upgrade(
    command: CommandLine, at_home: Mapping[str, str], tmp_path: Path
) -> None:
    (block,) = (block for block in blocks("docs/operating.md") if block.startswith("curl "))
    command.run("watch")
    ended = _run(command, block, tmp_path, **at_home)
    assert (ended.code, ended.out) == (0, "")
    shown = block.replace('"running"', '"running", "connected", "removed", "failed", "rotated"')
    listed = [one["url"] for one in _asked(command, "peerings")["peerings"]]
    assert _run(command, shown, tmp_path, **at_home).out.split() == listed


def test_the_nightly_export_of_the_document_writes_what_apply_reads(command: CommandLine, tmp_path: Path) -> None:
    (line,) = (block for block in blocks("docs/operating.md") if "* * * peering " in block)
    exported = line.partition("* * * ")[2].replace("\\%", "%").replace(" --profile production", "")
    command.run("watch")
    identity = json.loads(command.well("start", *command.pair(), "-o", "json"))["id"]
    for _ in range(2):
        ended = _run(command, exported, tmp_path, HOME=str(tmp_path))
        assert ended.code == 0, ended
    (file,) = tmp_path.glob("network-*.yaml")
    assert _asked(command, f"peerings/{identity}")["peering"]["vnet_id"] in file.read_text()


@pytest.mark.parametrize("name", [*FOR_USERS, "CONTRIBUTING.md", "docs/testing.md"])
def test_what_is_made_and_run_exists(name: str) -> None:
    text = (PROJECT / name).read_text()
    for line in _MAKE.findall(text):
        done = subprocess.run(
            ["bash", "-c", f"{line} --dry-run"], cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stderr)
    for module in _MODULE.findall(text):
        found = PROJECT / module.replace(".", "/")
        assert found.with_suffix(".py").exists() or (found / "__main__.py").exists(), module


def test_serve_takes_the_options_that_the_readme_gives_it() -> None:
    (options,) = re.findall(r'make serve SERVE="([^"]*)"', (PROJECT / "README.md").read_text())
    command = [sys.executable, "-m", "local.serve", *options.split(), "--help"]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, check=False).returncode == 0
    scenario = re.search(r"--scenario (\S+)", options)
    assert scenario is not None
    assert (PROJECT / "local" / "cloud" / "scenarios" / f"{scenario[1]}.toml").exists()


@pytest.mark.parametrize("name", sorted({*FOR_USERS} - AZURE))
def test_no_block_is_left_out(name: str) -> None:
    others = [block for block in blocks(name) if not all(line.startswith("peering ") for line in block.splitlines())]
    # tests/infra looks at what is asked of az.
    assert sum(not block.startswith("make ") and not AZ.search(block) for block in others) == ELSEWHERE.get(name, 0)
