"""`make matrix`: plays every cell of the matrix, in shards that go on where they were broken off.

Prints how many cells converge, end in a problem of the table, or do neither. The exit status is 0 if none does neither.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.matrix.cells import cells, played

_CELLS_OF_A_PROCESS: Final = 200


def main() -> int:
    """Play, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--shard", default="1/1", help="which part of the cells, such as 2/8")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th cell")
    parser.add_argument("--operation", help="only the cells of one operation")
    parser.add_argument("--results", type=Path, default=Path(".local/matrix.jsonl"), help="where ended cells are kept")
    parser.add_argument("-n", type=int, default=2, help="how many processes side by side")
    given = parser.parse_args()
    say = partial(Console(soft_wrap=True).print, markup=False, highlight=False)
    part, parts = (int(number) for number in given.shard.split("/"))
    given.results.parent.mkdir(parents=True, exist_ok=True)
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    done = {line["cell"]: line for line in map(json.loads, lines)}
    wanted = list(cells(given.operation))[part - 1 :: parts][:: given.every]
    left, begun = [cell for cell in wanted if cell.name not in done], time.monotonic()
    say(f"{len(wanted)} cells, {len(wanted) - len(left)} played before")
    context = multiprocessing.get_context("spawn")
    with given.results.open("a") as results, context.Pool(given.n, maxtasksperchild=_CELLS_OF_A_PROCESS) as pool:
        for count, line in enumerate(pool.imap_unordered(played, left), 1):
            done[line["cell"]] = line
            results.write(json.dumps(line) + "\n")
            results.flush()
            if line["outcome"] == "neither":
                say(f"{line['cell']}: {line['why']}")
            if not count % 25:
                say(f"{count} of {len(left)}, {time.monotonic() - begun:.0f} s")
    found = Counter(done[cell.name]["outcome"] for cell in wanted)
    say(f"converged {found['converged']}, in a problem of the table {found['problem']}, neither {found['neither']}")
    return 1 if found["neither"] else 0


if __name__ == "__main__":
    sys.exit(main())
