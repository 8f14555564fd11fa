"""Azurite, the emulator of Azure Storage, in a process of its own, with its data in memory."""

import base64
import os
import re
import secrets
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ACCOUNT: Final = "devstoreaccount1"
_SERVICES: Final = ("Blob", "Queue", "Table")
_LISTENS: Final = re.compile(r"Azurite (\w+) service is successfully listening at (\S+)")
_START_SECONDS: Final = 60


class Azurite:
    """A storage account with a key of its own on ports that were free.

    Args:
        program: the `azurite` command.
        environment: what it gets beside the bare necessities.
        directory: where it runs and its log goes.

    Raises:
        RuntimeError: it did not start.
    """

    def __init__(self, program: Path, environment: Mapping[str, str], directory: Path) -> None:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        command = [str(program), "--silent", "--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck"]
        ports = [word for service in _SERVICES for word in (f"--{service.lower()}Port", "0")]
        given = {"PATH": os.environ["PATH"], "AZURITE_ACCOUNTS": f"{_ACCOUNT}:{key}", **environment}
        self._urls: dict[str, str] = {}
        self._started = threading.Event()
        self._process = subprocess.Popen(
            [*command, *ports],
            cwd=directory,
            env=given,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(directory / "azurite.log",), name="azurite", daemon=True).start()
        if not self._started.wait(_START_SECONDS) or len(self._urls) < len(_SERVICES):
            self.stop()
            raise RuntimeError(f"Azurite did not start: see {directory / 'azurite.log'}")
        endpoints = (f"{name}Endpoint={url}/{_ACCOUNT}" for name, url in self._urls.items())
        #: The account's connection string.
        self.connection = ";".join(
            ["DefaultEndpointsProtocol=http", f"AccountName={_ACCOUNT}", f"AccountKey={key}", *endpoints]
        )

    def stop(self) -> None:
        """End it; its data is deleted."""
        self._process.kill()
        self._process.wait()

    def _read(self, log: Path) -> None:
        with self._process.stdout or Path(os.devnull).open() as lines, log.open("a") as kept:
            for line in lines:
                kept.write(line)
                kept.flush()
                if match := _LISTENS.search(line):
                    self._urls[match[1]] = match[2]
                if len(self._urls) == len(_SERVICES):
                    self._started.set()
        self._started.set()
