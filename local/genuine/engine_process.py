"""One process of the genuine engine: an instance of the app, as Azure would say."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_MARK: Final = b"BINDING "
_START_SECONDS: Final = 120
#: The variables of this process's environment that an engine gets: none leads to a proxy or to the cloud under test.
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "ENGINE_LOG")
_PORT_TAKEN: Final = b"Address already in use"


class PortTakenError(RuntimeError):
    """Another engine took the extension's local port, 17071, in the same moment; the extension tries only once."""


class EngineProcess:
    """A running engine.

    Args:
        command: the program with its arguments.
        environment: what it gets beside the bare necessities.
        log: the file that its output is appended to.
        host_name: the machine's name as this process sees it. Leases belong to a host name, so two engines on one task
            hub need different names; this requires the right to create a UTS namespace.

    Raises:
        RuntimeError: it did not start.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, host_name: str = "") -> None:
        renamed = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', host_name] if host_name else []
        self._log = log
        self._binding = ""
        self._port_taken = False
        self._said = threading.Event()
        self._process = subprocess.Popen(
            [*renamed, *command],
            env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, name="engine log", daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def binding(self) -> str:
        """The durable client's binding, from the engine, once its task hub runs.

        Raises:
            PortTakenError: it did not start, but another one may.
            RuntimeError: it did not start in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self._said.wait(0.1):
            if time.monotonic() > deadline:
                break
        if not self._binding:
            self.kill()
            if self._port_taken:
                raise PortTakenError(f"another engine took the port: see {self._log}")
            raise RuntimeError(f"the engine did not start: see {self._log}")
        return self._binding

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        with self._process.stdout or Path(os.devnull).open("rb") as lines, self._log.open("ab") as log:
            for line in lines:
                log.write(line)
                log.flush()
                self._port_taken |= _PORT_TAKEN in line
                if line.startswith(_MARK):
                    self._binding = line.removeprefix(_MARK).decode().strip()
                    self._said.set()
        self._said.set()
