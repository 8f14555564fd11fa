"""Many lives, several of them side by side in processes of their own."""

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from tests.lives.life import Life, live

#: A process lives so many lives, so that what one leaves behind does not add up.
_LIVES_OF_A_PROCESS: Final = 20


def one(seed: int, broken: str | None) -> Life:
    """One life, in a directory that goes with it."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        return live(seed, Path(directory), broken)


def lives(seeds: Sequence[int], processes: int, broken: str | None, say: Callable[[object], None]) -> list[Life]:
    """Live them, so many side by side; returns those that are red."""
    red, begun = [], time.monotonic()
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), max_tasks_per_child=_LIVES_OF_A_PROCESS)
    with pool:
        futures = [pool.submit(one, seed, broken) for seed in seeds]
        for count, future in enumerate(as_completed(futures), 1):
            life = future.result()
            if life.wrong:
                red.append(life)
                say(f"seed {life.seed}: {life.wrong[0]}" if broken else str(life))
            say(f"{count} of {len(seeds)} lives, {len(red)} red, {time.monotonic() - begun:.0f} s")
    return red
