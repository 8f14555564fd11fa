"""Many lives, several of them side by side in processes of their own."""

import logging
import multiprocessing
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from local.deployment import deployed_on
from local.genuine import GenuinePlatform
from tests.lives.life import Life, live

#: A process lives so many lives, so that what one leaves behind does not add up.
_LIVES_OF_A_PROCESS: Final = 20


def one(seed: int, broken: str | None, engine: str) -> Life:
    """One life, in a directory that goes with it; one that cannot be begun or ended is red."""
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory() as directory, _platform(engine, Path(directory)):
            return live(seed, Path(directory) / "life", broken)
    except Exception:
        return Life(seed, wrong=[traceback.format_exc()])


@contextmanager
def _platform(engine: str, directory: Path) -> Iterator[None]:
    """What a life is lived on: it has the clock of the genuine engine for itself."""
    if engine == "embedded":
        yield
        return
    platform = GenuinePlatform(directory)
    try:
        with deployed_on(platform):
            yield
    finally:
        platform.stop()


def lives(
    seeds: Sequence[int], processes: int, broken: str | None, engine: str, say: Callable[[object], None]
) -> list[Life]:
    """Live them, so many side by side; returns those that are red."""
    red, begun = [], time.monotonic()
    # Not concurrent.futures' pool: with Python 3.11 that stands still when its processes are replaced.
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=_LIVES_OF_A_PROCESS) as pool:
        for count, life in enumerate(pool.imap_unordered(partial(one, broken=broken, engine=engine), seeds), 1):
            if life.wrong:
                red.append(life)
                say(f"seed {life.seed}: {life.wrong[0]}" if broken else str(life))
            say(f"{count} of {len(seeds)} lives, {len(red)} red, {time.monotonic() - begun:.0f} s")
    return red
