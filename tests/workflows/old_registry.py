"""A task hub as version 0.2.0 leaves it, for tests of its migration."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from local.clock import VirtualClock
from local.cloud import LocalCloud
from local.deployment import Deployment, Status, deploy_to

_OLD_APP: Final = Path(__file__).parent / "apps" / "entities"
#: No timer fires by itself.
_STILL: Final = {"RESUME_SCHEDULE": "0 0 0 1 1 *"}
DEADLINES: Final = {"propagation": 900, "platform": 86400}
CALLER: Final = {"name": "operator", "id": None}
#: The parts of a record that version 0.2.0 did not have.
_NEW: Final = ("changed", "order", "steps", "unsettled", "stopping", "takers", "unnoted", "events")


@dataclass(frozen=True)
class Before:
    """A cloud with the task hub of version 0.2.0, and what is put into that."""

    cloud: LocalCloud
    directory: Path
    clock: VirtualClock

    @contextmanager
    def app(self) -> Iterator[Deployment]:
        """The app of today on the task hub of version 0.2.0."""
        with deploy_to(self.cloud, self.directory / "app", self.clock, settings=_STILL) as deployment:
            yield deployment

    def connected(self) -> dict[str, Any]:
        """A peering that is connected in the cloud, as version 0.2.0 kept it; the tables are empty afterwards."""
        with deploy_to(self.cloud, self.directory / "made", self.clock, settings=_STILL) as deployment:
            status = deployment.settle()
            assert status["state"] == "connected", status
            record = row_of(deployment, status["id"])
        for account in self.cloud.world.storage_accounts.values():
            account.tables.clear()
        kept = {name: value for name, value in record.items() if name not in _NEW}
        attempts = {code: attempt["at"] for code, attempt in record.get("attempts", {}).items()}
        return {**kept, "attempts": attempts}

    def fill(
        self,
        *records: Mapping[str, Any],
        unmanaged: list[dict[str, Any]] | None = None,
        instances: Mapping[str, tuple[str, object]] | None = None,
    ) -> None:
        """Put records into the entities, and start instances: by their id the name of an orchestrator and its input."""
        with deploy_to(self.cloud, self.directory / "app", self.clock, app=_OLD_APP) as old:
            management = Management(old)
            if records:
                peering = records[0]["peering"]
                key = f"{peering['project']}|{peering['project_vpc_id']}".casefold()
                held = {"peerings": {r["peering"]["id"]: r for r in records}, "unmanaged": unmanaged or []}
                management.set("registry", key, held)
                management.set("registry_index", "all", [key])
            for instance, (name, given) in (instances or {}).items():
                management.start(name, instance, given)


class Management:
    """Durable's management API of a running app."""

    def __init__(self, deployment: Deployment) -> None:
        self._url = f"{deployment.host.url}/runtime/webhooks/durabletask"
        self._query = {"code": deployment.host.keys.system}

    def _ask(self, method: str, path: str, given: object = None, **query: str) -> httpx.Response:
        url = f"{self._url}/{path}"
        return httpx.request(method, url, params={**self._query, **query}, json=given, trust_env=False, timeout=30)

    def set(self, entity: str, key: str, state: object) -> None:
        """Give an entity a state."""
        path = f"entities/{entity}/{quote(key, safe='')}"
        # The SDK encodes an operation's input twice.
        self._ask("POST", path, json.dumps(state), op="set").raise_for_status()
        _until(lambda: self._ask("GET", path).status_code == 200)

    def entity(self, entity: str, key: str) -> object:
        """An entity's state."""
        return self._ask("GET", f"entities/{entity}/{quote(key, safe='')}").json()

    def start(self, name: str, instance: str, given: object) -> None:
        """Start an instance, and wait until it waits."""
        self._ask("POST", f"orchestrators/{name}/{instance}", given).raise_for_status()
        _until(lambda: self.runtime_status(instance) == "Running")

    def runtime_status(self, instance: str) -> str:
        """How far the engine is with an instance."""
        answer = self._ask("GET", f"instances/{instance}")
        return str(answer.json()["runtimeStatus"]) if answer.is_success else "none"


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def row_of(deployment: Deployment, identity: str) -> dict[str, Any]:
    """A peering's record in the table."""
    rows: Any = import_module("clients.registry.rows")
    (account,) = deployment.cloud.world.storage_accounts.values()
    entity = account.table("peerings").get(("peerings", identity))
    assert entity is not None
    read: dict[str, Any] = rows.read_peering({name: held.value for name, held in entity.properties.items()})
    return read


def keys_of(deployment: Deployment, table: str) -> list[tuple[str, str]]:
    """The keys of a table's rows."""
    (account,) = deployment.cloud.world.storage_accounts.values()
    return [entity.key for entity in account.table(table).scan(("", ""))] if table in account.tables else []


def fire(deployment: Deployment, timer: str) -> None:
    """Let a timer fire."""
    url = f"{deployment.host.url}/admin/functions/{timer}"
    headers = {"x-functions-key": deployment.host.keys.master}
    httpx.post(url, headers=headers, json={}, trust_env=False, timeout=60).raise_for_status()


def resume(deployment: Deployment) -> None:
    """Let the timer fire that brings the registry over and resumes orders."""
    fire(deployment, "resume_orders")


def run_of(operation: str, run: str, record: Mapping[str, Any], **more: object) -> Status:
    """A run of version 0.2.0 on a peering, the last one."""
    started = record["runs"][-1]["ended"] if record["runs"] else record["requested"]
    return {"operation": operation, "run": run, "by": CALLER, "started": started, **more}


def given(record: Mapping[str, Any], run: str, **more: object) -> dict[str, object]:
    """The input of an instance of version 0.2.0."""
    return {"peering": record["peering"], "deadlines": DEADLINES, "run": run, "by": CALLER, **more}
