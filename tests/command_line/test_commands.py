"""Every command as a process without a terminal: the life of one peering."""

import json
from pathlib import Path

import pytest
import yaml

from local.demo import peering_request
from tests.command_line.conftest import CommandLine


@pytest.fixture(scope="module")
def connected(command: CommandLine) -> str:
    """The id of a peering that the command has started."""
    command.well("start", *command.pair(), "--output", "json")
    return str(json.loads(command.well("list", "--output", "json"))[0]["id"])


def test_a_plan_changes_nothing(command: CommandLine) -> None:
    assert "Create the VNet peering" in command.well("plan", *command.pair())
    assert command.run("plan", *command.pair(), "--detailed-exitcode").code in (0, 2)


def test_a_start_is_followed_to_its_end(command: CommandLine, connected: str) -> None:
    shown = json.loads(command.well("show", connected, "--output", "json"))
    assert shown["state"] == "connected"


@pytest.mark.parametrize("name", ["hub-vnet", "Hub-VNet", "{id:.6}", "{id}"])
def test_a_peering_is_named_by_its_vnet_or_a_beginning_of_its_id(
    command: CommandLine, connected: str, name: str
) -> None:
    short = name.format(id=connected)
    assert command.well("show", short, "--query", "id").strip() == connected


def test_what_names_no_peering_is_not_found(command: CommandLine, connected: str) -> None:
    ended = command.run("show", "no-such-vnet")
    assert (ended.code, "no peering's VNet" in ended.notes) == (3, True)


def test_the_list_is_filtered_by_the_app(command: CommandLine, connected: str) -> None:
    assert command.well("list", "--filter", "state=connected", "--query", "[].id").strip() == connected
    ended = command.run("list", "--filter", "colour=red")
    assert ended.code == 1
    assert "colour: is not a query parameter" in ended.notes


def test_a_check_is_healthy(command: CommandLine, connected: str) -> None:
    assert "healthy" in command.well("check", connected)


def test_a_rotation_is_followed(command: CommandLine, connected: str) -> None:
    assert "rotate" in command.well("rotate", connected)


def test_waiting_ends_where_the_peering_is(command: CommandLine, connected: str) -> None:
    command.well("wait", connected, "--for=connected", "--timeout=5s")
    assert command.run("wait", connected, "--for=removed", "--timeout=1s").code == 5
    refused = command.run("wait", connected, "--for=nonsense")
    assert (refused.code, "must be one of rest, running, " in refused.notes) == (64, True)
    assert "broken" in refused.notes


def test_nothing_to_watch_or_cancel_is_said(command: CommandLine, connected: str) -> None:
    assert "There is no current run" in command.run("watch").notes
    ended = command.run("cancel", connected)
    assert (ended.code, "nothing-to-cancel" in ended.notes) == (1, True)


def test_runs_report_and_problems_are_shown(command: CommandLine, connected: str) -> None:
    assert "establish" in command.well("runs", connected)
    assert command.well("report", connected).startswith("#")
    assert isinstance(json.loads(command.well("report", connected, "-o", "json")), dict)
    assert "network team" in command.well("problems", "address-spaces-overlap")
    assert len(json.loads(command.well("problems", "-o", "json"))) > 100


