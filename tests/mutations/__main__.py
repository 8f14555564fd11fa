"""`make mutants`: changes one thing in each of some functions, and runs the tests that reach it.

Which tests those are, `make coverage` has recorded. It goes on where it was broken off.
It prints the survivors, and how many mutants the tests noticed.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Final, TypedDict

from coverage import CoverageData
from rich.console import Console

from local.processes import PROJECT

#: The folders that are deployed.
DEPLOYED: Final = ("activities", "clients", "orchestrators", "peering", "triggers")
COSMIC_RAY: Final = Path(".local/cosmic-ray/bin/python")
RECORDED: Final = Path(".local/coverage")
#: How many tests run at first, then how many of the others at most, and the timeout of each in seconds. The timeouts
#: are a multiple of the usual time, as many mutants only keep a test waiting.
_FIRST: Final = 12
_THEN: Final = 28
_START: Final = 45.0
_EACH: Final = 4.0
#: Where fast tests are.
_FAST: Final = ("tests/unit/", "tests/registry/", "tests/remote_answers/", "tests/cloud/")


class Mutant(TypedDict):
    """A mutant, as `mutants.py` prints it: the file and its new text, the function's line, the lines that differ."""

    path: str
    function: int
    operator: str
    lines: list[int]
    code: str


class Ended(TypedDict):
    """What became of a mutant: `killed`, `held up` where tests came to no end, `survived`, or `unreached` by any."""

    mutant: str
    outcome: str
    change: str
    tests: int


def main() -> int:
    """Play the mutants, and say what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="of how many functions")
    parser.add_argument("--seed", type=int, default=1, help="which functions, and which mutant of each")
    parser.add_argument("--results", type=Path, default=Path(".local/mutants.jsonl"), help="where ended ones are kept")
    parser.add_argument("-n", type=int, default=2, help="how many side by side")
    given = parser.parse_args()
    say = partial(Console(soft_wrap=True).print, markup=False, highlight=False)
    mutants = _chosen(given.count, given.seed)
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    done: dict[str, Ended] = {one["mutant"]: one for one in map(json.loads, lines)}
    left = [one for one in mutants if _name(one) not in done]
    say(f"{len(mutants)} mutants, {len(mutants) - len(left)} played before")
    with tempfile.TemporaryDirectory() as name, given.results.open("a") as results:
        copies = SimpleQueue[Path]()
        for number in range(given.n):
            copies.put(_copy(Path(name) / str(number)))
        with ThreadPoolExecutor(given.n) as pool:
            for ended in pool.map(partial(_played, copies, _reaching()), left):
                done[ended["mutant"]] = ended
                results.write(json.dumps(ended) + "\n")
                results.flush()
                if ended["outcome"] in ("survived", "unreached"):
                    say(f"{ended['outcome']} {ended['mutant']} ({ended['tests']} tests)\n{ended['change']}")
    found = Counter(done[_name(one)]["outcome"] for one in mutants)
    say(", ".join(f"{outcome} {count}" for outcome, count in found.items()))
    return 1 if found["survived"] else 0


def _chosen(count: int, seed: int) -> list[Mutant]:
    """One mutant of each of so many functions of the deployed code."""
    paths = [str(path) for folder in DEPLOYED for path in sorted(Path(folder).rglob("*.py"))]
    command = [str(COSMIC_RAY), str(Path(__file__).with_name("mutants.py")), str(count), str(seed), *paths]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


def _name(mutant: Mutant) -> str:
    """Names a mutant in a report; the same for the same code."""
    return f"{mutant['path']}:{mutant['lines'][0]} {mutant['operator'].removeprefix('core/')}"


def _copy(directory: Path) -> Path:
    """The project's files in a directory of their own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, directory / name)
    return directory


class _Reaching:
    """The tests that reach a line, as coverage has recorded them."""

    def __init__(self, data: CoverageData) -> None:
        self._data = data

    def __call__(self, mutant: Mutant) -> list[str]:
        """The tests by how fast they may be; those of equal places in an order that is the same in every run."""
        by_line = self._data.contexts_by_lineno(str(PROJECT / mutant["path"]))
        # Of a statement of several lines only the first counts.
        first = max((line for line in by_line if mutant["function"] < line <= mutant["lines"][0]), default=None)
        tests = sorted({context.rpartition("|")[0] for context in by_line.get(first or 0, ()) if "|" in context})
        random.Random(1).shuffle(tests)  # noqa: S311 - chooses tests
        return sorted(tests, key=lambda test: not test.startswith(_FAST))


def _reaching() -> _Reaching:
    data = CoverageData(str(RECORDED))
    data.read()
    return _Reaching(data)


def _played(copies: SimpleQueue[Path], reaching: _Reaching, mutant: Mutant) -> Ended:
    """What became of a mutant."""
    tests, copy = reaching(mutant), copies.get()
    file = copy / mutant["path"]
    before = file.read_text()
    try:
        file.write_text(mutant["code"])
        noticed = next(filter(None, (_notice(copy, some) for some in _parts(tests))), None)
    finally:
        file.write_text(before)
        copies.put(copy)
    number = mutant["lines"][0] - 1
    change = f"- {before.splitlines()[number].strip()}\n+ {mutant['code'].splitlines()[number].strip()}"
    outcome = noticed or ("survived" if tests else "unreached")
    return Ended(mutant=_name(mutant), outcome=outcome, change=change, tests=min(len(tests), _FIRST + _THEN))


def _parts(tests: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few tests, which mostly are sufficient, then others."""
    yield from filter(None, (tests[:_FIRST], tests[_FIRST : _FIRST + _THEN]))


def _notice(copy: Path, tests: Sequence[str]) -> str | None:
    """How some tests notice a mutant, if they do: one fails, or they come to no end."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment, limit = {**os.environ, "PYTHONPATH": str(copy)}, _START + _EACH * len(tests)
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return "held up"
    return "killed" if done.returncode != 0 else None


if __name__ == "__main__":
    sys.exit(main())
