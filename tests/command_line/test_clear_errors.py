"""What is wrong with files, settings and answers is said in a line with its remedy, without a traceback or a secret."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from local.processes import PROJECT
from tests.command_line.canned_app import Answer, CannedApp, canned_app, of
from tests.command_line.conftest import Ended, Terminal

ID = "0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c4d"
PLAN = {"id": ID, "result": "create", "steps": [], "changes": [], "obstacles": []}


def answer(method: str, path: str) -> Answer:
    """An app that plans everything and takes its time to start it."""
    if method == "POST" and "dryRun" not in path:
        time.sleep(60)
    return of(PLAN if method == "POST" else {"peerings": []})


@pytest.fixture(scope="module")
def app() -> Iterator[CannedApp]:
    with canned_app(answer) as found:
        yield found


def environment(url: str, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PEERING_")}
    return {**kept, "PYTHONPATH": str(PROJECT), "PEERING_ENDPOINT": url, "PEERING_KEY": "k", **variables}


def run(url: str, *arguments: str, given: str = "", **variables: str) -> Ended:
    """Run the command, which must not end with a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "command_line", *arguments],
        env=environment(url, **variables),
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("peerings: 5", "-: must hold a peering"),
        ("labels: 5\npeerings: []", "-: labels: must be names"),
        ("labels: [a]\npeerings:\n- project: p", "-: labels: must be names"),
        ("- project: p\n  labels: network", "-:1: labels: must be names"),
        ("labels: {team: }\npeerings: []", "-: labels: must be names"),
        ("- project: p\n  note: .nan", "-:1: Out of range float values"),
        ("- project: !!binary aGk=", "-:1: Object of type bytes"),
        ("- &a\n  project: *a", "-:1: found unconstructable recursive node"),
        ("[" * 3000, "-: maximum recursion depth"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(app: CannedApp, text: str, told: str) -> None:
    ended = run(app.url, "plan", "-f", "-", given=text)
    assert (ended.code, told in ended.notes) == (64, True), ended


def test_a_number_is_a_label_as_it_is_written(app: CannedApp) -> None:
    assert run(app.url, "plan", "-f", "-", given="labels: {cost: 42}\npeerings: [{project: p}]").code == 0


def changed(**options: tuple[object, object]) -> dict[str, object]:
    """The plan of a peering that exists, by the old and the new value of each option that changes."""
    changes = [{"option": name, "old": old, "new": new} for name, (old, new) in options.items()]
    return {**PLAN, "result": "update", "changes": changes}


def planning(plan: Mapping[str, object], *known: str) -> Callable[[str, str], Answer]:
    """An app that answers every change with this plan, and has these peerings."""
    peerings = [{"id": one, "vnet_id": "v", "state": "connected"} for one in known]
    return lambda method, _: of({"peerings": peerings} if method == "GET" else {**plan, "run": "r"})


def applied(plan: Mapping[str, object], *known: str) -> list[tuple[str, object]]:
    """The changes that a file leads to, each a method and a body."""
    with canned_app(planning(plan, *known)) as app:
        assert run(app.url, "apply", "-f", "-", "--yes", "--no-wait", given=LABELLED).code == 0
    asked = [(method, body, path) for (method, path), body in zip(app.asked, app.bodies, strict=True)]
    return [(method, json.loads(body)) for method, body, path in asked if method != "GET" and "dryRun" not in path]


LABELLED = "labels: {team: network}\npeerings: [{project: p, note: }]"
WHOLE = {"project": "p", "note": "", "labels": {"team": "network"}}
RELABELLED = {"labels": ({"owner": "x"}, {"team": "network"}), "note": ("Ask first", "")}


def test_the_labels_of_a_peering_are_part_of_its_plan_and_of_its_start() -> None:
    assert applied(PLAN) == [("POST", WHOLE)]
    assert applied(changed(repair=("safe", "off"), **RELABELLED), ID) == [("POST", WHOLE)]


def test_labels_alone_are_changed_as_planned_without_a_run() -> None:
    patch = {"labels": {"owner": None, "team": "network"}, "note": ""}
    assert applied(changed(**RELABELLED), ID) == [("PATCH", patch)]
    kept = changed(**RELABELLED, peering_name=("mine", "other"))
    kept["changes"][-1]["refused"] = "A VNet peering keeps its name."  # type: ignore[index]
    assert applied(kept, ID) == [("PATCH", patch)]


def test_what_is_missing_is_made_again_with_new_labels() -> None:
    plan = {**changed(**RELABELLED), "steps": [{"step": "vnet_peering", "action": "create"}]}
    assert applied(plan, ID) == [("POST", WHOLE)]


@pytest.mark.parametrize("known", [(), (ID,)])
def test_what_is_deleted_and_created_again_is_no_continuation(known: tuple[str, ...]) -> None:
    plan = {**PLAN, "result": "find", "steps": [{"step": "peering_connection", "action": "recreate"}]}
    with canned_app(planning(plan, *known)) as app:
        (row,) = json.loads(run(app.url, "plan", "-f", "-", "-o", "json", given="project: p").out)
    assert (row["action"], row["changes"]) == ("update", ["Peering connection: deleted and created again"])


def test_a_right_that_a_start_deletes_is_told_with_new_labels() -> None:
    deletion = {"step": "surplus_rights", "action": "delete", "name": "assignment of Network Contributor"}
    with canned_app(planning({**changed(**RELABELLED), "steps": [deletion]}, ID)) as app:
        (row,) = json.loads(run(app.url, "plan", "-f", "-", "-o", "json", given=LABELLED).out)
    assert (row["action"], row["changes"][-1]) == ("update", "assignment of Network Contributor: deleted")


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (changed(**RELABELLED), ["labels: owner=x → team=network", "note: Ask first → (none)"]),
        (changed(note=("", "Ask\nfirst")), ["note: (none) → Ask first"]),
    ],
)
def test_changed_labels_and_notes_are_shown_on_one_line(plan: dict[str, object], told: list[str]) -> None:
    with canned_app(planning(plan, ID)) as app:
        rows = json.loads(run(app.url, "plan", "-f", "-", "-o", "json", given=LABELLED).out)
    assert [(row["action"], row["changes"]) for row in rows] == [("label", told)]


