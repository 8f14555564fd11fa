"""How commands end whose runs another caller stops, and what `apply --prune` removes."""

import json
from pathlib import Path

import pytest
import yaml

from local.demo import peering_request
from tests.command_line.conftest import CommandLine


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Delays in which a caller can stop a run, and three VNets."""
    path = tmp_path_factory.mktemp("scenario") / "slow.toml"
    path.write_text("vnets = 3\nrole_effective = 1\nsecret_accepted = 6\napproved = 4\ndetect = 1\n")
    return str(path)


def of(command: CommandLine, *vnets: str) -> list[dict[str, object]]:
    """The entries of a file that peer VNets with the one project VPC."""
    return [{**peering_request(command.cloud), "vnet_id": one} for one in vnets]


def states(command: CommandLine) -> dict[str, str]:
    """How the peerings stand, by their VNets."""
    return {one["vnet_id"]: one["state"] for one in json.loads(command.well("list", "-o", "json"))}


@pytest.mark.parametrize("begins", ["start", "apply"])
def test_a_stopped_run_has_not_succeeded(command: CommandLine, tmp_path: Path, begins: str) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text(yaml.safe_dump(of(command, command.vnets()[0])))
    terminal = command.terminal(*(("start", *command.pair()) if begins == "start" else ("apply", "-yf", str(file))))
    terminal.until("running")
    command.well("cancel", command.vnets()[0].rpartition("/")[2])
    assert terminal.end() == 1, terminal.shown
    assert "stopped" in terminal.shown
    assert "peering runs" in terminal.shown
    assert command.run("watch", "hub-vnet").code == 1


def test_pruning_removes_what_has_the_labels_and_is_no_entry(command: CommandLine, tmp_path: Path) -> None:
    hub, second, third = command.vnets()
    file = tmp_path / "network.yaml"
    file.write_text(yaml.safe_dump({"labels": {"team": "network"}, "peerings": of(command, hub, second)}))
    command.well("apply", "-f", str(file), "--yes")
    others = tmp_path / "others.yaml"
    others.write_text(yaml.safe_dump({"labels": {"team": "other"}, "peerings": of(command, third)}))
    command.well("apply", "-f", str(others), "--yes")
    file.write_text(yaml.safe_dump({"labels": {"team": "network"}, "peerings": of(command, hub)}))
    rows = json.loads(command.well("apply", "-f", str(file), "--prune", "--yes", "-o", "json"))
    assert [(row["vnet_id"], row["action"], row["state"]) for row in rows if row["action"] != "find"] == [
        (second, "remove", "removed")
    ]
    assert states(command) == {hub: "connected", third: "connected"}


def test_pruning_removes_nothing_beside_an_entry_that_is_wrong(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump({"labels": {"team": "other"}, "peerings": [{"project": "p"}]}))
    ended = command.run("apply", "-f", str(file), "--prune", "--yes")
    assert (ended.code, "--prune removes nothing" in ended.notes) == (1, True), ended
    assert command.vnets()[2] in states(command)


def test_a_stopped_rotation_has_not_succeeded(command: CommandLine) -> None:
    command.well("start", *command.pair())
    terminal = command.terminal("rotate", "hub-vnet")
    terminal.until("rotating")
    command.well("cancel", "hub-vnet")
    assert terminal.end() == 1, terminal.shown
    assert command.run("check", "hub-vnet").code == 0