def test_an_export_applies_without_a_change(command: CommandLine, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    command.well("export", "--adoptable", "-f", str(file))
    assert len(yaml.safe_load(file.read_text())["peerings"]) == 1
    ended = command.run("apply", "-f", str(file), "--detailed-exitcode", "-o", "json")
    assert ended.code == 0, ended
    assert [row["action"] for row in json.loads(ended.out)] == ["find"]


def test_an_entry_that_changes_is_applied(command: CommandLine, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps({**peering_request(command.cloud), "allow_forwarded_traffic": True}))
    assert command.run("plan", "-f", str(file), "--detailed-exitcode").code == 2
    asked = command.run("apply", "-f", str(file))
    assert (asked.code, "Give --yes" in asked.notes) == (64, True)
    command.well("apply", "-f", str(file), "--yes")
    assert command.run("plan", "-f", str(file), "--detailed-exitcode").code == 0


def test_labels_of_an_entry_replace_those_that_there_are(command: CommandLine, connected: str, tmp_path: Path) -> None:
    command.well("label", connected, "owner=network", "ticket=7", "--note", "Ask first")
    runs = len(json.loads(command.well("runs", connected, "-o", "json")))
    file = tmp_path / "one.yaml"
    entry = {**peering_request(command.cloud), "allow_forwarded_traffic": None, "labels": {"team": "a"}, "note": None}
    file.write_text(yaml.safe_dump({"peerings": [entry]}))
    (row,) = json.loads(command.well("apply", "-f", str(file), "--yes", "-o", "json"))
    assert (row["action"], row["state"]) == ("label", "labelled")
    assert row["changes"] == ["labels: owner=network, ticket=7 → team=a", "note: Ask first → (none)"]
    assert command.run("plan", "-f", str(file), "--detailed-exitcode").code == 0
    status = json.loads(command.well("show", connected, "-o", "json"))
    assert (status["labels"], status.get("note", "")) == ({"team": "a"}, "")
    assert len(json.loads(command.well("runs", connected, "-o", "json"))) == runs
    command.well("label", connected, "team-")


def test_a_wrong_entry_is_named_with_its_line_and_the_others_are_planned(
    command: CommandLine, connected: str, tmp_path: Path
) -> None:
    file = tmp_path / "two.yaml"
    entries = [peering_request(command.cloud), {"project": "p", "colour": "red"}]
    file.write_text(yaml.safe_dump({"peerings": entries}))
    ended = command.run("plan", "-f", str(file))
    assert ended.code == 1
    assert f"{file}:5" in ended.out
    assert "colour: Extra inputs are not permitted" in ended.out


def test_an_entry_with_one_name_for_two_roles_is_wrong(command: CommandLine, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    names = {"platform_role_name": "Aiven peering", "user_role_name": "AIVEN peering"}
    file.write_text(yaml.safe_dump({"peerings": [{**peering_request(command.cloud), **names}]}))
    ended = command.run("apply", "-f", str(file), "--yes", "-o", "json")
    (row,) = json.loads(ended.out)
    assert (ended.code, row["action"]) == (1, "wrong")
    assert "platform_role_name and user_role_name must differ" in row["problems"][0]["errors"][0]["rule"]


def test_off_is_a_word_in_files_and_options(command: CommandLine, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    names = "\n".join(f"  {name}: {value}" for name, value in peering_request(command.cloud).items())
    file.write_text(f"peerings:\n-{names[1:]}\n  repair: off\n  adopt: false\n")
    assert "repair: safe → off" in command.well("plan", "-f", str(file))
    planned = json.loads(command.well("plan", *command.pair(), "--set", "repair=off", "-o", "json"))
    assert [change["new"] for change in planned["changes"]] == ["off"]
    ended = command.run("plan", *command.pair(), "--set", "repair=[")
    assert (ended.code, "[ is no value" in ended.notes) == (64, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [("a: 1\na: 2\n", ":2: a is given twice"), ("a: [", ":1: "), ("- 1", "must hold a peering")],
)
def test_a_file_that_cannot_be_read_says_where(command: CommandLine, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    ended = command.run("plan", "-f", str(tmp_path / "bad.yaml"))
    assert (ended.code, told in ended.notes) == (64, True), ended


def test_pruning_needs_a_label_in_common(command: CommandLine, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(peering_request(command.cloud)))
    ended = command.run("apply", "-f", str(file), "--prune", "--yes")
    assert (ended.code, "no label in common" in ended.notes) == (64, True)


def test_a_peering_is_paused_with_a_reason_and_resumed(command: CommandLine, connected: str) -> None:
    command.well("pause", "hub-vnet", "--why", "The network is being moved")
    paused = json.loads(command.well("list", "-o", "json", "--filter", "paused=true"))
    assert [one["id"] for one in paused] == [connected]
    command.well("resume", "hub-vnet")
    assert json.loads(command.well("list", "-o", "json", "--filter", "paused=true")) == []


def test_many_are_checked_by_a_filter_or_all_together(command: CommandLine, connected: str) -> None:
    found = json.loads(command.well("check", "--filter", "state=connected", "-o", "json"))
    assert [(one["id"], one["health"]["verdict"]) for one in found] == [(connected, "healthy")]
    begun = json.loads(command.well("check", "--filter", "state=connected", "--no-wait", "-o", "json"))
    assert [one["id"] for one in begun["checks"]] == [connected]
    command.well("wait", connected, "--for=rest", "--timeout=60s")
    assert json.loads(command.well("check", "--filter", "label=none", "-o", "json")) == []
    assert "The check of all" in command.well("check", "--all")


def test_many_are_paused_and_resumed_by_a_filter_or_all_together(command: CommandLine, connected: str) -> None:
    some = json.loads(command.well("pause", "--filter", "state=connected", "--why", "Moved", "-o", "json"))
    assert (some["all"], some["peerings"]) == (False, [connected])
    assert "active" in command.well("resume", "--filter", "state=connected")
    assert "all, including future ones" in command.well("pause", "--all", "--why", "Moved")
    assert "all peerings until peering resume --all" in command.well("resume", "hub-vnet")
    assert "all peerings until peering resume --all" in command.well("show", "hub-vnet")
    assert "all peerings are paused until peering resume --all" in command.run("list").notes
    resumed = json.loads(command.well("resume", "--all", "-o", "json"))
    assert (resumed["all"], resumed["pause"]) == (True, None)


@pytest.mark.parametrize("given", [(), ("hub-vnet", "--all"), ("hub-vnet", "--filter", "state=connected")])
def test_peerings_are_meant_in_one_way(command: CommandLine, given: tuple[str, ...]) -> None:
    ended = command.run("check", *given)
    assert (ended.code, "Give either ids" in ended.notes) == (64, True)


def test_labels_are_set_and_removed_one_by_one(command: CommandLine, connected: str) -> None:
    command.well("label", "hub-vnet", "owner=network", "ticket=7", "--note", "Ask first")
    command.well("label", "hub-vnet", "ticket-")
    shown = json.loads(command.well("show", "hub-vnet", "-o", "json"))
    assert (shown["labels"], shown["note"]) == ({"owner": "network"}, "Ask first")


def test_the_address_of_the_description_is_printed(command: CommandLine) -> None:
    assert command.well("open", "--print").strip().endswith("/api/ui")


def test_the_doctor_tells_what_the_callers_set_up_lacks(command: CommandLine) -> None:
    checks = json.loads(command.well("doctor", "-o", "json"))
    assert [check["result"] for check in checks[:3]] == ["pass", "pass", "pass"]
    assert {"app: identity", "app: registry"} <= {check["name"] for check in checks}
    lacking = command.run("doctor", PEERING_KEY="")
    assert (lacking.code, "neither a key nor a scope" in lacking.out) == (1, True)


def test_whoever_may_not_come_in_is_told_how(command: CommandLine) -> None:
    ended = command.run("list", PEERING_KEY="wrong")
    assert (ended.code, "refuses the sign-in" in ended.notes) == (4, True)
    ended = command.run("list", "--endpoint", "http://127.0.0.1:9")
    assert (ended.code, "does not answer" in ended.notes) == (4, True)
    ended = command.run("list", "--endpoint", "http://example.com")
    assert (ended.code, "must begin with https" in ended.notes) == (64, True)


def test_a_profile_names_endpoint_and_key_file(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(command.app.key)
    profiles = tmp_path / "profiles.toml"
    profiles.write_text(f'default = "here"\n[profiles.here]\nendpoint = "{command.app.url}"\nkey_file = "key"\n')
    variables = {"PEERING_ENDPOINT": "", "PEERING_KEY": "", "PEERING_CONFIG": str(profiles)}
    assert command.run("list", **variables).code == 0
    profiles.write_text(profiles.read_text() + 'key = "secret"\n')
    ended = command.run("list", **variables)
    assert (ended.code, "profiles.here.key" in ended.notes) == (64, True)


def test_a_token_of_az_is_sent(command: CommandLine, tmp_path: Path) -> None:
    az = tmp_path / "az"
    token = '{"accessToken": "t", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}'
    az.write_text(f"#!/bin/sh\necho '{token}'\n")
    az.chmod(0o700)
    path = f"{tmp_path}:{command.environment['PATH']}"
    assert command.run("list", PEERING_SCOPE="api://app/.default", PATH=path).code == 0


def test_colours_are_for_terminals(command: CommandLine) -> None:
    assert "\x1b" not in command.run("doctor").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(command: CommandLine, shell: str) -> None:
    ended = command.run(_PEERING_COMPLETE=f"source_{shell}")
    assert (ended.code, "peering" in ended.out) == (0, True)


def test_a_removal_needs_a_yes_and_removes_all(command: CommandLine, connected: str) -> None:
    asked = command.run("remove", connected)
    assert (asked.code, "Give --yes" in asked.notes) == (64, True)
    assert ("VNet peering" in asked.notes, "Create" in asked.notes) == (True, False)
    assert "removed" in command.well("remove", connected, "--yes")
    command.well("wait", connected, "--for=removed", "--timeout=5s")
    assert "remove" in command.well("runs", connected)