@pytest.mark.parametrize("plan", [changed(**RELABELLED), changed(repair=("safe", "off"))])
def test_a_change_that_is_refused_is_said(plan: dict[str, object]) -> None:
    problem = Answer(json.dumps({"title": "No", "remedy": "Nothing changed."}), "application/problem+json", 400)
    well = planning(plan, ID)

    def answer(method: str, path: str) -> Answer:
        return well(method, path) if method == "GET" or "dryRun" in path else problem

    with canned_app(answer) as app:
        ended = run(app.url, "apply", "-f", "-", "--yes", "--no-wait", given=LABELLED)
    assert (ended.code, "refused" in ended.out, "Nothing changed." in ended.out) == (1, True, True)


def waiting(*answers: Answer) -> Ended:
    """How the command ends that waits for a connection, by the answers that it gets one after the other."""
    schema = {"schema": {"enum": ["connected", "stopped"]}}
    parameters = [{"name": name, **schema} for name in ("state", "verdict")]
    words = {"paths": {"/api/peerings": {"get": {"parameters": parameters}}}}
    left = list(answers)
    with canned_app(lambda _, path: of(words) if "openapi" in path else left.pop(0)) as app:
        return run(app.url, "wait", ID, "--for=connected", "--timeout=30s")


def status(state: str, **more: str) -> Answer:
    return of({"id": ID, "state": state, "peering": {"vnet_id": "/virtualNetworks/hub"}, **more})


def test_an_app_that_restarts_is_waited_for() -> None:
    out = Answer("", "text/html", 503)
    assert waiting(status("running", phase="forward"), out, out, status("connected")).code == 0


def test_waiting_ends_where_what_is_waited_for_cannot_come() -> None:
    ended = waiting(status("running", phase="forward"), status("stopped"))
    assert (ended.code, "hub is stopped, and stays so" in ended.notes) == (1, True), ended


def test_pruning_by_a_list_without_entries_removes_what_has_its_labels() -> None:
    labels = {"1": {"team": "network"}, "2": {"team": "other"}}

    def answer(_: str, path: str) -> Answer:
        if path.startswith("/api/peerings?"):
            return of({"peerings": [{"id": one, "state": "connected"} for one in labels]})
        identity = path.rpartition("/")[2]
        return of({"id": identity, "run": "r", "peering": {"vnet_id": "v"}, "labels": labels[identity]})

    text = "labels: {team: network}\npeerings: []"
    with canned_app(answer) as app:
        ended = run(app.url, "apply", "-f", "-", "--prune", "--yes", "--no-wait", "-o", "json", given=text)
    assert [(row["id"], row["action"], row["state"]) for row in json.loads(ended.out)] == [("1", "remove", "accepted")]


@pytest.mark.parametrize("verb", ["plan", "start"])
def test_a_request_without_fields_says_which_there_are(app: CannedApp, verb: str) -> None:
    ended = run(app.url, verb)
    assert (ended.code, "--project-vpc-id" in ended.notes, "--vnet-id" in ended.notes) == (64, True, True), ended


def test_a_file_is_planned_without_other_fields(app: CannedApp) -> None:
    ended = run(app.url, "plan", "-f", "-", "--project", "p", given="[{project: p}]")
    assert (ended.code, "project: not together with --file" in ended.notes) == (64, True), ended


@pytest.mark.parametrize("value", [".nan", "!!binary aGk=", "&a [*a]"])
def test_a_field_that_json_does_not_have_is_refused(app: CannedApp, value: str) -> None:
    ended = run(app.url, "plan", "--set", f"project={value}")
    assert (ended.code, "is no value" in ended.notes) == (64, True), ended


