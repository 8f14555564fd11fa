"""The app in a process of its own, beside the local cloud in this one: what each of them takes can be told apart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from local.clock import SystemClock
from local.cloud import LocalCloud, Scenario
from local.deployment import ENDED
from local.host.client_binding import WEBHOOKS
from local.host.keys import load_keys
from local.processes import app_settings, local_app

#: No scheduled check comes between: once a year.
_NO_SCHEDULE: Final = {"HEALTH_CHECK_SCHEDULE": "0 0 0 1 1 *"}
_BETWEEN_LOOKS: Final = 0.2


@dataclass
class Apart:
    """A local cloud in this process, and the app in one of its own; `api` may do anything with it.

    `most_events` are those of the largest history of all that were waited for.
    """

    cloud: LocalCloud
    api: httpx.Client
    process: psutil.Process
    most_events: int = 0
    _ended: dict[str, str] = field(default_factory=dict)

    def fire(self, function: str) -> None:
        """Run a timer-triggered function now."""
        self.api.post(f"/admin/functions/{function}", json={}).raise_for_status()

    def until_ended(self, identity: str, seconds: float) -> None:
        """Wait until an orchestration has ended that begins now: one that was waited for before is not meant.

        Raises:
            TimeoutError: it did not end in time.
        """
        deadline = time.monotonic() + seconds
        while (found := self._instance(identity)).get("runtimeStatus") not in ENDED or (
            found["createdTime"] == self._ended.get(identity)
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s the orchestration is {found.get('runtimeStatus')}")
            time.sleep(_BETWEEN_LOOKS)
        self._ended[identity] = found["createdTime"]

    def _instance(self, identity: str) -> dict[str, Any]:
        answer = self.api.get(f"/{WEBHOOKS}/instances/{identity}", params={"showHistory": "true"})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return {}
        found: dict[str, Any] = answer.raise_for_status().json()
        self.most_events = max(self.most_events, len(found.get("historyEvents", [])))
        return found

    @property
    def memory(self) -> int:
        """The bytes that the app's process holds in memory now."""
        return int(self.process.memory_info().rss)

    @property
    def peak_memory(self) -> int:
        """The most bytes that the app's process has held in memory so far, as Linux counts them."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(peak) * 1024


@contextmanager
def apart(directory: Path, scenario: Scenario, host: str = "local.host") -> Iterator[Apart]:
    """Run the app against a cloud of a scenario, by the machine's clock.

    Args:
        directory: where cloud and app keep their state.
        scenario: how the cloud is set up.
        host: the module that is run as the host.
    """
    with LocalCloud(scenario, directory / "cloud", clock=SystemClock()) as cloud:
        environment = {**app_settings(cloud.environment), **_NO_SCHEDULE}
        with local_app(directory / "app", environment, host=host) as app:
            key = load_keys(directory / "app" / "keys.json").master
            with httpx.Client(base_url=app.url, headers={"x-functions-key": key}, trust_env=False, timeout=60) as api:
                yield Apart(cloud, api, psutil.Process(app.process.pid))


def cpu_seconds(process: psutil.Process) -> float:
    """What a process has used of the processor so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
