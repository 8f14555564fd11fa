"""A world as a file, so that a local cloud can continue with it."""

import copyreg
import os
import pickle
from pathlib import Path
from random import SystemRandom
from typing import Final

from local.cloud.world.landscape import Landscape
from local.cloud.world.world import World

#: The machine's randomness has no state.
copyreg.pickle(SystemRandom, lambda _: (SystemRandom, ()))
_PARTIAL: Final = ".partial"


def save(path: Path, world: World, landscape: Landscape) -> None:
    """Write a world to a file that only its owner can read, for it holds secrets; a file that is there stays whole."""
    partial = path.with_suffix(_PARTIAL)
    opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file:
        pickle.dump((world, landscape), file)
    partial.replace(path)


def load(path: Path) -> tuple[World, Landscape]:
    """The world of a file that `save` wrote."""
    with path.open("rb") as file:
        world, landscape = pickle.load(file)  # noqa: S301 - written by this program, readable by its owner alone
    return world, landscape
