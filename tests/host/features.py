"""A client of the app of features."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import httpx
from anyio.from_thread import start_blocking_portal

from local.clock import Clock, VirtualClock
from local.host import FunctionsHost, Hostility

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
        deadline = time.monotonic() + 60
        while (status := self.status(links))["runtimeStatus"] not in FINAL:
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def until(self, links: dict[str, str], status: str) -> dict[str, Any]:
        """Wait until an instance has a status."""
        deadline = time.monotonic() + 20
        while (found := self.status(links))["runtimeStatus"] != status:
            assert time.monotonic() < deadline, found
            time.sleep(0.01)
        return found

    def management(self, path: str) -> str:
        """An address of the management API, below its base."""
        return f"/runtime/webhooks/durabletask/{path}{'&' if '?' in path else '?'}code={self.host.keys.system}"

    def raise_event(self, links: dict[str, str], name: str, given: object) -> int:
        """Send an instance an event; returns the answer's status."""
        return self.client.post(links["sendEventPostUri"].replace("{eventName}", name), json=given).status_code

    def calls(self) -> dict[str, int]:
        """How often what counts its calls was called."""
        return cast("dict[str, int]", self.client.get("/v1/calls").json())

    def output(self, name: str, given: object = None) -> object:
        """Run an orchestrator to its end; returns its output."""
        status = self.end(self.start(name, given))
        assert status["runtimeStatus"] == "Completed", status
        return status["output"]


@contextmanager
def serve(
    state: Path,
    app: Path = APPS / "features",
    *,
    hostile: Hostility | None = None,
    clock: Clock | None = None,
    timer_triggers_awaited: Callable[[], bool] | None = None,
) -> Iterator[Features]:
    """The app of features, served in this process, on a virtual clock unless told otherwise."""
    clock = clock or VirtualClock()
    host = FunctionsHost(
        *(app, state), port=0, clock=clock, hostile=hostile, timer_triggers_awaited=timer_triggers_awaited
    )
    with start_blocking_portal() as portal, httpx.Client(base_url=host.url, trust_env=False, timeout=30) as client:
        portal.call(host.start)
        try:
            yield Features(host, client)
        finally:
            portal.call(host.stop)
