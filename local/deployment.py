"""Deploys the app into this process, for tests and benchmarks: cloud, Functions host, one virtual clock for both.

Which engine runs the orchestrations is the platform's business: to read, await or end them, use Durable's management
API.
"""

import json
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol, cast

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from clients.registry.rows import PEERINGS, order_key, read_peering
from local.clock import Clock, VirtualClock
from local.cloud import LocalCloud, Scenario
from local.cloud.scenario import load_scenario
from local.host import FunctionsHost, Hostility
from local.host.client_binding import WEBHOOKS
from local.host.durable_engine import DurableEngine, EngineSite
from local.host.embedded_engine import EmbeddedEngine
from peering.aiven_vpc import Kind
from peering.runs import wait_instance_id

PROJECT: Final = Path(__file__).resolve().parent.parent

#: For plain HTTP, because loading the machine's certificate authorities takes longer than a request.
PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
#: A status document as the API gives it, decoded.
Status = dict[str, Any]
#: The states in which something is at work on a peering.
AT_WORK: Final = frozenset({"running", "repairing", "rotating", "removing", "stopping", "rolling-back"})
#: How often a request that a hostile host fails is repeated.
_TRIES: Final = 10
#: The longest pause after a repair without effect.
_LATER: Final = timedelta(days=1)
#: How often, in seconds, a peering's status is polled although the registry still has an order for it.
_LOOK_AT_LEAST_EVERY: Final = 1.0
#: A schedule of one check a year, so that no scheduled check interferes; a test that needs one sets its own.
NO_SCHEDULE: Final = {"HEALTH_CHECK_SCHEDULE": "0 0 0 1 1 *"}
#: The states in which an orchestration has ended.
ENDED: Final = frozenset({"Completed", "Failed", "Terminated", "Canceled"})


class Platform(Protocol):
    """The engine and the clock of deployments.

    `patience` is how many times longer than on the embedded engine things may take, in the machine's time.
    """

    @property
    def patience(self) -> float:
        """At least 1."""
        ...

    def clock(self) -> VirtualClock:
        """The clock of a new deployment."""
        ...

    def engine(self, site: EngineSite) -> DurableEngine:
        """The engine of a new deployment."""
        ...


class EmbeddedPlatform:
    """The embedded engine, and a clock for each deployment."""

    patience = 1.0

    def clock(self) -> VirtualClock:
        """A clock of its own."""
        return VirtualClock()

    def engine(self, site: EngineSite) -> DurableEngine:
        """The embedded engine."""
        return EmbeddedEngine(site)


_platforms: Final[list[Platform]] = [EmbeddedPlatform()]


def platform() -> Platform:
    """The platform of a new deployment."""
    return _platforms[-1]


@contextmanager
def deployed_on(chosen: Platform) -> Iterator[None]:
    """Run every deployment that is made inside on this platform."""
    _platforms.append(chosen)
    try:
        yield
    finally:
        _platforms.remove(chosen)


#: The kinds of VPCs for new deployments, the current one first.
_kinds: Final[list[Kind]] = []


@contextmanager
def peered_with(kind: Kind) -> Iterator[None]:
    """Give every cloud that is deployed inside VPCs of this kind, unless its scenario names one."""
    _kinds.append(kind)
    try:
        yield
    finally:
        _kinds.pop()


def _of_kind(scenario: Scenario | str) -> Scenario:
    found = load_scenario(scenario) if isinstance(scenario, str) else scenario
    if not _kinds or "vpcs_of" in found.model_fields_set:
        return found
    return found.model_copy(update={"vpcs_of": _kinds[-1]})


