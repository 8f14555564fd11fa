"""How long the article takes by hand: its commands, one after another, by the genuine az and avn."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from local.processes import local_cloud
from tests.clis.article import by_hand, install_clis

_ROUNDS: Final = 3


def article_seconds() -> float:
    """Seconds of all the commands against a cloud without delays, without pauses between them; the median of three."""
    install_clis()
    return median(_seconds() for _ in range(_ROUNDS))


def _seconds() -> float:
    with tempfile.TemporaryDirectory() as directory, local_cloud(Path(directory), "quick") as cloud:
        began = time.perf_counter()
        by_hand(cloud, Path(directory, "transcript.txt"))
        return time.perf_counter() - began
