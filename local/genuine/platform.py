"""The shared parts of deployments on the genuine engine: a clock, Azurite, and the paths of the programs."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Final

from local.clock import SharedClock
from local.genuine.azurite import Azurite
from local.genuine.engine import EngineSettings, GenuineEngine
from local.host import FunctionsHost
from local.host.durable_engine import EngineSite

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
AZURITE: Final = PROJECT / "node_modules" / ".bin" / "azurite"
_LIBRARY: Final = PROJECT / ".local" / "libahead.so"


def missing_parts() -> str:
    """The missing requirements of the genuine engine, in words; empty if nothing is missing."""
    program = os.environ.get("DURABLE_ENGINE", "")
    wanted = {
        "DURABLE_ENGINE does not name a program": bool(program) and shutil.which(program) is not None,
        "Azurite is not installed (npm ci)": AZURITE.exists() and shutil.which("node") is not None,
        "libahead.so is not built (make libahead)": _LIBRARY.exists(),
    }
    return "; ".join(text for text, there in wanted.items() if not there)


def genuine_engine(host: FunctionsHost) -> GenuineEngine:
    """The genuine engine behind a host, for tests that lose its calls or kill it.

    Raises:
        TypeError: the host has another one.
    """
    if not isinstance(host.engine, GenuineEngine):
        raise TypeError("the host's engine is not the genuine one")
    return host.engine


class GenuinePlatform:
    """Azurite, and the clock that it shares with the engines and this process.

    Args:
        directory: where the clock's file and Azurite's log are kept.

    Raises:
        RuntimeError: a part is missing or did not start.
    """

    #: A skip of time takes half a second at least, and an engine shares the machine's cores.
    patience = 5.0

    def __init__(self, directory: Path) -> None:
        if missing := missing_parts():
            raise RuntimeError(f"the genuine engine can't run: {missing}")
        self._clock = SharedClock(directory / "clock-ahead")
        environment = {"LD_PRELOAD": str(_LIBRARY), "CLOCK_AHEAD_FILE": str(self._clock.file)}
        self._azurite = Azurite(AZURITE, environment, directory)
        program = str(shutil.which(os.environ["DURABLE_ENGINE"]))
        self._make = partial(GenuineEngine, EngineSettings(program, self._azurite.connection, environment))

    @property
    def storage(self) -> str:
        """The connection string of the storage account that the task hubs are in."""
        return self._azurite.connection

    def clock(self) -> SharedClock:
        """The one clock of this process and the engines."""
        return self._clock

    def engine(self, site: EngineSite) -> GenuineEngine:
        """A new engine for a host."""
        return self._make(site)

    def stop(self) -> None:
        """End Azurite."""
        self._azurite.stop()
