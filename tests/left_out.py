"""Tests with a marker need something beside Python: they are left out where it is missing, and counted in the end."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from local.genuine import AZURITE, missing_parts
from tests.infra.commands import az

_LEFT_OUT: Final = "left out: "
#: What has targets of its own that install it: `make clis` and `make checkov`.
_APART: Final = frozenset({"az", "checkov"})


def _program(variable: str, *names: str) -> Callable[[], str]:
    """Looks whether a program is there that a variable names or that has one of the names."""

    def missing() -> str:
        given = os.environ.get(variable, "")
        there = any(shutil.which(name) for name in (*([given] if given else []), *names))
        return "" if there else f"there is no {' or '.join(names)}, and {variable} names none"

    return missing


#: What tests with a marker need: each says what is missing, if anything is.
NEEDS: Final[dict[str, Callable[[], str]]] = {
    "engine": missing_parts,
    "node": lambda: "" if AZURITE.exists() and shutil.which("node") else "the npm packages are not installed (npm ci)",
    "chromium": _program("CHROMIUM", "chromium", "chromium-browser", "google-chrome"),
    "curl": lambda: ", ".join(f"there is no {name}" for name in ("curl", "jq") if not shutil.which(name)),
    "bicep": _program("BICEP", "bicep"),
    "az": lambda: "" if az() else "there is no az (make clis), and AZ names none",
    "checkov": _program("CHECKOV", "checkov"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whether everything has to run."""
    parser.addoption(
        "--require-all",
        action="store_true",
        default=os.environ.get("REQUIRE_ALL_TESTS") == "1",
        help="fail where a test would be left out because something is missing (or REQUIRE_ALL_TESTS=1)",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what needs something that is not there."""
    lacking = [
        f"{name}: {missing}" for name, of in NEEDS.items() if item.get_closest_marker(name) and (missing := of())
    ]
    if lacking:
        reason = f"{_LEFT_OUT}{'; '.join(lacking)}"
        required = any(item.get_closest_marker(name) for name in NEEDS.keys() - _APART)
        if required and item.config.getoption("--require-all"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out, and why."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())]
    for reason, count in Counter(reason.removeprefix("Skipped: ") for reason in reasons).items():
        terminalreporter.write_line(f"{count} tests {reason}", yellow=True)
