"""`make serve`: the app on http://127.0.0.1:7071 against the local cloud, until a signal stops both.

Their state is kept in `.local/serve`, and the next start continues with it. An app that dies is restarted.
"""

import argparse
import fcntl
import json
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Final

import httpx
from rich.console import Console

from local.cloud.scenario import ScenarioError, load_scenario
from local.demo import peering_request
from local.processes import CloudProcess, FunctionsApp, app_settings, cloud_process, start_app, stop

DIRECTORY: Final = Path(".local/serve")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: An app that dies this often within this number of seconds is not restarted.
_DEATHS, _SECONDS = 5, 60.0
#: The interval in seconds at which both processes are polled.
_LOOK_EVERY: Final = 0.2
#: Files in the directory besides the app's own state.
_WORLD, _SCENARIO, _LOCK = "cloud.state", "scenario", "serving"


class RefusedError(Exception):
    """Serving is not possible; the message has the reason and the remedy."""


class _Ended(BaseException):
    """A signal was received."""


def _end(number: int, _: FrameType | None) -> None:
    raise _Ended(signal.Signals(number).name)


@contextmanager
def _alone(directory: Path, port: int) -> Iterator[None]:
    """Reserve the directory and the port for this process; a refusal changes nothing.

    Raises:
        RefusedError: another process uses the directory or the port.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("a") as lock:
        _lock(lock, directory)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                raise RefusedError(f"Port {port} is in use; choose another with --port.") from None
        yield


def _lock(lock: IO[str], directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        told = f"{directory} is already being served. To serve a second app, use another --directory and --port."
        raise RefusedError(told) from None


def _scenario(directory: Path, wanted: str | None, *, fresh: bool) -> str:
    """The scenario to serve: that of the kept state, if there is one.

    Raises:
        RefusedError: the kept state belongs to another scenario, or `fresh` would delete other files.
        ScenarioError: there is no such scenario.
    """
    noted = directory / _SCENARIO
    if wanted is not None:
        load_scenario(wanted)
    if fresh and not noted.exists() and any(left.name != _LOCK for left in directory.iterdir()):
        raise RefusedError(f"{directory} contains files that are not a kept state; --fresh does not delete them.")
    if fresh:
        for left in directory.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    kept = noted.read_text() if noted.exists() and (directory / _WORLD).exists() else None
    if kept is not None and wanted not in (None, kept):
        raise RefusedError(f"{directory} has the state of {kept}; use --fresh to discard it and serve {wanted}.")
    chosen = kept or wanted or "demo"
    noted.write_text(chosen)
    return chosen


def _profile(directory: Path, app: FunctionsApp) -> Path:
    """A profile for the command line, with the key in a separate file."""
    key, path = directory / "key", directory / "profiles.toml"
    key.touch(mode=0o600)
    key.write_text(app.key)
    path.write_text(f'default = "local"\n\n[profiles.local]\nendpoint = "{app.url}"\nkey_file = "key"\n')
    return path


def _introduce(console: Console, directory: Path, cloud: Mapping[str, str], app: FunctionsApp, scenario: str) -> None:
    body = shlex.quote(json.dumps(peering_request(cloud)))
    console.print(f"The page: [bold]{app.url}/api/ui[/]; its function key is in {directory / 'key'}\n", highlight=False)
    console.print(f"The app listens on {app.url}; the scenario of the local cloud is {scenario}. Ctrl-C stops both.")
    console.print("Their state is kept; --fresh discards it.\n")
    admin = cloud["LOCAL_CLOUD_ADMIN_URL"]
    curl = 'curl -s -H "x-functions-key: $KEY"'
    for line in (
        f"export PEERING_CONFIG={_profile(directory, app).resolve()}",
        ".venv/bin/python -m command_line list    # docs/command-line.md",
        "",
        f"export KEY=$(cat {directory / 'key'})",
        f'{curl} "{app.url}/api/peerings?dryRun=true" -d {body}',
        f"{curl} {app.url}/api/peerings -d {body}",
        f"{curl} {app.url}/api/peerings | python3 -m json.tool",
        f"{curl} -X POST {app.url}/api/peerings/ID/check    # also /rotate; DELETE without either",
    ):
        console.print(line, markup=False, highlight=False)
    console.print(f"\nlog: {app.log}\nthe cloud's state: {admin}/state, to trigger an event: POST {admin}/events")


def _check_all(app: FunctionsApp) -> None:
    """Start the check that finds which of the peerings that the world begins with are unhealthy."""
    url = f"{app.url}/api/checks"
    httpx.post(url, headers={"x-functions-key": app.key}, timeout=60, trust_env=False).raise_for_status()


def _how(ended: int) -> str:
    """The signal or exit status that ended a process."""
    return f"signal {-ended}" if ended < 0 else f"exit status {ended}"


def _end_of(app: FunctionsApp, cloud: CloudProcess) -> int:
    """Wait until the app ends; returns its exit status.

    Raises:
        RefusedError: the cloud has ended, which the app needs.
    """
    while (ended := app.process.poll()) is None:
        if (gone := cloud.process.poll()) is not None:
            told = (
                f"The cloud died ({_how(gone)}); see {cloud.log}. The next start continues with its last saved state."
            )
            raise RefusedError(told)
        time.sleep(_LOOK_EVERY)
    return ended


def _tend(console: Console, app: FunctionsApp, cloud: CloudProcess, settings: Mapping[str, str], port: int) -> None:
    """Restart the app whenever it dies.

    Raises:
        RefusedError: the app died too often, or the cloud died.
    """
    deaths: list[float] = []
    try:
        while True:
            ended = _end_of(app, cloud)
            deaths = [*(one for one in deaths if time.monotonic() - one < _SECONDS), time.monotonic()]
            if len(deaths) >= _DEATHS:
                raise RefusedError(f"The app died {_DEATHS} times in {_SECONDS:.0f} s; see {app.log}.")
            console.print(f"[yellow]The app died ({_how(ended)}). It is restarted with its state.[/]")
            app = start_app(app.log.parent, settings, port=port)
            console.print(f"The app listens on {app.url} again.")
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        stop(app.process)


def _serve(console: Console, arguments: argparse.Namespace) -> None:
    directory: Path = arguments.directory
    with _alone(directory, arguments.port):
        scenario = _scenario(directory, arguments.scenario, fresh=arguments.fresh)
        is_new = not (directory / _WORLD).exists()
        with cloud_process(directory, scenario, "--keep", str(directory / _WORLD)) as cloud:
            settings = app_settings(cloud.environment)
            app = start_app(directory / "app", settings, port=arguments.port)
            if is_new and load_scenario(scenario).established:
                _check_all(app)
            _introduce(console, directory, cloud.environment, app, scenario)
            _tend(console, app, cloud, settings, arguments.port)


def main() -> int:
    """Serve in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--scenario", help="a scenario of local/cloud/scenarios, or a file (default: demo)")
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where the state is kept")
    parser.add_argument("--fresh", action="store_true", help="discard the kept state")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        _serve(console, arguments)
    except (RefusedError, RuntimeError, ScenarioError) as refused:
        console.print(str(refused), markup=False)
        return 1
    except _Ended as ended:
        with suppress(OSError):  # the terminal may be gone
            console.print(f"stopped by {ended}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
