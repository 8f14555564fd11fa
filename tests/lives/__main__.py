"""`make lives`: random lives, and the tests of a life under many seeds, on a host that is hostile.

Prints for each red life its seed, what was done and answered, and what the host did to the app. The exit status is 0
only if nothing is red. With `--broken` the app is broken on purpose: then it is 0 if at least half of the lives are.
With `--engine genuine` lives are lived on the genuine engine, and the tests are left to `make test-engine`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from rich.console import Console

from local.genuine import missing_parts
from tests.lives.broken import BROKEN
from tests.lives.many import lives

#: The share of lives that has to notice a broken app.
_ENOUGH: Final = 0.5


def tests(seeds: Sequence[int], processes: int) -> list[int]:
    """Run the tests that are marked `life` under each seed; returns the seeds with a failure."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "life", "-n", str(processes), "--dist", "worksteal"]
    red = []
    for seed in seeds:
        if subprocess.run([*command, "--hostile", str(seed), "tests/workflows"], check=False).returncode != 0:
            red.append(seed)
    return red


def main() -> int:
    """Live and test, and say what is red."""
    parser = argparse.ArgumentParser(prog="python -m tests.lives", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=int, default=500, help="how many lives")
    parser.add_argument("--tests", type=int, default=20, help="how many seeds the marked tests run under")
    parser.add_argument("-n", type=int, default=2, help="how many processes side by side")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="break the app on purpose; no tests are run then")
    parser.add_argument(
        "--engine", choices=("embedded", "genuine"), default="embedded", help="what runs orchestrations"
    )
    given = parser.parse_args()
    if given.engine == "genuine" and (missing := missing_parts()):
        parser.error(f"--engine genuine: {missing}")
    say = partial(Console(soft_wrap=True).print, markup=False, highlight=False)
    red = lives(range(given.first, given.first + given.count), given.n, given.broken, given.engine, say)
    say(f"red lives: {len(red)} of {given.count}; seeds {sorted(life.seed for life in red)}")
    if given.broken:
        return 0 if len(red) >= _ENOUGH * given.count else 1
    if given.engine == "genuine":
        return 1 if red else 0
    failed = tests(range(given.first, given.first + given.tests), given.n)
    say(f"seeds under which tests failed: {failed}")
    return 1 if red or failed else 0


if __name__ == "__main__":
    sys.exit(main())