@dataclass(frozen=True)
class Deployment:
    """A running app with its cloud. `api` is a client of its HTTP API, `durable` one of Durable's management API.

    If the host is hostile, the methods here repeat requests that the platform failed; `api` does not.
    """

    cloud: LocalCloud
    host: FunctionsHost
    api: httpx.Client
    durable: httpx.Client
    state: Path
    clock: Clock
    patience: float

    @property
    def virtual_clock(self) -> VirtualClock:
        """The clock, to be moved or held.

        Raises:
            TypeError: it is the machine's own.
        """
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("the deployment lives by the machine's clock")
        return self.clock

    def request(self, *, vpc: object = None, **options: object) -> dict[str, object]:
        """A request to peer the cloud's first VNet with its first VPC in Aiven, or with another one of its owner."""
        first = self.cloud.landscape.vpc
        named = first if vpc is None else first._replace(id=str(vpc))
        environment = self.cloud.environment
        vnet = (
            f"/subscriptions/{environment['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{environment['RESOURCE_GROUP']}"
            f"/providers/Microsoft.Network/virtualNetworks/{environment['VNET_NAME']}"
        )
        return {**named.names, "vnet_id": vnet, **options}

    def start(self, **options: object) -> str:
        """Start the peering; returns its id.

        Raises:
            RuntimeError: the app did not accept the request.
        """
        answer, _ = self._asked("POST", "/api/peerings", json=self.request(**options))
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        return cast("str", answer.json()["id"])

    def status(self, identity: str) -> Status:
        """The status of the peering."""
        answer, _ = self._asked("GET", f"/api/peerings/{identity}")
        return cast("Status", answer.raise_for_status().json())

    def until(self, identity: str, *states: str, seconds: float = 60) -> Status:
        """Wait, in the machine's time, until the peering is in one of the states, by default until it is at rest.

        Raises:
            TimeoutError: it did not get there in time.
        """
        deadline = time.monotonic() + seconds * self.patience
        while not _is_there(status := self.status(identity), states):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s the peering is {status}")
            self._pause(identity, for_rest=not states)
        return status

    def _pause(self, identity: str, *, for_rest: bool) -> None:
        """Pause between two polls of a peering: a longer one while the registry has an order for it."""
        until = time.monotonic() + (_LOOK_AT_LEAST_EVERY if for_rest else 0) * self.patience
        time.sleep(0.05 * self.patience)
        while time.monotonic() < until and self._has_order(identity):
            time.sleep(0.01 * self.patience)

    def _has_order(self, identity: str) -> bool:
        (account,) = self.cloud.world.storage_accounts.values()
        peerings = account.tables.get("peerings")
        return peerings is not None and peerings.get((PEERINGS, order_key(identity))) is not None

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
        def ask() -> None:
            self._accepted(method, f"/api/peerings/{identity}{path}", body or None)

        ask()
        return self._ended(identity, ask)

    def _accepted(self, method: str, path: str, body: object) -> None:
        answer, again = self._asked(method, path, json=body)
        # The request whose response was lost may have taken effect: its change may be in progress, or done.
        expected = (HTTPStatus.ACCEPTED, *((HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND) if again else ()))
        if answer.status_code not in expected:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")

    def _ended(self, identity: str, ask: Callable[[], object]) -> Status:
        """Wait until the peering is at rest; a request that a hostile host interrupted is repeated a day later.

        A check is repeated if its verdict is `unknown`.
        """
        status = self.until(identity)
        for _ in range(_TRIES if self.host.hostility.is_hostile else 0):
            answer, _again = self._asked("GET", f"/api/peerings/{identity}/runs")
            if _is_interrupted(answer.json()["runs"]):
                self.virtual_clock.advance_to(self.clock.now() + _LATER)
                ask()
            elif status.get("health", {}).get("verdict") == "unknown":
                self._accepted("POST", f"/api/peerings/{identity}/check", None)
            else:
                break
            status = self.until(identity)
        return status

    def _asked(self, method: str, path: str, json: object = None) -> tuple[httpx.Response, bool]:
        """The response to a request, and whether the platform failed it before."""
        for failures in range(_TRIES if self.host.hostility.is_hostile else 0):
            with suppress(httpx.TransportError):
                answer = self.api.request(method, path, json=json)
                if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return answer, failures > 0
        return self.api.request(method, path, json=json), self.host.hostility.is_hostile

    def settle(self, **options: object) -> Status:
        """Start the peering and wait for its end."""
        identity = self.start(**options)
        return self._ended(identity, lambda: self.start(**options))

    # Durable's management API, for callers with the system key.

    def instance(self, identity: str, **query: str) -> dict[str, Any]:
        """The status of an orchestration; empty if there is none with this id."""
        answer = self.durable.get(f"instances/{identity}", params=query)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return {}
        return cast("dict[str, Any]", answer.raise_for_status().json())

    def instances(self, **query: str) -> list[dict[str, Any]]:
        """The statuses of all orchestrations."""
        return cast("list[dict[str, Any]]", self.durable.get("instances", params=query).raise_for_status().json())

    def until_ended(self, identity: str, seconds: float = 60) -> dict[str, Any]:
        """Wait, in the machine's time, until an orchestration has ended, or is not there.

        Raises:
            TimeoutError: it did not end in time.
        """
        deadline = time.monotonic() + seconds * self.patience
        while (found := self.instance(identity)) and found["runtimeStatus"] not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s the orchestration is {found}")
            time.sleep(0.02 * self.patience)
        return found

    def later(self, identity: str, span: timedelta) -> None:
        """Let time pass after an orchestration has ended: if time skips over a call, an engine delivers it again.

        Raises:
            TimeoutError: it did not end.
        """
        self.until_ended(identity)
        self.virtual_clock.advance_to(self.clock.now() + span)

    def record(self, identity: str) -> dict[str, Any]:
        """The peering as the registry keeps it.

        Raises:
            LookupError: it is not in the registry.
        """
        (account,) = self.cloud.world.storage_accounts.values()
        row = account.tables["peerings"].get((PEERINGS, identity))
        if row is None:
            raise LookupError(identity)
        return cast("dict[str, Any]", read_peering({name: cell.json for name, cell in row.properties.items()}))

    def wait_of(self, identity: str, step: str) -> str:
        """The instance id of a step's wait in the execution under way."""
        return wait_instance_id(identity, self.record(identity)["order"]["execution"], step)

    def start_instance(self, name: str, identity: str, given: object) -> None:
        """Start an orchestration, and wait until it is there."""
        self.durable.post(f"orchestrators/{name}/{identity}", **_json(given)).raise_for_status()

    def raise_event(self, identity: str, name: str, given: object = None) -> None:
        """Raise an event for an orchestration."""
        self.durable.post(f"instances/{identity}/raiseEvent/{name}", **_json(given)).raise_for_status()

    def terminate(self, identity: str) -> None:
        """End an orchestration, and wait until it has ended."""
        self.durable.post(f"instances/{identity}/terminate", params={"reason": "test"}).raise_for_status()
        self.until_ended(identity)

    def purge(self, identity: str) -> int:
        """Remove an orchestration that has ended from the engine's history; returns how many that were."""
        return int(self.durable.delete(f"instances/{identity}").raise_for_status().json()["instancesDeleted"])

    def fire(self, function: str) -> None:
        """Run a timer-triggered function now."""
        headers = {"x-functions-key": self.host.keys.master}
        self.api.post(f"/admin/functions/{function}", headers=headers, json={}).raise_for_status()

    # The cloud.

    def knobs(self, **knobs: object) -> None:
        """Turn knobs of the cloud."""
        self._admin("PUT", "/knobs", knobs)

    def event(self, **event: object) -> None:
        """Cause an event in the cloud that the app does not know of."""
        self._admin("POST", "/events", event)

    def writes(self) -> list[dict[str, Any]]:
        """The requests so far that changed something in the cloud, or tried to."""
        return cast("list[dict[str, Any]]", self._admin("GET", "/writes"))

    def clear_requests(self) -> None:
        """Empty the cloud's log of requests."""
        self._admin("DELETE", "/requests")

    def cloud_state(self) -> dict[str, Any]:
        """Everything that the cloud holds, without any secret."""
        return cast("dict[str, Any]", self._admin("GET", "/state"))

    def _admin(self, method: str, path: str, body: object = None) -> object:
        url = f"{self.cloud.admin_url}{path}"
        answer = httpx.request(method, url, json=body, trust_env=False, verify=PLAIN).raise_for_status()
        return answer.json() if answer.content else None


