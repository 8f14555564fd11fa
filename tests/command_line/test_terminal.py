"""The command in a terminal of 80 columns and 24 rows."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from command_line.app import COMMANDS
from local.demo import peering_request
from tests.command_line.conftest import COLUMNS, CommandLine


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
    assert "The runs continue." in interrupted
    assert "peering watch" in interrupted
    assert "Traceback" not in interrupted
    terminal = command.terminal("watch", "hub-vnet")
    assert terminal.end() == 0
    assert "connected" in terminal.shown


#: Every command but `start` and `remove`, which have tests of their own, with its exit code and what it shows.
CASES: Final[list[tuple[tuple[str, ...], int, str]]] = [
    (("plan", "-f", "FILE"), 0, r"1 to label\.|1 unchanged\."),
    (("apply", "-f", "FILE", "--yes"), 0, r"labelled 1|1 unchanged\."),
    (("list",), 0, "Hub-VNet local-project connected"),
    (("show", "hub-vnet"), 0, "state connected .* establish .* connected"),
    (("runs", "hub-vnet"), 0, "establish .* ago connected"),
    (("check", "hub-vnet"), 0, "Hub-VNet connected healthy"),
    (("rotate", "hub-vnet"), 0, "Hub-VNet rotate connected"),
    (("cancel", "hub-vnet"), 1, "There is nothing to cancel"),
    (("pause", "hub-vnet", "--why", "The hub is renumbered."), 0, "paused until peering resume, .* renumbered"),
    (("resume", "hub-vnet"), 0, "Hub-VNet active"),
    (("check", "--filter", "vnet=hub"), 0, "Hub-VNet connected healthy"),
    (("pause", "--all", "--why", "The hub is renumbered."), 0, "all, including future ones .* renumbered"),
    (("resume", "--all"), 0, "repairs active$"),
    (("label", "hub-vnet", "owner=network"), 0, "labels .*owner=network"),
    (("watch", "hub-vnet"), 0, "Hub-VNet .* connected"),
    (("wait", "hub-vnet"), 0, "^$"),
    (("problems", "address-spaces-overlap"), 0, "meaning .* remedy"),
    (("problems",), 0, "address-spaces-overlap"),
    (("doctor",), 0, "pass app: registry https://"),
    (("report", "hub-vnet"), 0, "Networks .* Rights .* Objects"),
    (("export", "hub-vnet"), 0, "project_vpc_id: "),
    (("open", "--print"), 0, "/api/ui$"),
    (("plan", "--help"), 0, "--vnet-id"),
]
#: What is for files rather than for eyes has its lines whole.
_WHOLE: Final = frozenset({"export", "open"})


@pytest.mark.parametrize(
    ("arguments", "code", "shown"), CASES, ids=lambda given: str(given[0]) if isinstance(given, tuple) else ""
)
def test_every_answer_fits(
    command: CommandLine, interrupted: str, arguments: tuple[str, ...], code: int, shown: str, tmp_path: Path
) -> None:
    command.well("wait", "hub-vnet", "--for=rest", "--timeout=60s")
    file = tmp_path / "peerings.yaml"
    file.write_text(yaml.safe_dump({"peerings": [{**peering_request(command.cloud), "labels": {"team": "network"}}]}))
    terminal = command.terminal(*(str(file) if one == "FILE" else one for one in arguments))
    assert terminal.end() == code, terminal.shown
    assert re.search(shown, " ".join(" ".join(terminal.lines).split())), terminal.shown
    assert [line for line in terminal.lines if len(line) > COLUMNS and arguments[0] not in _WHOLE] == []
    assert "Traceback" not in terminal.written


def test_every_command_is_shown_in_a_terminal() -> None:
    names = {name for name, _, _ in COMMANDS}
    assert names == {arguments[0] for arguments, *_ in CASES} | {"start", "remove"}


def test_a_removal_shows_what_would_go_and_asks(command: CommandLine, interrupted: str) -> None:
    command.well("wait", "hub-vnet", "--for=rest", "--timeout=60s")
    terminal = command.terminal("remove", "hub-vnet")
    assert "delete" in terminal.until(r"Remove 1 peering\?")
    terminal.send("n\r")
    assert terminal.end() == 1
    assert "Nothing was changed." in terminal.shown
    assert json.loads(command.well("list", "-o", "json"))[0]["state"] == "connected"
