"""`python -m tests.api`: a long run of made-up requests, `make fuzz-api`."""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from local.cloud.server.authority import trust_in_this_process


def main() -> int:
    """Send so many requests to a running app, as many to each operation."""
    parser = argparse.ArgumentParser(prog="python -m tests.api", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many requests altogether, at least")
    parser.add_argument("--seed", type=int, default=1, help="what they follow from")
    parser.add_argument("--only", default="", help="only operations whose path has this part")
    arguments = parser.parse_args()
    # Every request that is refused leaves a line.
    logging.disable(logging.WARNING)
    # The SDKs and schemathesis's client read what to trust when they are imported.
    trust_in_this_process()
    from local.deployment import deploy
    from tests.api.fuzz import fuzz
    from triggers.route_table import ROUTES

    of_each = -(-arguments.cases // len(ROUTES))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        sent = fuzz(deployment, of_each, arguments.seed, arguments.only)
    for name, count in sorted(sent.items()):
        sys.stdout.write(f"{count:6}  {name}\n")
    seconds = time.monotonic() - started
    sys.stdout.write(f"{sent.total():6}  altogether, in {seconds:.0f} s; all answers are as documented\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