def has_open_orders(cloud: LocalCloud) -> bool:
    """Whether the registry has an order without an outcome."""
    (account,) = cloud.world.storage_accounts.values()
    peerings = account.tables.get("peerings")
    first = next(peerings.scan((PEERINGS, order_key(""))), None) if peerings is not None else None
    # After the orders come other rows, such as those that a check of all peerings writes.
    return first is not None and first.key[0] == PEERINGS


def _json(value: object) -> dict[str, Any]:
    """A body with its type: the engines want either, also for null."""
    return {"content": json.dumps(value), "headers": {"content-type": "application/json"}}


def _is_interrupted(runs: list[dict[str, Any]]) -> bool:
    """Whether the last run was lost too often, or the one that the last check followed."""
    asked = next((run for run in runs if run["operation"] != "check"), None)
    return any(run is not None and run.get("problem", {}).get("code") == "interrupted" for run in (*runs[:1], asked))


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
    try:
        portal.call(host.start)
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
    hostile: Hostility | int | None = None,
    timer_triggers_awaited: Callable[[], bool] | None = None,
) -> Iterator[Deployment]:
    """Run the app against a cloud of `scenario`, both in this process, on the platform's virtual clock by default.

    Args:
        directory: where cloud and app keep their state.
        scenario: a name, or the scenario itself.
        settings: further settings of the app.
        clock: the time that both live by.
        hostile: the faults of the Functions host, or their seed.
        timer_triggers_awaited: whether something waits for a timer trigger, see `FunctionsHost`. By default an open
            order does if no durable timer is pending, because the resume timer may have to restart it.
    """
    clock = clock or platform().clock()
    with (
        LocalCloud(_of_kind(scenario), directory / "cloud", clock=clock, seed=1) as cloud,
        deploy_to(
            *(cloud, directory / "app", clock),
            settings=settings,
            hostile=hostile,
            timer_triggers_awaited=timer_triggers_awaited,
        ) as deployment,
    ):
        yield deployment


