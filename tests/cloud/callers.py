"""Ways into a local cloud for its tests: its admin routes, and plain HTTPS as one of its principals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest

from local.clock import VirtualClock
from local.cloud import LocalCloud, Scenario
from local.cloud.world.population import Established, establish
from local.cloud.world.world import VNet, Vpc

SCOPES: Final = {
    "arm": "https://management.azure.com",
    "graph": "https://graph.microsoft.com",
    "vault": "https://vault.azure.net",
    "storage": "https://storage.azure.com",
}
_VERSIONS: Final = {
    "Microsoft.Network": "2026-03-01",
    "Microsoft.Authorization": "2022-04-01",
}


@dataclass
class Callers:
    """A running cloud, and requests to it as the automation identity."""

    cloud: LocalCloud
    clock: VirtualClock
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def vnet(self) -> VNet:
        """The customer's first VNet."""
        return next(iter(self.cloud.world.vnets.values()))

    @property
    def vpc(self) -> Vpc:
        """The first project VPC."""
        return next(iter(self.cloud.world.vpcs.values()))

    @property
    def vault_url(self) -> str:
        """The Key Vault's URL."""
        return f"https://{self.cloud.landscape.vault}.vault.azure.net"

    def establish(self, **options: Any) -> Established:  # noqa: ANN401 - those of establish
        """A peering of the first VNet and the first project VPC."""
        return establish(self.cloud.world, self.cloud.landscape, self.vnet, self.vpc, **options)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.cloud.world.after(seconds))

    def admin(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request to an admin route."""
        return httpx.request(method, f"{self.cloud.admin_url}{path}", json=body, trust_env=False)

    def event(self, kind: str, **given: object) -> httpx.Response:
        """Make something happen behind everybody's back."""
        return self.admin("POST", "/events", {"kind": kind, **given})

    def happen(self, kind: str, **given: object) -> None:
        """Make something happen that has to work."""
        answer = self.event(kind, **given)
        assert answer.status_code == 200, answer.text

    def knobs(self, **knobs: object) -> None:
        """Turn knobs."""
        self.admin("PUT", "/knobs", knobs).raise_for_status()

    def state(self) -> dict[str, Any]:
        """The whole state."""
        return cast("dict[str, Any]", self.admin("GET", "/state").json())

    def token(self, service: str, **credentials: str) -> str:
        """A token of the automation identity, or of other credentials."""
        environment = self.cloud.environment
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_CLIENT_SECRET"],
            "scope": f"{SCOPES[service]}/.default",
            **credentials,
        }
        tenant = form.pop("tenant", environment["AZURE_TENANT_ID"])
        url = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
        return str(httpx.post(url, data=form).raise_for_status().json()["access_token"])

    def call(self, service: str, method: str, url: str, body: object = None, **headers: str) -> httpx.Response:
        """A request to a service, with a path or a whole URL."""
        if service not in self._tokens:
            self._tokens[service] = self.token(service)
        whole = url if url.startswith("https://") else f"{SCOPES[service]}{url}"
        given = {"authorization": f"Bearer {self._tokens[service]}", **headers}
        return httpx.request(method, whole, json=body, headers=given)

    def arm(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """A request to Azure Resource Manager."""
        version = next((v for name, v in _VERSIONS.items() if f"providers/{name}" in path), "2022-12-01")
        return self.call(
            "arm", method, str(httpx.URL(SCOPES["arm"] + path, params={"api-version": version, **query})), body
        )

    def graph(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request to Microsoft Graph."""
        return self.call("graph", method, path if path.startswith("https://") else f"/v1.0{path}", body, **headers)

    def vault(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request to the Key Vault."""
        return self.call("vault", method, f"{self.vault_url}{path}?api-version=2026-04-01", body)

    def table(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request to the Table service."""
        url = self.cloud.environment["REGISTRY_TABLE_ENDPOINT"] + path
        return self.call("storage", method, url, body, **{"x-ms-version": "2019-02-02", **headers})

    def aiven(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request to Aiven about the project."""
        url = f"https://api.aiven.io/v1/project/{self.cloud.environment['AIVEN_PROJECT']}{path}"
        headers = {"authorization": f"aivenv1 {self.cloud.environment['AIVEN_AUTH_TOKEN']}"}
        return httpx.request(method, url, headers=headers, json=body)


@contextmanager
def callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **knobs: Any) -> Iterator[Callers]:  # noqa: ANN401
    """A cloud that this process's clients are led to, on a virtual clock."""
    clock = VirtualClock()
    with LocalCloud(Scenario(**knobs), tmp_path, clock=clock, seed=1) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        yield Callers(cloud, clock)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, str(answer.json()["error"]["code"])
