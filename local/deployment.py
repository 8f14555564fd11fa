"""The app deployed into this process, for tests and benchmarks: cloud, Functions host, one virtual clock for both."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from local.clock import Clock, VirtualClock
from local.cloud import LocalCloud, Scenario
from local.host import FunctionsHost

PROJECT: Final = Path(__file__).resolve().parent.parent

#: A status document as the API gives it, decoded.
Status = dict[str, Any]
#: The states in which something is at work on a peering.
AT_WORK: Final = frozenset({"running", "repairing", "rotating", "removing", "stopping", "rolling-back"})
#: A scheduled check that comes once a year, so that none comes between; a test that wants one sets its own.
_NO_SCHEDULE: Final = {"HEALTH_CHECK_SCHEDULE": "0 0 0 1 1 *"}


@dataclass(frozen=True)
class Deployment:
    """A running app with its cloud. `api` is a client of its HTTP API."""

    cloud: LocalCloud
    host: FunctionsHost
    api: httpx.Client
    state: Path

    def request(self, **options: object) -> dict[str, object]:
        """A request to peer the cloud's first VNet with its first project VPC."""
        environment = self.cloud.environment
        vnet = (
            f"/subscriptions/{environment['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{environment['RESOURCE_GROUP']}"
            f"/providers/Microsoft.Network/virtualNetworks/{environment['VNET_NAME']}"
        )
        pair = {"project": environment["AIVEN_PROJECT"], "project_vpc_id": environment["AIVEN_PROJECT_VPC_ID"]}
        return {**pair, "vnet_id": vnet, **options}

    def start(self, **options: object) -> str:
        """Start the peering; returns its id.

        Raises:
            RuntimeError: the app did not accept the request.
        """
        answer = self.api.post("/api/peerings", json=self.request(**options))
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        return cast("str", answer.json()["id"])

    def status(self, identity: str) -> Status:
        """How the peering stands."""
        return cast("Status", self.api.get(f"/api/peerings/{identity}").raise_for_status().json())

    def until(self, identity: str, *states: str, seconds: float = 60) -> Status:
        """Wait, in the machine's time, until the peering is in one of the states, by default until it is at rest.

        Raises:
            TimeoutError: it did not get there in time.
        """
        deadline = time.monotonic() + seconds
        while not _is_there(status := self.status(identity), states):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s the peering is {status}")
            time.sleep(0.05)
        return status

    def check(self, identity: str) -> Status:
        """Check the peering, and wait until it is at rest again: a repair that follows has ended too."""
        return self._ask("POST", identity, "/check")

    def rotate(self, identity: str, **body: object) -> Status:
        """Rotate the peering's credential, and wait for the end."""
        return self._ask("POST", identity, "/rotate", **body)

    def remove(self, identity: str) -> Status:
        """Remove the peering, and wait for the end."""
        return self._ask("DELETE", identity)

    def _ask(self, method: str, identity: str, path: str = "", **body: object) -> Status:
        answer = self.api.request(method, f"/api/peerings/{identity}{path}", json=body or None)
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        return self.until(identity)

    def settle(self, **options: object) -> Status:
        """Start the peering and wait for its end."""
        return self.until(self.start(**options))

    def knobs(self, **knobs: object) -> None:
        """Turn knobs of the cloud."""
        httpx.put(f"{self.cloud.admin_url}/knobs", json=knobs, trust_env=False).raise_for_status()

    def event(self, **event: object) -> None:
        """Make something happen in the cloud behind the app's back."""
        httpx.post(f"{self.cloud.admin_url}/events", json=event, trust_env=False).raise_for_status()

    def writes(self) -> list[dict[str, Any]]:
        """The requests so far that changed something in the cloud, or tried to."""
        return cast("list[dict[str, Any]]", self._admin("GET", "/writes"))

    def clear_requests(self) -> None:
        """Empty the cloud's log of requests."""
        self._admin("DELETE", "/requests")

    def cloud_state(self) -> dict[str, Any]:
        """Everything that the cloud holds, without any secret."""
        return cast("dict[str, Any]", self._admin("GET", "/state"))

    def _admin(self, method: str, path: str) -> object:
        return httpx.request(method, f"{self.cloud.admin_url}{path}", trust_env=False).raise_for_status().json()


def _is_there(status: Status, states: tuple[str, ...]) -> bool:
    return status["state"] in states if states else status["state"] not in AT_WORK and not status["checking"]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _serving(portal: BlockingPortal, host: FunctionsHost) -> Iterator[None]:
    portal.call(host.start)
    try:
        yield
    finally:
        portal.call(host.stop)


@contextmanager
def deploy(
    directory: Path,
    scenario: Scenario | str = "quick",
    *,
    settings: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Iterator[Deployment]:
    """Run the app against a cloud of `scenario`, both in this process, on a virtual clock unless told otherwise."""
    clock = clock or VirtualClock()
    cloud = LocalCloud(scenario, directory / "cloud", clock=clock, seed=1)
    state = directory / "app"
    with ExitStack() as stack:
        cloud.start()
        stack.callback(cloud.stop)
        given = {**cloud.environment, "AZURE_CREDENTIAL": "service-principal", **_NO_SCHEDULE, **(settings or {})}
        stack.enter_context(_environment(given))
        host = FunctionsHost(PROJECT, state, port=0, clock=clock)
        stack.enter_context(_serving(stack.enter_context(start_blocking_portal()), host))
        headers = {"x-functions-key": host.keys.function}
        api = stack.enter_context(httpx.Client(base_url=host.url, headers=headers, trust_env=False, timeout=60))
        yield Deployment(cloud, host, api, state)
