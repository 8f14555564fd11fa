"""What a cold start pays for: the app's import over that of Durable Functions alone, its memory, and its package."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, TypedDict

from bench.apart import apart
from local.cloud import Scenario
from local.demo import peering_request
from local.deployment import AT_WORK
from local.package import build
from local.processes import PROJECT

ROUNDS: Final = 15
BASE: Final = "import azure.functions, azure.durable_functions"
APP: Final = "import function_app"
#: Packages, and rules of the app's own, that have no business being imported before a function needs them.
LAZY: Final = (
    "azure.identity",
    "azure.mgmt",
    "azure.keyvault",
    "msgraph",
    "kiota_abstractions",
    "azure.core",
    "httpx",
    "pydantic",
    "opentelemetry.sdk",
    "azure.monitor",
    *("peering.drift", "peering.problems", "peering.registry", "peering.steps", "peering.sweep"),
)
#: Prints the processor's seconds of what every app imports, and of that and the app: of one process, for they differ.
_TIMED: Final = f"""
import time
begun = time.process_time()
{BASE}
durable = time.process_time() - begun
{APP}
print(durable, time.process_time() - begun)
"""
_RESIDENT: Final = "{}; import psutil; print(psutil.Process().memory_info().rss)"


class ImportCost(TypedDict):
    """Median seconds of both imports and their ratio; bytes of memory after each import."""

    durable_seconds: float
    app_seconds: float
    ratio: float
    durable_memory: int
    app_memory: int


class PackageSize(TypedDict):
    """Files in the package, and its bytes."""

    files: int
    bytes: int


def _printed(code: str) -> list[float]:
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
    return [float(figure) for figure in found.stdout.split()]


def import_cost() -> ImportCost:
    """The import of the app, and that of what every app with Durable Functions imports; measured together."""
    runs = [_printed(_TIMED) for _ in range(ROUNDS + 1)][1:]
    base, app = (statistics.median(column) for column in zip(*runs, strict=True))
    base_memory, app_memory = (int(*_printed(_RESIDENT.format(code))) for code in (BASE, APP))
    return ImportCost(
        durable_seconds=base,
        app_seconds=app,
        ratio=statistics.median(app / base for base, app in runs),
        durable_memory=base_memory,
        app_memory=app_memory,
    )


def eager_imports() -> list[str]:
    """What of `LAZY` importing the app pulls in; there should be nothing."""
    code = f"{APP}, sys; print(*sys.modules, sep='\\n')"
    listed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
    modules = set(listed.stdout.split())
    return [package for package in LAZY if package in modules]


def memory_after_start() -> int:
    """The bytes that the app's process holds, with the local host in it, once it has carried out a start."""
    with tempfile.TemporaryDirectory() as directory, apart(Path(directory), Scenario.model_validate({})) as app:
        url = app.api.post("/api/peerings", json=peering_request(app.cloud.environment)).raise_for_status()
        while app.api.get(url.headers["Location"]).raise_for_status().json()["state"] in AT_WORK:
            time.sleep(0.5)
        return app.memory


def package_size() -> PackageSize:
    """The package as `make package` builds it."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "package.zip")
        return PackageSize(files=build(target), bytes=target.stat().st_size)
