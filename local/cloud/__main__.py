"""`python -m local.cloud`: run a local cloud in the foreground until interrupted."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from local.cloud import LocalCloud, ScenarioError
from local.parent import end_with_parent
from local.populated import populate

#: Seconds between two writes of the state.
_KEPT_EACH: Final = 1.0


def _keep(cloud: LocalCloud, path: Path, interrupted: threading.Event) -> None:
    """Write the state whenever requests have come, and at the end."""
    seen = -1
    while not interrupted.wait(_KEPT_EACH):
        if (count := len(cloud.requests)) != seen:
            seen = count
            cloud.keep(path)
    cloud.keep(path)


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("--scenario", default="quick", help="a scenario of local/cloud/scenarios, or a .toml file")
    parser.add_argument("--directory", type=Path, default=Path(".local"), help="where cloud.env and the CA are written")
    parser.add_argument("--seed", type=int, help="the same ids at every start")
    parser.add_argument("--port", type=int, default=0, help="the proxy's port (default: any free one)")
    parser.add_argument("--keep", type=Path, help="a file with its state, to go on with and to write it to")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    arguments = parser.parse_args()
    try:
        cloud = LocalCloud(
            arguments.scenario, arguments.directory, seed=arguments.seed, port=arguments.port, kept=arguments.keep
        )
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    if arguments.with_parent:
        end_with_parent()
    with cloud:
        if cloud.is_new and (count := cloud.world.knobs.established):
            populate(cloud, count)
        env_file = arguments.directory / "cloud.env"
        lines = cloud.write_environment(env_file)
        sys.stdout.write(f"{lines}\n# the same lines are in {env_file}; for a shell: . {env_file}\n")
        sys.stdout.flush()
        if arguments.keep is None:
            interrupted.wait()
        else:
            _keep(cloud, arguments.keep, interrupted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
