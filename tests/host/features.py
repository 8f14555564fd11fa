"""A client of the app of features."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import httpx

from local.host import FunctionsHost

APPS: Final = Path(__file__).parent / "apps"
FINAL: Final = ("Completed", "Failed", "Terminated")


@dataclass(frozen=True)
class Features:
    """The running app of features."""

    host: FunctionsHost
    client: httpx.Client

    def start(self, name: str, given: object = None, instance: str | None = None) -> dict[str, str]:
        """Start an orchestrator; returns its management addresses."""
        query = {"id": instance} if instance else {}
        answer = self.client.post(f"/v1/start/{name}", json=given, params=query)
        assert answer.status_code == 202, answer.text
        return cast("dict[str, str]", answer.json())

    def status(self, links: dict[str, str]) -> dict[str, Any]:
        """How an instance stands."""
        return cast("dict[str, Any]", self.client.get(links["statusQueryGetUri"]).json())

    def end(self, links: dict[str, str]) -> dict[str, Any]:
        """Wait until an instance has ended."""
        deadline = time.monotonic() + 20
        while (status := self.status(links))["runtimeStatus"] not in FINAL:
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def output(self, name: str, given: object = None) -> object:
        """Run an orchestrator to its end; returns its output."""
        status = self.end(self.start(name, given))
        assert status["runtimeStatus"] == "Completed", status
        return status["output"]
