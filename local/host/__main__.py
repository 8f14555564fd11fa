"""`python -m local.host`: serve a function app in the foreground until interrupted."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local.host import FunctionsHost, Hostility, LoadError, StateDirectoryInUseError
from local.parent import end_with_parent


async def _serve(arguments: argparse.Namespace) -> None:
    host = FunctionsHost(
        arguments.app,
        arguments.state,
        port=arguments.port,
        hostile=None if arguments.hostile is None else Hostility(arguments.hostile),
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await host.start()
    sys.stdout.write(f"{host.function_count} functions on {host.url}\n")
    sys.stdout.flush()
    await stopped.wait()
    await host.stop()


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), help="the folder of function_app.py (default: this one)")
    parser.add_argument("--state", type=Path, default=Path(".local/host"), help="where the task hub is kept")
    parser.add_argument("--port", type=int, default=7071, help="0 takes any free port (default: 7071)")
    parser.add_argument(
        "--hostile", type=int, metavar="SEED", help="do to the app what the platform may do, by this seed"
    )
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    arguments = parser.parse_args()
    if arguments.with_parent:
        end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("azure", "httpx", "msal"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(arguments))
    except (LoadError, StateDirectoryInUseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    # Threads of the app may still be inside a call; whatever they do is done again at the next start.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