@pytest.mark.parametrize(
    "found",
    [
        Answer("<html>Sign in</html>", "text/html"),
        Answer("[]"),
        Answer("", "application/json"),
        Answer("<html>", "application/problem+json", 400),
        Answer("<html>", "text/html", 599),
        Answer("", "text/html", 302),
    ],
)
def test_the_answer_of_another_server_is_no_answer_of_the_app(found: Answer) -> None:
    with canned_app(lambda *_: found) as proxy:
        ended = run(proxy.url, "list")
    assert (ended.code, "does not answer" in ended.notes) == (4, True), ended


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://[bad",
        "https://",
        "https://host:999999",
        "https://host:port",
        "https://user:hidden@host",
        "https://host?code=hidden",
        "https://host/#hidden",
        "nothing",
    ],
)
def test_an_endpoint_that_is_none_is_refused_and_not_repeated(endpoint: str) -> None:
    ended = run(endpoint, "list")
    assert (ended.code, "endpoint, from $PEERING_ENDPOINT: " in ended.notes) == (64, True), ended
    assert "hidden" not in ended.notes


@pytest.mark.parametrize("text", ["profiles = 5", '[profiles]\na = "b"', "default = 5", "default = []", "a", "\x00"])
def test_profiles_of_another_shape_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "profiles.toml").write_text(text)
    chosen = "" if "default" in text else "a"
    ended = run("", "list", PEERING_CONFIG=str(tmp_path / "profiles.toml"), PEERING_PROFILE=chosen)
    assert (ended.code, "profile" in ended.notes) == (64, True), ended


@pytest.mark.parametrize("key", ["hidden\nkey", "hidden key", "hiddené"])
def test_a_key_that_is_none_is_refused_and_not_printed(app: CannedApp, tmp_path: Path, key: str) -> None:
    ended = run(app.url, "list", PEERING_KEY=key)
    assert (ended.code, "key, from $PEERING_KEY: a key is one line" in ended.notes) == (64, True), ended
    assert "hidden" not in ended.notes
    (tmp_path / "key").write_text(key)
    ended = run(app.url, "list", PEERING_KEY="", PEERING_KEY_FILE=str(tmp_path / "key"))
    assert (ended.code, "key_file, from $PEERING_KEY_FILE: a key" in ended.notes) == (64, True), ended
    assert "hidden" not in ended.notes


def test_a_token_that_cannot_be_sent_is_not_printed(app: CannedApp, tmp_path: Path) -> None:
    az = tmp_path / "az"
    token = '{"accessToken": "hidden\\\\ntoken", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}'
    az.write_text(f"#!/bin/sh\nprintf '%s' '{token.replace(chr(92) * 2, chr(92))}'\n")
    az.chmod(0o700)
    ended = run(app.url, "list", PEERING_SCOPE="api://app/.default", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (ended.code, "cannot be sent" in ended.notes) == (4, True), ended
    assert "hidden" not in ended.notes


def test_a_scope_that_is_none_is_refused(app: CannedApp) -> None:
    ended = run(app.url, "list", PEERING_SCOPE="api://app$")
    assert (ended.code, "scope: An invalid scope" in ended.notes) == (64, True), ended


def test_an_export_into_no_folder_is_refused(app: CannedApp, tmp_path: Path) -> None:
    ended = run(app.url, "export", "-f", str(tmp_path / "none" / "all.yaml"))
    assert (ended.code, "cannot be written: No such file" in ended.notes) == (64, True), ended


def test_a_shell_completes_with_the_endpoint_that_the_line_names(app: CannedApp) -> None:
    before = len(app.asked)
    words = f"peering show --endpoint {app.url} 0b"
    run("http://127.0.0.1:9", _PEERING_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="4")
    assert len(app.asked) == before + 1


def interrupted(app: CannedApp, tmp_path: Path, *arguments: str, at: str) -> Terminal:
    """The terminal of an `apply` that is interrupted at a moment."""
    file = tmp_path / "one.yaml"
    file.write_text("- project: p\n")
    given = ("-m", "command_line", "apply", "-f", str(file), *arguments)
    terminal = Terminal.running(given, tmp_path, environment(app.url))
    terminal.until(at)
    terminal.send("\x03")
    return terminal


def test_an_interruption_at_the_question_changes_nothing(app: CannedApp, tmp_path: Path) -> None:
    terminal = interrupted(app, tmp_path, at=r"\[y/N\]")
    assert terminal.end() == 1
    assert "\nNothing was changed." in terminal.shown


def test_an_interruption_while_it_is_asked_for_says_what_goes_on(app: CannedApp, tmp_path: Path) -> None:
    terminal = interrupted(app, tmp_path, "--yes", at="asking")
    assert "the requested runs continue" in terminal.until("To follow them: peering watch")
    terminal.process.close(force=True)


def never(method: str, path: str) -> Answer:
    """An app that does not answer in time."""
    time.sleep(60)
    return Answer("")


def test_an_interruption_before_anything_was_asked_for_is_said(tmp_path: Path) -> None:
    with canned_app(never) as slow:
        terminal = Terminal.running(("-m", "command_line", "list"), tmp_path, environment(slow.url))
        while not slow.asked:
            time.sleep(0.1)
        terminal.send("\x03")
        assert terminal.end() == 130
    assert "Interrupted." in terminal.shown
