"""The article's steps against a local cloud, one function each, so that a test can leave one out or do it wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.core.policies import AuxiliaryAuthenticationPolicy
from azure.mgmt.network import NetworkManagementClient

from local.clock import VirtualClock
from local.cloud import LocalCloud
from local.cloud.arm.network import PEER_ACTION
from local.cloud.world.world import NETWORK_CONTRIBUTOR, PLATFORM_APP, Application, RoleDefinition, VNet

ARM: Final = "https://management.azure.com"
#: What Azure answered: its status and code, or the state of the peering.
Verdict = tuple[int, str] | str


@dataclass
class Article:
    """One go at the article; the options are the mistakes that can be made."""

    cloud: LocalCloud
    clock: VirtualClock
    skip: set[str] = field(default_factory=set)
    audience: str = "AzureADMultipleOrgs"
    upper_case: bool = False
    sign_in_to: tuple[str, str | None] = ("customer", "platform")
    password: str = ""

    @property
    def vnet(self) -> VNet:
        """The customer's first VNet."""
        return next(iter(self.cloud.world.vnets.values()))

    def steps_2_to_9(self) -> Application:
        """Everything in Entra and in access control."""
        world, found = self.cloud.world, self.cloud.landscape
        application = world.add_application(found.customer_tenant, "by hand", self.audience)
        self.password = world.add_password(application, None, world.now + timedelta(days=1)).text
        if "our service principal" not in self.skip:
            principal = world.add_principal(application, found.customer_tenant)
            contributor = world.role(NETWORK_CONTRIBUTOR)
            if "our role" not in self.skip and contributor:
                world.assign(world.guid(), self.vnet.id, contributor, principal.id)
        if "platform service principal" not in self.skip:
            platform = world.application(PLATFORM_APP)
            assert platform
            principal = world.add_principal(platform, found.customer_tenant)
            scopes = [f"/subscriptions/{found.subscription}"]
            tenant = found.customer_tenant
            role = RoleDefinition(
                world.guid(), "peer", "", built_in=False, tenant_id=tenant, scopes=scopes, actions=[PEER_ACTION]
            )
            world.roles.append(role)
            if "peer/action" not in self.skip:
                world.assign(world.guid(), self.vnet.id, role, principal.id)
        return application

    def aiven(self, method: str, path: str, **body: object) -> httpx.Response:
        """A request to Aiven about the first VPC."""
        vpc, item = self.cloud.landscape.vpc, {"project": "vpcs", "organization": "vpc"}
        url = f"https://api.aiven.io/v1/{vpc.kind}/{vpc.owner}/{item[vpc.kind]}/{vpc.id}{path}"
        headers = {"authorization": f"aivenv1 {self.cloud.environment['AIVEN_AUTH_TOKEN']}"}
        return httpx.request(method, url, headers=headers, json=body or None)

    def step_11(self, application: Application) -> httpx.Response:
        """Request the peering connection."""
        vnet = self.vnet
        spell = str if self.upper_case else str.lower
        return self.aiven(
            "POST",
            "/peering-connections",
            peer_cloud_account=vnet.subscription_id,
            peer_resource_group=spell(vnet.group),
            peer_vpc=spell(vnet.name),
            peer_azure_app_id=application.app_id,
            peer_azure_tenant_id=self.cloud.landscape.customer_tenant,
        )

    def connection(self) -> dict[str, Any]:
        """The peering connection as Aiven shows it."""
        return cast("dict[str, Any]", self.aiven("GET", "").json()["peering_connections"][0])

    def step_13(self, application: Application, remote_id: str) -> Verdict:
        """Create the VNet peering by the SDK; the state of it, or Azure's refusal."""
        found = self.cloud.landscape
        tenants = {"customer": found.customer_tenant, "platform": found.platform_tenant}
        first, second = self.sign_in_to
        credential = ClientSecretCredential(tenants[first], application.app_id, self.password)
        auxiliary = [ClientSecretCredential(tenants[second], application.app_id, self.password)] if second else []
        policies = [AuxiliaryAuthenticationPolicy(auxiliary, f"{ARM}/.default")] if auxiliary else []
        vnet = self.vnet
        body: Any = {"properties": {"remoteVirtualNetwork": {"id": remote_id}, "allowVirtualNetworkAccess": True}}
        try:
            with NetworkManagementClient(
                credential, vnet.subscription_id, per_retry_policies=policies, retry_total=0
            ) as client:
                made = client.virtual_network_peerings.begin_create_or_update(
                    vnet.group, vnet.name, "by-hand", body, polling_interval=0
                ).result()
        except ClientAuthenticationError as error:
            number = re.search(r"AADSTS\d+", error.message)
            return (401, number[0]) if number else (error.status_code or 401, (error.error and error.error.code) or "")
        except HttpResponseError as error:
            return error.status_code or 0, (error.error and error.error.code) or ""
        return str(getattr(made.peering_state, "value", made.peering_state))


@contextmanager
def running_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str = "quick") -> Iterator[Article]:
    """A cloud that this process's clients are led to, on a virtual clock."""
    clock = VirtualClock()
    with LocalCloud(scenario, tmp_path, clock=clock, seed=1) as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        yield Article(cloud, clock)
