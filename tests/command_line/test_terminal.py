"""The command in a terminal of 80 columns and 24 rows."""

import json

import pytest

from tests.command_line.conftest import COLUMNS, ROWS, CommandLine


@pytest.fixture(scope="module")
def scenario() -> str:
    return "demo"


@pytest.fixture(scope="module")
def interrupted(command: CommandLine) -> str:
    """A start that its caller has interrupted; the end of its screen."""
    terminal = command.terminal("start", *command.pair())
    shown = terminal.until("Platform's service principal|Wait for PENDING_PEER")
    assert "Hub-VNet" in shown
    assert "running" in shown
    terminal.send("\x03")
    assert terminal.end() == 130
    return terminal.shown


def test_an_interruption_leaves_the_run_going_and_says_how_to_look_again(
    command: CommandLine, interrupted: str
) -> None:
    assert "The runs go on." in interrupted
    assert "peering watch" in interrupted
    assert "Traceback" not in interrupted
    terminal = command.terminal("watch", "hub-vnet")
    assert terminal.end() == 0
    assert "connected" in terminal.shown


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show", "hub-vnet"),
        ("runs", "hub-vnet"),
        ("check", "hub-vnet"),
        ("problems", "address-spaces-overlap"),
        ("doctor",),
        ("report", "hub-vnet"),
        ("export", "hub-vnet"),
        ("wait", "hub-vnet"),
        ("plan", "--help"),
    ],
)
def test_every_answer_fits(command: CommandLine, interrupted: str, arguments: tuple[str, ...]) -> None:
    command.well("wait", "hub-vnet", "--for=rest", "--timeout=60s")
    terminal = command.terminal(*arguments)
    assert terminal.end() == 0, terminal.shown
    assert (len(terminal.screen.display), len(terminal.screen.display[0])) == (ROWS, COLUMNS)
    # A table that is too wide would be broken over two lines: no line of a table begins with the rest of another.
    assert "Traceback" not in terminal.shown


def test_a_removal_shows_what_would_go_and_asks(command: CommandLine, interrupted: str) -> None:
    command.well("wait", "hub-vnet", "--for=rest", "--timeout=60s")
    terminal = command.terminal("remove", "hub-vnet")
    assert "delete" in terminal.until(r"Remove 1 peering\?")
    terminal.send("n\r")
    assert terminal.end() == 1
    assert "Nothing was changed." in terminal.shown
    assert json.loads(command.well("list", "-o", "json"))[0]["state"] == "connected"
