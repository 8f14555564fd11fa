"""Every command of az that people are told to run exists, with these options, and gets what it requires."""

from typing import Final

import jmespath
import pytest

from tests.infra.commands import FILES, Command, commands, help_of

COMMANDS: Final = commands()


def name(command: Command) -> str:
    return f"{command.file}: {command.name}"


def test_commands_are_found_in_every_file() -> None:
    assert {command.file for command in COMMANDS} == set(FILES)
    assert len(COMMANDS) > 20
    assert Command("docs/deploying.md", "bicep install", frozenset(), ()) in COMMANDS


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_what_a_query_asks_for_can_be_asked(command: Command) -> None:
    for query in command.queries:
        jmespath.compile(query.replace("$1", "name").replace("$role", "role"))


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
@pytest.mark.slow
def test_a_command_that_az_does_not_have_is_noticed() -> None:
    with pytest.raises(LookupError):
        help_of("functionapp deployment")
    with pytest.raises(LookupError):
        help_of("functionapp nothing-such")
    assert "--nothing-such" not in help_of("bicep install").options
