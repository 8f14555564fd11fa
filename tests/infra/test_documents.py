"""What docs/deploying.md tells people to type exists, its sums are right; what was never tried is marked as such."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml
from pathspec import GitIgnoreSpec

from local.cloud.arm.roles import ACCESS_ADMINISTRATOR, built_in_roles
from peering.problems import PROBLEMS
from peering.progress import PeeringState
from peering.rights import grants
from tests.infra.compiler import INFRA, read_by_the_file
from tests.infra.predicted import NAMES, of_type, resources
from tests.smoke import PACKAGE

ROOT: Final = INFRA.parent
TEXT: Final = (ROOT / "docs/deploying.md").read_text()
TEMPLATE: Final[dict[str, Any]] = json.loads((INFRA / "main.json").read_text())
COMMANDS: Final = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
#: Where people read what to do. What the catalogue of problems says is the app's own, and tried.
DOCUMENTS: Final = [ROOT / "README.md", *(path for path in ROOT.glob("docs/*.md") if path.name != "problems.md")]
#: What a shell sets by itself.
OF_A_SHELL: Final = frozenset({"HOME"})
#: A variable where it is used, where it is assigned, and where a loop or `read` fills it.
VARIABLE: Final = re.compile(
    r"(?<!\\)\$\{?(?P<used>[A-Za-z_]\w*)|(?<![\w$-])(?P<assigned>[A-Za-z_]\w*)\+?="
    r"|\b(?:for|read(?: -\w+)?) (?P<filled>[A-Za-z_]\w*)"
)
#: What can be tried neither without Azure nor without a program that is not to be had.
NEVER_TRIED: Final = (
    *("azd", "App Service authentication", "Durable Task Scheduler", "GitHub Actions", "Core Tools"),
    # App Service authentication, as it is met by a browser and by the command line.
    *("auth/login", "PEERING_SCOPE"),
)
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
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
    told = dict[str, str]()
    for line in TEXT.partition("## Parameters")[2].partition("\n## ")[0].splitlines():
        if line.startswith("| `"):
            names, values = (cell.replace("`", "").split(", ") for cell in line.strip("|").split("|")[:2])
            told |= {name.strip(): value.strip() for name, value in zip(names, values, strict=False)}
    told = {
        name: value for name, value in told.items() if value not in ("none", "derived", "that of the deployment", "")
    }
    assert told == {name: json.dumps(defaults[name]).strip('"') for name in told}
    numbers = {"httpConcurrency", "instanceMemoryMB", "maximumInstanceCount", "alwaysReadyInstances"}
    assert told.keys() == {*numbers, "privateNetwork", "locks", "durableBackend"}


def test_every_variable_that_it_names_is_read_by_a_deployment_or_assigned_in_a_command() -> None:
    code = ["".join(found) for found in re.findall(r"```sh\n(.*?)```|(?<!`)`([^`\n]+)`(?!`)", TEXT, re.DOTALL)]
    named = {name for one in code for name in re.findall(r"(?<![\w$\"{.-])([A-Z]+(?:_[A-Z]+)+)\b", one)}
    by_github = set(re.findall(r"vars\.(\w+)", (ROOT / ".github/workflows/deploy.yml").read_text()))
    assigned = set(re.findall(r"(?m)(?:^|\s)([A-Z_]+)=\$\(", COMMANDS))
    assert {"RECOVER_VAULT", "VAULT_SUFFIX", "ALLOWED_SUBSCRIPTIONS", "PRIVATE_NETWORK"} <= named
    assert named <= read_by_the_file() | by_github | assigned


def test_the_package_that_it_deploys_is_the_one_that_is_built() -> None:
    deployed = set(re.findall(r"--src (\S+)", COMMANDS))
    assert deployed == {"/".join(Path(PACKAGE).relative_to(ROOT).parts)}


def test_every_output_that_it_reads_exists() -> None:
    read = set(re.findall(r"\$\(out (\w+)\)", COMMANDS))
    assert read
    assert read <= TEMPLATE["outputs"].keys()


def test_every_file_that_it_names_exists() -> None:
    files = {name for name in re.findall(r"(?<![\w/.])(infra/[\w./-]+)", TEXT) if "/tests/" not in name}
    assert {"infra/main.bicep", "infra/main.bicepparam", "infra/graph.sh"} <= files
    assert all((ROOT / name).exists() for name in files)


def test_where_the_vnets_are_the_deployer_is_told_every_right_that_the_role_does_not_have() -> None:
    (administrator,) = (one for one in built_in_roles() if one.name == ACCESS_ADMINISTRATOR)
    # What is made there, and the nested deployments that make it.
    needed = {f"Microsoft.Authorization/{one}/write" for one in ("roleAssignments", "roleDefinitions")} | {
        f"Microsoft.Resources/deployments/{one}" for one in ("read", "write", "validate/action", "whatIf/action")
    }
    lacking = {action for action in needed if not grants(administrator.actions, action)}
    assert lacking == set(re.findall(r"`(Microsoft\.[\w./]+)`", TEXT.partition("## 1. Tools")[0]))


def test_the_providers_that_it_registers_are_those_of_the_resources_and_the_one_of_the_apps_subnet() -> None:
    (listed,) = re.findall(r"for provider in ([A-Za-z ]+);", COMMANDS)
    made = {one["type"].split("/")[0].removeprefix("Microsoft.") for name in NAMES for one in resources(name)}
    # Every subscription has these two.
    assert set(listed.split()) == made - {"Authorization", "Resources"} | {"App"}


def test_what_azd_says_after_a_deployment_names_the_api_and_the_host() -> None:
    (hook,) = re.findall(r"infra/graph\.sh (.*)\"", (ROOT / "azure.yaml").read_text())
    principal, name, host = shlex.split(hook)
    assert (
        {principal.removeprefix("$"), host.removeprefix("$")} == {"principalId", "host"} <= TEMPLATE["outputs"].keys()
    )
    assert f'infra/graph.sh "$PRINCIPAL_ID" "{name}" "$HOST"' in TEXT


def test_azd_finds_the_template_and_the_app_and_runs_the_hook() -> None:
    asked = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert (ROOT / asked["infra"]["path"] / f"{asked['infra']['module']}.bicep") == INFRA / "main.bicep"
    assert {one["tags"]["azd-service-name"] for one in of_type("default", "Microsoft.Web/sites")} == set(
        asked["services"]
    )
    assert [one["host"] for one in asked["services"].values()] == ["function"]
    # azd says nothing of a hook that it does not know.
    assert set(asked["hooks"]) == {"postprovision"}


def test_every_file_that_a_request_sends_is_written_before() -> None:
    for name in re.findall(r"-d @([\w.]+)", COMMANDS):
        assert f"cat > {name} " in COMMANDS.partition(f"-d @{name}")[0]


def without_values(text: str) -> list[str]:
    """The variables that command blocks use before they are assigned, and that no sentence names, as `$NAME`."""
    known = set(re.findall(r"`\$(\w+)`", text)) | OF_A_SHELL
    missing = list[str]()
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for match in VARIABLE.finditer(block):
            if match["used"] not in {None, *known}:
                missing.append(match["used"])
            known.add(match["assigned"] or match["filled"])
    return list(dict.fromkeys(missing))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_variable_of_a_command_is_assigned_before_or_explained(document: Path) -> None:
    assert without_values(document.read_text()) == []


def test_a_variable_that_nobody_sets_is_noticed() -> None:
    block = 'for id in $IDS; do\n  az group delete --name "$GROUP-$id"\ndone\nA=1 B=$(echo "${A}")\necho "$B"'
    assert without_values(f"```sh\n{block}\n```") == ["IDS", "GROUP"]
    assert without_values(f"`$GROUP` is an output.\n\n```sh\n{block}\n```") == ["IDS"]


def test_a_teardown_deletes_the_roles_where_the_vnets_are(tmp_path: Path) -> None:
    teardown = TEXT.partition("## Teardown")[2].partition("```sh\n")[2].partition("```")[0]
    # Each list has one id, and what is called is noted.
    called = 'az() { echo "$*" >> called; case $* in *" list "*) echo an-id ;; esac; }'
    vnets = [f"/subscriptions/{one}/resourceGroups/g{number}" for number, one in enumerate(("two", "one", "two"))]
    names = {"SUBSCRIPTION_ID": "app", "PRINCIPAL_ID": "identity", "DEPLOYER": "deployer", "GROUP": "group"}
    given = {"PATH": os.environ["PATH"], "NETWORKS": " ".join(vnets), **names}
    subprocess.run(["bash", "-euc", f"{called}\n{teardown}"], cwd=tmp_path, env=given, check=True, capture_output=True)
    lines = (tmp_path / "called").read_text().splitlines()
    listed = [line for line in lines if line.startswith("role assignment list")]
    assert [re.findall(r"--subscription (\S+) --assignee-object-id (\w+)", line) for line in listed] == [
        [(subscription, principal)] for subscription in ("app", "one", "two") for principal in ("identity", "deployer")
    ]
    assert len([line for line in lines if line == "role assignment delete --ids an-id"]) == len(listed)
    deleted = [line.split()[-1] for line in lines if line.startswith("role definition delete --name an-id")]
    assert deleted == ["app"] * 3 + ["one"] * 3 + ["two"] * 3
    assert lines[-1] == "group delete --name group"


@pytest.mark.parametrize("section", ["Move to another app", "Loss of a region"])
def test_a_second_app_gets_names_of_its_own(section: str) -> None:
    told = (ROOT / "docs/operating.md").read_text().partition(f"**{section}.**")[2].partition("\n**")[0]
    assert {"`AZURE_ENV_NAME`", "`RESOURCE_NAME`", "`RESOURCE_GROUP_NAME`"} <= set(re.findall(r"`\w+`", told))


def test_what_can_go_wrong_at_the_first_start_is_what_the_app_answers() -> None:
    rows = re.findall(r"(?m)^\| (.*?) \| ", TEXT.partition("## 5. ")[2].partition("\n## ")[0])[2:]
    assert len(rows) > 10
    for row in rows:
        state = re.match(r"`(\w+)`", row)
        named = re.findall(r"`([a-z-]+)`", row)[1 if state else 0 :]
        assert set(named) <= PROBLEMS.keys()
        if state:
            assert state[1] in get_args(PeeringState)
        else:
            assert {PROBLEMS[code].status for code in named} <= {int(row[:3])}


def test_what_is_written_into_the_projects_folder_is_not_deployed() -> None:
    documents = "\n".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    written = set(re.findall(r'(?:-f|>|--file|backup save "[^"]*") "?([\w$-]+\.\w+)', documents)) | {"deployment.env"}
    assert {"network.yaml", "$name.backup", "registry.jsonl", "applications.txt", "request.json"} <= written
    for rules in (".funcignore", ".gitignore"):
        ignored = GitIgnoreSpec.from_lines((ROOT / rules).read_text().splitlines())
        assert [name for name in written if not ignored.match_file(name)] == [], rules


def test_the_apps_host_is_the_one_of_the_deployment_in_every_cloud() -> None:
    assert "azurewebsites.net/api" not in TEXT
    assert "azurewebsites.net/api" not in (ROOT / "docs/operating.md").read_text()


@pytest.mark.parametrize("column", range(3))
def test_the_costs_add_up(column: int) -> None:
    rows = [
        line.strip("|\n ").split(" | ") for line in TEXT.partition("## Cost")[2].splitlines() if line.startswith("|")
    ]
    figures = [[float(cell.strip(" *")) for cell in row[1:]] for row in rows[2:]]
    *parts, total = (row[column] for row in figures)
    assert round(sum(parts)) == total


def test_the_costs_are_those_of_their_arithmetic() -> None:
    """Each row names what is multiplied; GB-s, calls and GB of the three sizes are listed."""
    table = TEXT.partition("## Cost")[2].partition("**total**")[0]
    rows = [line.strip("|\n ").split(" | ") for line in table.splitlines() if _TIMES in line or "nine alert" in line]
    always, executions, storage, logs, _ = (
        [float(one.replace(",", "")) for one in re.findall(r"(?<![\w.])\d[\d,]*\.?\d*", row[0])] for row in rows
    )
    size, seconds, hours, price = always[-4:]
    sweeps, every, *lengths, memory, of_execution = executions
    idle, *calls, of_calls, at_once = storage
    *gigabytes, of_logs = logs
    costs = [
        [size * seconds * hours * price] * 3,
        [sweeps * length * memory * of_execution for length in lengths],
        [(idle + more) * 1e6 * of_calls / at_once for more in calls],
        [one * of_logs for one in gigabytes],
        # How many, how often, and the price of each.
        [sum(price * {"two": 2, "five": 5}[many] for many, price in _rules(rows[-1][0]))] * 3,
    ]
    assert (sweeps, every) == (hours * 4, 15)
    for row, exact in zip(rows, costs, strict=True):
        assert [float(cell) for cell in row[1:]] == [
            round(one, 1 if "." in cell else None) for one, cell in zip(exact, row[1:], strict=True)
        ]


def _rules(row: str) -> list[tuple[str, float]]:
    return [
        (many, float(price)) for many, price in re.findall(rf"(two|five) every [^{_TIMES}]+{_TIMES} \$([\d.]+)", row)
    ]


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


@pytest.mark.parametrize("what", NEVER_TRIED[:5])
def test_deploying_tells_of_all_that_was_never_tried(what: str) -> None:
    assert any(what in one and MARK in one.lower() for one in passages(TEXT))
    assert unmarked(f"A paragraph.\n\nThe use of {what}.\n\n*Not yet verified.*", what) == [f"The use of {what}."]
