"""`make serve`: refuses a second start, restarts an app that dies, keeps the state, ends with any signal."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from local.processes import PROJECT

_SECONDS = 60


class Served:
    """A `make serve` of a directory."""

    def __init__(self, directory: Path, port: int, *options: str) -> None:
        self.directory, self.log = directory, directory.with_suffix(".log")
        command = [sys.executable, "-m", "local.serve", "--directory", str(directory), "--port", str(port), *options]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)

    def says(self, pattern: str) -> None:
        """Wait until it has said something."""
        _until(lambda: re.search(pattern, self.log.read_text()) or self.process.poll() is not None)
        assert re.search(pattern, self.log.read_text()), self.log.read_text()

    def children(self) -> dict[str, psutil.Process]:
        """The cloud and the app."""
        found = psutil.Process(self.process.pid).children()
        return {
            module: child for child in found for module in child.cmdline() if module in ("local.cloud", "local.host")
        }

    def key(self) -> str:
        """The app's key."""
        return str(json.loads((self.directory / "app" / "keys.json").read_text())["function"])


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def test_a_served_app_lives_on(tmp_path: Path) -> None:
    port, directory = _free_port(), tmp_path / "served"
    served = Served(directory, port)
    served.says("The app listens on")
    key, vault = served.key(), (directory / "cloud.env").read_text()
    second = Served(directory, _free_port())
    assert second.process.wait(_SECONDS) == 1
    assert served.process.poll() is None

    served.children()["local.host"].send_signal(signal.SIGKILL)
    # The second one has written to the same log by now; this is said by the first.
    _until(lambda: _answers(port, key))
    children = served.children()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(_SECONDS) == 0
    _until(lambda: not any(child.is_running() for child in children.values()))

    again = Served(directory, port)
    again.says("The app listens on")
    assert again.key() == key
    assert _line(vault, "KEY_VAULT_NAME") == _line((directory / "cloud.env").read_text(), "KEY_VAULT_NAME")
    children = again.children()
    again.process.kill()
    _until(lambda: not any(child.is_running() for child in children.values()))


def _answers(port: int, key: str) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/api/peerings"
        return httpx.get(url, headers={"x-functions-key": key}, trust_env=False, timeout=30).is_success
    except httpx.TransportError:
        return False


def _line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if name in line)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_any_signal_ends_both(tmp_path: Path, number: signal.Signals) -> None:
    served = Served(tmp_path / "served", _free_port())
    served.says("The app listens on")
    children = served.children()
    assert set(children) == {"local.cloud", "local.host"}
    os.kill(served.process.pid, number)
    assert served.process.wait(_SECONDS) == 0
    _until(lambda: not any(child.is_running() for child in children.values()))
    assert "Traceback" not in served.log.read_text()


def test_a_cloud_that_dies_ends_it_and_the_next_start_goes_on(tmp_path: Path) -> None:
    served = Served(tmp_path / "served", _free_port())
    served.says("The app listens on")
    children = served.children()
    children["local.cloud"].send_signal(signal.SIGKILL)
    assert served.process.wait(_SECONDS) == 1
    assert "The cloud died (signal 9)" in served.log.read_text()
    _until(lambda: not children["local.host"].is_running())
    again = Served(served.directory, _free_port())
    again.says("The app listens on")
    again.process.terminate()
    assert again.process.wait(_SECONDS) == 0


def test_what_is_no_state_is_not_deleted(tmp_path: Path) -> None:
    own = tmp_path / "served" / "thesis.txt"
    own.parent.mkdir()
    own.write_text("mine")
    served = Served(own.parent, _free_port(), "--fresh")
    assert served.process.wait(_SECONDS) == 1
    assert "contains files that are not a kept state" in served.log.read_text()
    assert own.read_text() == "mine"


def test_a_state_stays_where_the_scenario_is_not_there(tmp_path: Path) -> None:
    state = tmp_path / "served" / "scenario"
    state.parent.mkdir()
    state.write_text("demo")
    served = Served(state.parent, _free_port(), "--fresh", "--scenario", "sixtyy")
    assert served.process.wait(_SECONDS) == 1
    assert "there is no scenario sixtyy" in served.log.read_text()
    assert state.read_text() == "demo"


def test_what_a_world_begins_with_is_checked(tmp_path: Path) -> None:
    scenario, port = tmp_path / "ten.toml", _free_port()
    scenario.write_text("vnets = 10\nproject_vpcs = 1\nestablished = 10\nrole_effective = 1\n")
    served = Served(tmp_path / "served", port, "--scenario", str(scenario))
    served.says("The app listens on")
    url, headers = f"http://127.0.0.1:{port}/api/peerings?verdict=broken", {"x-functions-key": served.key()}

    def broken() -> int:
        return len(httpx.get(url, headers=headers, timeout=30, trust_env=False).json()["peerings"])

    try:
        _until(lambda: broken() == 1)
    finally:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(_SECONDS) == 0
