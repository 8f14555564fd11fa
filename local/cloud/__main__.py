"""`python -m local.cloud`: run a local cloud in the foreground until interrupted."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.cloud import LocalCloud, ScenarioError


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("--scenario", default="quick", help="a scenario of local/cloud/scenarios, or a .toml file")
    parser.add_argument("--directory", type=Path, default=Path(".local"), help="where cloud.env and the CA are written")
    parser.add_argument("--seed", type=int, help="the same ids at every start")
    parser.add_argument("--port", type=int, default=0, help="the proxy's port (default: any free one)")
    arguments = parser.parse_args()
    try:
        cloud = LocalCloud(arguments.scenario, arguments.directory, seed=arguments.seed, port=arguments.port)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    with cloud:
        env_file = arguments.directory / "cloud.env"
        lines = cloud.write_environment(env_file)
        sys.stdout.write(f"{lines}\n# the same lines are in {env_file}; for a shell: . {env_file}\n")
        sys.stdout.flush()
        interrupted.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
