"""How long the app takes to import, over what Durable Functions alone takes: a cold start pays for it."""

import statistics
import subprocess
import sys
import time
from typing import Final

from local.processes import PROJECT

ROUNDS: Final = 9
BASE: Final = "import azure.functions, azure.durable_functions"
#: Packages that have no business being imported before an activity needs them.
LAZY: Final = (
    "azure.identity",
    "azure.mgmt",
    "azure.keyvault",
    "msgraph",
    "kiota_abstractions",
    "azure.core",
    "httpx",
    "pydantic",
)


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)
    return time.perf_counter() - started


def import_ratio() -> dict[str, float]:
    """Median seconds of both imports, without the interpreter's own start, and their ratio; measured in turn."""
    runs = [(_seconds("pass"), _seconds(BASE), _seconds("import function_app")) for _ in range(ROUNDS + 1)][1:]
    bare, base, app = (statistics.median(column) for column in zip(*runs, strict=True))
    return {"durable seconds": base - bare, "app seconds": app - bare, "ratio": (app - bare) / (base - bare)}


def eager_imports() -> list[str]:
    """The packages of `LAZY` that importing the app pulls in; there should be none."""
    code = "import function_app, sys; print(*sys.modules, sep='\\n')"
    listed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
    modules = set(listed.stdout.split())
    return [package for package in LAZY if package in modules]
