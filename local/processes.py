"""Starts the local cloud and the local Functions host as processes of their own, and stops them."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

PROJECT: Final = Path(__file__).resolve().parent.parent
_START_SECONDS: Final = 60
_URL: Final = re.compile(r"http://127\.0\.0\.1:\d+")


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file of `export NAME=value` lines."""
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


@dataclass(frozen=True)
class FunctionsApp:
    """A running app: its address and its key. `log` is its log file."""

    url: str
    key: str
    process: subprocess.Popen[bytes]
    log: Path

    def client(self) -> httpx.Client:
        """An HTTP client for the app's API, which presents the function key and ignores any proxy."""
        return httpx.Client(base_url=self.url, headers={"x-functions-key": self.key}, trust_env=False, timeout=60)


def app_settings(cloud: Mapping[str, str]) -> dict[str, str]:
    """The environment of an app that talks to a local cloud: the cloud's variables and the credential to use."""
    return {**os.environ, **cloud, "AZURE_CREDENTIAL": "service-principal"}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process in order, or by force when it takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_line(process: subprocess.Popen[bytes], log: Path, file: Path, pattern: re.Pattern[str]) -> str:
    """Wait until `file` has a match of `pattern`.

    Raises:
        RuntimeError: the process ended, or said nothing in time; the message holds the log.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if file.exists() and (match := pattern.search(file.read_text())):
            return match[0]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{shlex.join(map(str, process.args))} did not start:\n{log.read_text()}")  # type: ignore[arg-type]


def _child(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401 - those of Popen
    """A program that ends with this process, however that ends; signals of the terminal reach only this process."""
    command = [*command, "--with-parent"]
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, start_new_session=True, **options)


@dataclass(frozen=True)
class CloudProcess:
    """A running local cloud: the variables that lead clients to it. `log` is its log file."""

    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def local_cloud(directory: Path, scenario: str, *options: str) -> Iterator[dict[str, str]]:
    """A local cloud in a process of its own; gives the variables that lead clients to it.

    Raises:
        RuntimeError: it did not start.
    """
    with cloud_process(directory, scenario, *options) as cloud:
        yield cloud.environment


@contextmanager
def cloud_process(directory: Path, scenario: str, *options: str) -> Iterator[CloudProcess]:
    """A local cloud in a process of its own, which is stopped at the end.

    Raises:
        RuntimeError: it did not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log, env_file = directory / "cloud.log", directory / "cloud.env"
    env_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.cloud", "--scenario", scenario, "--directory", str(directory), *options]
    with log.open("wb") as output:
        # What it prints holds its secrets; they are in the file that only the owner can read.
        process = _child(command, stdout=subprocess.DEVNULL, stderr=output)
    try:
        _await_line(process, log, env_file, re.compile("LOCAL_CLOUD_ADMIN_URL"))
        yield CloudProcess(read_env_file(env_file), process, log)
    finally:
        stop(process)


def start_app(state: Path, environment: Mapping[str, str], *, port: int = 0, host: str = "local.host") -> FunctionsApp:
    """Start the app in the local Functions host on `port` (0: any free one), its task hub in `state`.

    Args:
        state: where the task hub is kept.
        environment: the app's settings.
        port: where it is served.
        host: the module that is run as the host.

    Raises:
        RuntimeError: it did not start.
    """
    state.mkdir(parents=True, exist_ok=True)
    log = state / "app.log"
    command = [sys.executable, "-m", host, "--app", str(PROJECT), "--state", str(state), "--port", str(port)]
    with log.open("wb") as output:
        process = _child(command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
    url = _await_line(process, log, log, _URL)
    key = json.loads((state / "keys.json").read_text())["function"]
    return FunctionsApp(url, key, process, log)


@contextmanager
def local_app(
    state: Path, environment: Mapping[str, str], *, port: int = 0, host: str = "local.host"
) -> Iterator[FunctionsApp]:
    """`start_app` as a context; stops the app at its end."""
    app = start_app(state, environment, port=port, host=host)
    try:
        yield app
    finally:
        stop(app.process)
