"""What people see in a terminal of 80 columns, of a broken peering with an organization's VPC."""

import json
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml

from tests.command_line.conftest import COLUMNS, CommandLine

WHY: Final = "The hub is being moved"


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scenario") / "organization.toml"
    path.write_text('vpcs_of = "organization"\nvnets = 2\n')
    return str(path)


def vpc_of(command: CommandLine) -> dict[str, str]:
    """The organization's VPC, as a request names it."""
    cloud = command.cloud
    return {
        "organization_id": cloud["AIVEN_ORGANIZATION_ID"],
        "organization_vpc_id": cloud["AIVEN_ORGANIZATION_VPC_ID"],
    }


@pytest.fixture(scope="module")
def broken(command: CommandLine) -> str:
    """The id of a peering whose VNet peering was deleted; it is not repaired."""
    vpc = [part for name, value in vpc_of(command).items() for part in (f"--{name.replace('_', '-')}", value)]
    vnet_id = command.vnets()[0]
    status = json.loads(command.well("start", "--vnet-id", vnet_id, *vpc, "--set", "repair=off", "-o", "json"))
    remote = status["facts"]["to_network_id"]
    event = {"kind": "delete-vnet-peering", "vnet_id": vnet_id, "remote_id": remote}
    httpx.post(f"{command.cloud['LOCAL_CLOUD_ADMIN_URL']}/events", json=event, trust_env=False).raise_for_status()
    command.run("check", "hub-vnet")
    return str(status["id"])


def shown(command: CommandLine, *arguments: str) -> str:
    """What a terminal shows of an answer, as one line; nothing of it is wider than the terminal."""
    terminal = command.terminal(*arguments)
    terminal.end()
    assert [line for line in terminal.lines if len(line) > COLUMNS] == []
    assert not [line for line in terminal.lines if "…" in line and "…/" not in line], "something was cut off"
    return " ".join(" ".join(terminal.lines).split())


def test_the_list_says_whose_vpc_it_is_and_what_is_wrong(command: CommandLine, broken: str) -> None:
    told = shown(command, "list")
    assert command.cloud["AIVEN_ORGANIZATION_ID"] in told
    assert "broken" in told
    assert "The Azure side of the connection was deleted and 1 more" in told


def test_a_check_shows_its_verdict_and_not_what_was_last_under_way(command: CommandLine, broken: str) -> None:
    told = shown(command, "check", "hub-vnet")
    assert "connected broken" in told
    assert "(vnet-peering-missing)" in told
    assert "establish" not in told


def test_one_is_shown_with_its_pause_and_its_problem(command: CommandLine, broken: str) -> None:
    assert f"paused until peering resume, by holder of the function key: {WHY}" in shown(
        command, "pause", "hub-vnet", "--why", WHY
    )
    told = shown(command, "show", "hub-vnet")
    assert WHY in told
    assert command.cloud["AIVEN_ORGANIZATION_VPC_ID"] in told
    assert "(vnet-peering-missing)" in told
    assert "connected paused" in shown(command, "list")
    assert shown(command, "resume", "hub-vnet").endswith("Hub-VNet active")


def test_labels_are_shown_without_the_rest_of_the_peering(command: CommandLine, broken: str) -> None:
    told = shown(command, "label", "hub-vnet", "owner=network", "--note", "Ask first")
    assert told == f"id {broken} VNet Hub-VNet labels owner=network note Ask first"


def test_a_run_is_shown_with_its_steps(command: CommandLine, broken: str) -> None:
    runs = json.loads(command.well("runs", broken, "-o", "json"))
    told = shown(command, "runs", broken, runs[-1]["run"])
    assert "operation establish ended as connected" in told
    assert "vnet_peering done 1" in told


def test_the_doctor_says_what_was_seen(command: CommandLine, broken: str) -> None:
    told = shown(command, "doctor")
    assert "pass app: key vault" in told
    assert "secrets may be written" in told
    assert "pass app: vnet …/Hub-VNet" in told


def test_a_report_has_every_id_whole(command: CommandLine, broken: str) -> None:
    terminal = command.terminal("report", broken)
    terminal.end()
    whole = "".join(line.strip() for line in terminal.lines)
    assert command.vnets()[0] in whole
    assert "…" not in whole


def test_what_is_no_longer_in_a_file_would_be_removed(command: CommandLine, broken: str, tmp_path: Path) -> None:
    command.well("label", broken, "team=network")
    entry = {**vpc_of(command), "vnet_id": command.vnets()[1]}
    file = tmp_path / "network.yaml"
    file.write_text(yaml.safe_dump({"labels": {"team": "network"}, "peerings": [entry]}))
    terminal = command.terminal("apply", "-f", str(file), "--prune")
    assert "Create 1, remove 1?" in terminal.until(r"\[y/N\]")
    assert command.cloud["AIVEN_ORGANIZATION_ID"] in terminal.shown
    terminal.send("n\r")
    assert terminal.end() == 1
