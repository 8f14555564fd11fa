"""Clouds whose clock stands still, with servers and without: what many requests in one moment are answered."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import LocalCloud, Scenario
from local.cloud.server.gateway import Gateway
from local.cloud.server.hosts import HOSTS
from local.cloud.server.wire import Request, Response
from local.cloud.world.landscape import build
from local.cloud.world.world import ServicePrincipal, World

_TOO_MANY: Final = 429
_HOSTS: Final = {"arm": "management.azure.com", "graph": "graph.microsoft.com"}
_ASSIGNMENT: Final = "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000000"
#: What every request carries: enough for those that need a body to be refused for what it says.
_BODY: Final = b'{"ids": [], "properties": {"roleDefinitionId": "none", "principalId": "none"}}'


@dataclass
class HeldClock:
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class HeldCloud:
    """The services of a cloud, asked as one of its service principals: first, as the automation identity."""

    clock: HeldClock
    world: World
    gateway: Gateway
    subscriptions: tuple[str, ...]
    who: ServicePrincipal
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def ask(self, service: str, method: str, path: str, **query: str) -> Response:
        """A request to a service, and its answer."""
        key = (service, self.who.id)
        if key not in self._tokens:
            self._tokens[key] = self.gateway.entra.issue(self.who, f"https://{_HOSTS[service]}/")
        headers = {"authorization": f"Bearer {self._tokens[key]}"}
        return self.gateway.answer(service, Request(method, _HOSTS[service], path, query, headers, _BODY))[0]

    def arm(self, method: str, path: str = _ASSIGNMENT, subscription: int = 0) -> Response:
        """A request to Azure Resource Manager about something in a subscription, such as a role assignment."""
        return self.tenant(method, f"/subscriptions/{self.subscriptions[subscription]}{path}")

    def tenant(self, method: str, path: str) -> Response:
        """A request to Azure Resource Manager with a whole path."""
        return self.ask("arm", method, path, **{"api-version": "2022-04-01"})

    def graph(self, method: str, path: str, **query: str) -> Response:
        """A request to Microsoft Graph."""
        return self.ask("graph", method, f"/v1.0{path}", **query)

    def another_principal(self) -> ServicePrincipal:
        """A principal of the customer's tenant that may read directory and subscriptions."""
        tenant = self.who.tenant_id
        made = self.world.add_principal(self.world.add_application(tenant, "another", "AzureADMyOrg"), tenant)
        made.graph_roles = self.who.graph_roles
        return made


def held_cloud(**knobs: Any) -> HeldCloud:  # noqa: ANN401 - those of a scenario
    """A cloud with these knobs."""
    clock = HeldClock()
    world = World(Scenario(**knobs), clock, seed=1)
    landscape = build(world)
    gateway = Gateway(world, HOSTS["AzureCloud"])
    return HeldCloud(clock, world, gateway, landscape.subscriptions, landscape.automation)


@contextmanager
def held_servers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    **knobs: Any,  # noqa: ANN401 - those of a scenario
) -> Iterator[tuple[LocalCloud, HeldClock]]:
    """A cloud that this process's clients are led to, and its clock."""
    clock = HeldClock()
    with LocalCloud(Scenario(**knobs), tmp_path, clock=clock, seed=1) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        yield cloud, clock


def served(answers: Iterable[Response]) -> list[bool]:
    """Which answers are none of a throttle."""
    return [answer.status != _TOO_MANY for answer in answers]