@contextmanager
def deploy_to(
    cloud: LocalCloud,
    state: Path,
    clock: Clock,
    *,
    settings: Mapping[str, str] | None = None,
    hostile: Hostility | int | None = None,
    timer_triggers_awaited: Callable[[], bool] | None = None,
    app: Path = PROJECT,
) -> Iterator[Deployment]:
    """Run the app, or another one, against a running cloud; `state` is its directory. The rest is as in `deploy`."""
    hostility = Hostility(hostile, clock=clock) if isinstance(hostile, int) else hostile
    with ExitStack() as stack:
        given = {**cloud.environment, "AZURE_CREDENTIAL": "service-principal", **NO_SCHEDULE, **(settings or {})}
        stack.enter_context(_environment(given))
        host = FunctionsHost(
            *(app, state),
            port=0,
            clock=clock,
            engine=platform().engine,
            hostile=hostility,
            timer_triggers_awaited=timer_triggers_awaited
            or (lambda: has_open_orders(cloud) and not host.engine.has_timers),
        )
        stack.enter_context(_serving(stack.enter_context(start_blocking_portal()), host))
        options: dict[str, Any] = {"trust_env": False, "timeout": 60, "verify": PLAIN}
        headers, system = {"x-functions-key": host.keys.function}, {"x-functions-key": host.keys.system}
        api = stack.enter_context(httpx.Client(base_url=host.url, headers=headers, **options))
        durable = stack.enter_context(httpx.Client(base_url=f"{host.url}/{WEBHOOKS}/", headers=system, **options))
        yield Deployment(cloud, host, api, durable, state, clock, platform().patience)
