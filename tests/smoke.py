"""`make smoke`: the package, unpacked alone, with nothing installed but what is in it, carries out a start.

What the local Functions host needs beside comes last on the path; that the app needs none of it, its imports show.
"""

import json
import os
import signal
import statistics
import subprocess
import sysconfig
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from clients.telemetry import DESTINATION
from local.demo import peering_request
from local.deployment import AT_WORK
from local.package import PACKAGES
from local.processes import PROJECT, app_settings, local_cloud
from tests.ingestion import Ingestion, ingestion

PACKAGE: Final = PROJECT / ".local/package.zip"
_SECONDS: Final = 300
_ROUNDS: Final = 7
#: Imports every module of the app, and every module that one of them imports anywhere, in a function too.
_IMPORT_ALL: Final = """
import ast, importlib, json, pathlib, sys
root, missing, asked = pathlib.Path.cwd(), [], set()
for path in sorted(root.rglob("*.py")):
    if ".python_packages" in path.parts:
        continue
    asked.add(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))
    for node in ast.walk(ast.parse(path.read_text())):
        asked |= {one.name for one in node.names} if isinstance(node, ast.Import) else set()
        asked |= {node.module} if isinstance(node, ast.ImportFrom) and node.module and not node.level else set()
for name in sorted(asked):
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append(f"{name}: {error}")
print(json.dumps({"modules": len(asked), "missing": missing}))
"""
#: Prints the processor seconds of four sets of imports in one process, as processes differ: those of every app, then
#: also the app's, then also those of the first call for traces and metrics, then also those of the sending threads.
_TIMED: Final = """
import os, time
begun = time.process_time()
import azure.functions, azure.durable_functions
durable = time.process_time() - begun
import function_app
app = time.process_time() - begun
from clients.telemetry_export import begin
begin("InstrumentationKey=00000000-0000-0000-0000-000000000000")
first_call = time.process_time() - begun
import azure.monitor.opentelemetry.exporter
print(durable, app, first_call, time.process_time() - begun, flush=True)
os._exit(0)
"""
#: How long the app's import may take, in that of Durable Functions alone.
LONGEST_IMPORT: Final = 1.05
#: What a process has imported that has started, and one that has sent traces and metrics.
_STARTED: Final = "import function_app"
_SENDING: Final = f"{_STARTED}, clients.telemetry_export, azure.monitor.opentelemetry.exporter"
#: Traces are sent every five seconds.
_UNTIL_SENT: Final = 30
_MEMORY: Final = "{}; print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"


class Ratios(NamedTuple):
    """How long imports take, in that of Durable Functions alone.

    Attributes:
        app: of the app, at a cold start.
        first_call: of that, and of what the first call imports to make traces and metrics.
        sending: of both, and of what the sending threads import meanwhile.
    """

    app: float
    first_call: float
    sending: float

    def require_short_import(self) -> None:
        """Refuse a package whose import takes too long.

        Raises:
            SystemExit: it does.
        """
        if self.app > LONGEST_IMPORT:
            told = f"The import takes {self.app:.3f} times as long as that of Durable Functions alone"
            raise SystemExit(f"{told}; it may take {LONGEST_IMPORT}.")


