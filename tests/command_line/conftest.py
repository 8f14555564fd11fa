"""The command as a real process, against the app and the local cloud in processes of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pexpect
import pyte
import pytest

from local.demo import peering_request
from local.processes import PROJECT, FunctionsApp, app_settings, local_app, local_cloud

COLUMNS, ROWS = 80, 24
_SECONDS: Final = 400
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NO_SCHEDULE: Final = {"HEALTH_CHECK_SCHEDULE": "0 0 0 1 1 *"}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    notes: str


def _hears_interruptions() -> None:
    """What a shell without job control lets its background processes ignore, they do not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Terminal:
    """A command in a terminal of 80 columns and 24 rows; `screen` is what it shows, `written` all that it wrote."""

    process: "pexpect.spawn[str]"
    screen: pyte.HistoryScreen
    stream: pyte.Stream
    written: str = ""

    @classmethod
    def running(cls, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> "Terminal":
        """Run Python in a terminal; Ctrl-C reaches it, also where the tests run in the background."""
        process = pexpect.spawn(
            sys.executable,
            list(arguments),
            dimensions=(ROWS, COLUMNS),
            env={**environment, "TERM": "xterm-256color"},
            cwd=str(directory),
            encoding="utf-8",
            preexec_fn=_hears_interruptions,
        )
        screen = pyte.HistoryScreen(COLUMNS, ROWS, history=2000)
        return cls(process, screen, pyte.Stream(screen))

    @property
    def lines(self) -> list[str]:
        """The lines that it wrote, as far as they are not drawn over."""
        return [_ESCAPE.sub("", line).rstrip() for line in self.written.splitlines()]

    @property
    def shown(self) -> str:
        """The lines of the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, pattern: str) -> str:
        """Wait until the screen has a match of a pattern, or the process has ended; returns the screen."""
        deadline = time.monotonic() + _SECONDS
        while not re.search(pattern, self.shown):
            assert time.monotonic() < deadline, f"no {pattern} on:\n{self.shown}"
            try:
                self._take(self.process.read_nonblocking(4096, 0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        return self.shown

    def _take(self, text: str) -> None:
        self.written += text
        self.stream.feed(text)

    def send(self, text: str) -> None:
        """Type something."""
        self.process.send(text)

    def end(self) -> int:
        """Wait for the end; returns the exit code."""
        self.until("(?!)")
        self.process.close()
        assert isinstance(self.process.exitstatus, int)
        return self.process.exitstatus


@dataclass(frozen=True)
class CommandLine:
    """The command, its environment, and the app that it speaks with."""

    environment: Mapping[str, str]
    directory: Path
    app: FunctionsApp
    cloud: Mapping[str, str]

    def run(self, *arguments: str, given: str = "", **variables: str) -> Ended:
        """Run the command without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "command_line", *arguments],
            cwd=self.directory,
            env={**self.environment, **variables},
            input=given,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def well(self, *arguments: str) -> str:
        """Run the command, which has to end well; returns its answer."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended
        assert "Traceback" not in ended.notes
        return ended.out

    def shell(self, line: str, programs: Path, variables: Mapping[str, str]) -> Ended:
        """Run a line of the shell, with the cloud's variables that name the first pair."""
        path = f"{programs}:{self.environment['PATH']}"
        pair = {name: self.cloud[name] for name in ("AIVEN_PROJECT", "AIVEN_PROJECT_VPC_ID")}
        given = {**self.environment, **pair, **variables, "PATH": path, "PEERING_PYTHON": sys.executable}
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=programs,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def terminal(self, *arguments: str) -> Terminal:
        """Run the command in a terminal."""
        return Terminal.running(["-m", "command_line", *arguments], self.directory, self.environment)

    def vnets(self) -> list[str]:
        """The ARM ids of the customer's VNets, the hub first."""
        url = f"{self.cloud['LOCAL_CLOUD_ADMIN_URL']}/state"
        state = httpx.get(url, trust_env=False).raise_for_status().json()
        return sorted(str(one["id"]) for one in state["virtualNetworks"] if "/Net-Prod/" in str(one["id"]))

    def pair(self) -> list[str]:
        """The options that name the first pair."""
        request = peering_request(self.cloud)
        return [part for name, value in request.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def scenario() -> str:
    return "quick"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, scenario: str) -> Iterator[CommandLine]:
    directory = tmp_path_factory.mktemp("command")
    with (
        local_cloud(directory, scenario) as cloud,
        local_app(directory / "app", {**app_settings(cloud), **_NO_SCHEDULE}) as app,
    ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PEERING_")}
        environment = {
            **kept,
            "PYTHONPATH": str(PROJECT),
            "PEERING_ENDPOINT": app.url,
            "PEERING_KEY": app.key,
            "PEERING_CONFIG": str(directory / "profiles.toml"),
        }
        yield CommandLine(environment, directory, app, cloud)
