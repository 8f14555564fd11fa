"""Every command of az that people are told to run exists, with these options, and gets what it requires."""

import re
from typing import Final

import jmespath
import pytest

from local.processes import PROJECT
from tests.infra.commands import FILES, Command, commands, help_of

COMMANDS: Final = commands()
CODE: Final = re.compile(r"```sh\n(.*?)```|(?<!`)`([^`\n]+)`(?!`)", re.DOTALL)
#: A command of azd or of Core Tools, with its options.
PUBLISHED: Final = re.compile(r"(?m)(?:^|[\s=&|])((?:azd|func) [a-z][^\n`|&;]*)")

#: What of these commands is younger than the others, with the version whose release notes add it.
ADDED: Final = {
    ("ad app create", "--requested-access-token-version"): (2, 68),
    ("role assignment delete", "--assignee-object-id"): (2, 72),
    ("role assignment list", "--assignee-object-id"): (2, 72),
}


def name(command: Command) -> str:
    return f"{command.file}: {command.name}"


def test_commands_are_found_in_every_file() -> None:
    assert {command.file for command in COMMANDS} == set(FILES)
    assert len(COMMANDS) > 20
    assert Command("docs/deploying.md", "bicep install", ()) in COMMANDS


def test_of_programs_that_are_not_to_be_had_documents_tell_what_theirs_have() -> None:
    texts = [path.read_text() for path in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"))]
    told = {found for text in texts for code in CODE.findall(text) for found in PUBLISHED.findall("\n".join(code))}
    # learn.microsoft.com: "Azure Developer CLI reference", "Azure Functions Core Tools reference".
    assert told == {"azd up", "azd env set PRIVATE_NETWORK true", "func start"}


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_what_a_query_asks_for_can_be_asked(command: Command) -> None:
    for query in command.values("--query"):
        jmespath.compile(query.replace("$1", "name").replace("$role", "role").replace("$ours", "{}"))


def test_the_package_is_deployed_as_it_was_built() -> None:
    deploying = [command for command in COMMANDS if command.name == "functionapp deployment source config-zip"]
    assert {command.file for command in deploying} == {"docs/deploying.md", ".github/workflows/deploy.yml"}
    # For Python on Flex Consumption az otherwise has the service build it, which discards what the package has.
    assert {command.values("--build-remote") for command in deploying} == {("false",)}


def test_the_az_that_the_document_asks_for_has_every_option() -> None:
    used = {(command.name, option) for command in COMMANDS for option in command.options}
    assert ADDED.keys() <= used
    (asked,) = re.findall(r"`az` (\d+)\.(\d+) or later", (PROJECT / "docs/deploying.md").read_text())
    assert tuple(map(int, asked)) == max(ADDED.values())


def test_a_deployment_has_the_name_of_its_environment() -> None:
    # The region of a name is fixed, and so is that of the resource group: another region needs another name.
    deployments = [command for command in COMMANDS if command.name.startswith("deployment sub ")]
    assert {command.file for command in deployments} == {"docs/deploying.md", ".github/workflows/deploy.yml"}
    names = {command.file: set(command.values("--name")) for command in deployments}
    assert names["docs/deploying.md"] == {"$AZURE_ENV_NAME"}
    # Without the variable, the parameters have the same default.
    (default,) = re.findall(r"'AZURE_ENV_NAME', ''\), '(\w+)'", (PROJECT / "infra/main.bicepparam").read_text())
    assert names[".github/workflows/deploy.yml"] == {f"${{AZURE_ENV_NAME:-{default}}}"}


@pytest.mark.az
@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_a_command_exists_with_its_options_and_has_what_it_requires(command: Command) -> None:
    told = help_of(command.name)
    assert command.options <= told.options
    # In a sentence a command may be named alone.
    if command.options:
        assert [names for names in told.required if not names & command.options] == []


@pytest.mark.az
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_a_command_that_az_does_not_have_is_noticed() -> None:
    with pytest.raises(LookupError):
        help_of("functionapp deployment")
    with pytest.raises(LookupError):
        help_of("functionapp nothing-such")
    assert "--nothing-such" not in help_of("bicep install").options