class Unpacked:
    """The package in a folder of its own, and a Python that has nothing installed.

    Args:
        package: the package.
        directory: an empty folder.
    """

    def __init__(self, package: Path, directory: Path) -> None:
        self.app, self._directory = directory / "app", directory
        with zipfile.ZipFile(package) as found:
            self.files = len(found.namelist())
            found.extractall(self.app)
        venv.create(directory / "python", symlinks=True)
        self._python = directory / "python/bin/python"
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.app / PACKAGES)}

    def said(self, code: str) -> str:
        """What some code prints that runs in the app's folder."""
        command = [str(self._python), "-c", code]
        ran = subprocess.run(command, cwd=self.app, env=self._environment, check=True, stdout=subprocess.PIPE)
        return ran.stdout.decode()

    def missing(self) -> list[str]:
        """What the app imports and is not there.

        Raises:
            ValueError: hardly anything was looked at.
        """
        found = json.loads(self.said(_IMPORT_ALL))
        if found["modules"] < 100:
            raise ValueError(f"the package has {found['modules']} modules only")
        return list(found["missing"])

    def import_ratios(self) -> Ratios:
        """How long imports take, in that of Durable Functions alone."""
        runs = [[float(seconds) for seconds in self.said(_TIMED).split()] for _ in range(_ROUNDS)]
        ratios = zip(*([part / durable for part in parts] for durable, *parts in runs), strict=True)
        return Ratios(*map(statistics.median, ratios))

    def memory(self, imports: str) -> int:
        """The bytes that a process holds that has imported something."""
        return int(self.said(_MEMORY.format(imports))) * 1024

    @contextmanager
    def served(self, settings: Mapping[str, str]) -> Iterator[httpx.Client]:
        """The app in the local Functions host; gives a client of its API.

        Raises:
            RuntimeError: it did not start.
        """
        host = self._directory / "host"
        host.mkdir()
        (host / "local").symlink_to(PROJECT / "local")
        own = sysconfig.get_path("purelib", vars={"base": str(self._directory / "python")})
        Path(own, "host.pth").write_text(sysconfig.get_path("purelib"))
        path = os.pathsep.join([self._environment["PYTHONPATH"], str(host)])
        state, log = self._directory / "state", self._directory / "app.log"
        command = [str(self._python), "-m", "local.host", "--app", str(self.app), "--state", str(state), "--port", "0"]
        environment = {**settings, "PYTHONPATH": path}
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=host, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            url = _url(process, log)
            key = json.loads((state / "keys.json").read_text())["function"]
            headers = {"x-functions-key": key}
            with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
                yield client
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if " functions on " in line:
                return line.rpartition(" ")[2]
        time.sleep(0.1)
    raise RuntimeError(f"the host did not start:\n{log.read_text()}")


def start(api: httpx.Client, environment: Mapping[str, str]) -> str:
    """Start a peering, and wait for its end; returns its state.

    Raises:
        TimeoutError: it did not end in time.
    """
    answer = api.post("/api/peerings", json=peering_request(environment)).raise_for_status()
    assert answer.status_code == HTTPStatus.ACCEPTED
    deadline = time.monotonic() + _SECONDS
    while (state := str(api.get(answer.headers["Location"]).raise_for_status().json()["state"])) in AT_WORK:
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {_SECONDS} s it is {state}")
        time.sleep(0.5)
    return state


def sent(endpoint: Ingestion) -> int:
    """How many spans of remote calls and steps Application Insights has been sent, once there are some."""
    deadline = time.monotonic() + _UNTIL_SENT
    while not (spans := endpoint.of_type("RemoteDependencyData")) and time.monotonic() < deadline:
        time.sleep(0.5)
    return len(spans)


def main() -> None:
    """Try the package, and say what it is like."""
    with tempfile.TemporaryDirectory() as directory:
        package = Unpacked(PACKAGE, Path(directory, "package"))
        if missing := package.missing():
            raise SystemExit("The package lacks:\n" + "\n".join(missing))
        ratios, (started, sending) = package.import_ratios(), map(package.memory, (_STARTED, _SENDING))
        ratios.require_short_import()
        with (
            ingestion() as endpoint,
            local_cloud(Path(directory, "cloud"), "quick") as environment,
            package.served({**app_settings(environment), DESTINATION: endpoint.connection_string}) as api,
        ):
            state = start(api, environment)
            spans = sent(endpoint)
        if state != "connected" or not spans:
            raise SystemExit(f"The start ended {state}, and {spans} spans of it were sent.")
    print(
        f"{package.files} files, {PACKAGE.stat().st_size / 1e6:.1f} MB; a start ends {state}, {spans} spans are sent; "
        f"import {ratios.app:.3f} of Durable alone, {ratios.first_call:.3f} with what the first call imports to make "
        f"traces and metrics, {ratios.sending:.3f} with what the sending threads import; "
        f"{started / 1e6:.0f} MB, {sending / 1e6:.0f} MB with all that"
    )


if __name__ == "__main__":
    main()
