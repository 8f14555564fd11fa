"""Everything that the local cloud holds: tenants with their directories, Azure resources, vaults, and Aiven's side."""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from typing import Final
from uuid import UUID

from local.clock import Clock
from local.cloud.scenario import Scenario


@dataclass
class Password:
    """A password of an application."""

    key_id: str
    display_name: str | None
    text: str = field(repr=False)
    starts: datetime
    ends: datetime
    accepted_at: datetime


@dataclass
class FederatedCredential:
    """Whose tokens an application takes in place of a password."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]
    accepted_at: datetime


@dataclass
class Application:
    """An application, registered in its home tenant."""

    id: str
    app_id: str
    tenant_id: str
    display_name: str
    sign_in_audience: str
    unique_name: str | None
    owner: str | None
    created: datetime
    visible_at: datetime
    tags: list[str] = field(default_factory=list)
    passwords: list[Password] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)

    @property
    def multi_tenant(self) -> bool:
        """Whether it may sign in to other tenants."""
        return self.sign_in_audience != "AzureADMyOrg"


@dataclass
class ServicePrincipal:
    """An application's presence in a tenant."""

    id: str
    app_id: str
    tenant_id: str
    display_name: str
    created: datetime
    visible_at: datetime
    enabled: bool = True
    graph_role: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass
class RoleDefinition:
    """A role, built-in or custom."""

    name: str
    role_name: str
    description: str
    built_in: bool
    tenant_id: str
    scopes: list[str]
    actions: list[str]
    not_actions: list[str] = field(default_factory=list)
    data_actions: list[str] = field(default_factory=list)
    not_data_actions: list[str] = field(default_factory=list)


@dataclass
class RoleAssignment:
    """A role given to a principal on a scope."""

    name: str
    scope: str
    role: str
    principal_id: str
    principal_type: str
    created: datetime
    effective_at: datetime
    description: str | None = None
    condition: str | None = None


@dataclass
class VNetPeering:
    """One side of a VNet peering."""

    name: str
    vnet_id: str
    remote_id: str
    guid: str
    etag: str
    state: str
    changed_at: datetime
    provisioned_at: datetime
    remote_prefixes: list[str]
    options: dict[str, bool] = field(default_factory=dict)
    sync_level: str = "FullyInSync"

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.vnet_id}/virtualNetworkPeerings/{self.name}"


@dataclass
class VNet:
    """A virtual network."""

    subscription_id: str
    group: str
    name: str
    location: str
    prefixes: list[str]
    guid: str
    peerings: list[VNetPeering] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its ARM id, spelled as it was created."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Network/virtualNetworks/{self.name}"
        )

    def overlaps(self, prefixes: list[str]) -> list[str]:
        """The prefixes of this network that overlap others."""
        others = [IPv4Network(prefix) for prefix in prefixes]
        return [prefix for prefix in self.prefixes if any(IPv4Network(prefix).overlaps(other) for other in others)]


@dataclass
class Subscription:
    """A subscription of a tenant."""

    id: str
    tenant_id: str
    display_name: str


@dataclass
class SecretVersion:
    """One version of a secret."""

    version: str
    value: str = field(repr=False)
    created: datetime
    tags: dict[str, str]
    content_type: str | None
    expires: int | None
    enabled: bool = True


@dataclass
class Vault:
    """A Key Vault; deleted secrets can be recovered."""

    name: str
    id: str
    tenant_id: str
    secrets: dict[str, list[SecretVersion]] = field(default_factory=dict)
    deleted: dict[str, list[SecretVersion]] = field(default_factory=dict)


@dataclass
class Connection:
    """A peering connection of a project VPC, as Aiven keeps it."""

    account: str
    group: str
    vnet: str
    app_id: str
    tenant_id: str
    cidrs: list[str]
    state: str
    created: datetime
    since: datetime
    state_info: dict[str, str] | None = None
    refresh: bool = False


@dataclass
class ProjectVpc:
    """A project VPC and the platform's network behind it."""

    id: str
    project: str
    cloud_name: str
    cidr: str
    state: str
    network: VNet
    created: datetime
    connections: list[Connection] = field(default_factory=list)


@dataclass
class Operation:
    """A long-running operation of ARM."""

    id: str
    ends_at: datetime


NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"
READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
USER_ACCESS_ADMINISTRATOR: Final = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
ACCESS_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
SECRETS_OFFICER: Final = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
SECRETS_USER: Final = "4633458b-17de-408a-b874-0445c86b69e6"
PLATFORM_APP: Final = "55f300d4-fc50-4c5e-9222-e90a6e2187fb"


class World:
    """The state, and the time that it lives by. One request at a time touches it."""

    def __init__(self, scenario: Scenario, clock: Clock, seed: int | None = None) -> None:
        self.knobs, self._clock = scenario, clock
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311
        self.tenants: list[str] = []
        self.subscriptions: dict[str, Subscription] = {}
        self.applications: list[Application] = []
        self.principals: list[ServicePrincipal] = []
        self.roles: list[RoleDefinition] = []
        self.assignments: list[RoleAssignment] = []
        self.vnets: dict[str, VNet] = {}
        self.vaults: dict[str, Vault] = {}
        self.project_vpcs: dict[str, ProjectVpc] = {}
        self.operations: dict[str, Operation] = {}
        self.aiven_token = self.secret()

    @property
    def now(self) -> datetime:
        """The present moment of the cloud."""
        return self._clock.now()

    def after(self, seconds: float) -> datetime:
        """The moment so many seconds from now."""
        return self.now + timedelta(seconds=seconds)

    def guid(self) -> str:
        """A new id; the same ones in the same order for a seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """A new secret text."""
        return secrets.token_urlsafe(30)

    # Look-ups. ARM compares ids without case.

    def application(self, app_id: str) -> Application | None:
        """The application with an application (client) id."""
        return next((a for a in self.applications if a.app_id == app_id.lower()), None)

    def principal(self, app_id: str, tenant_id: str) -> ServicePrincipal | None:
        """An application's service principal in a tenant."""
        return next((p for p in self.principals if p.app_id == app_id.lower() and p.tenant_id == tenant_id), None)

    def vnet(self, arm_id: str) -> VNet | None:
        """The VNet with an ARM id."""
        return self.vnets.get(arm_id.lower())

    def role(self, role_id: str) -> RoleDefinition | None:
        """The role with a full id or a name (GUID)."""
        name = role_id.rpartition("/")[2].lower()
        return next((role for role in self.roles if role.name == name), None)

    def connections(self) -> Iterator[tuple[ProjectVpc, Connection]]:
        """All peering connections with their project VPCs."""
        return ((vpc, connection) for vpc in self.project_vpcs.values() for connection in list(vpc.connections))

    # Making things.

    def add_vnet(self, subscription_id: str, group: str, name: str, prefix: str) -> VNet:
        """Make a VNet."""
        vnet = VNet(subscription_id, group, name, "westeurope", [prefix], self.guid())
        self.vnets[vnet.id.lower()] = vnet
        return vnet

    def add_application(
        self, tenant_id: str, name: str, audience: str, owner: str | None = None, unique_name: str | None = None
    ) -> Application:
        """Register an application; it shows once it is replicated."""
        visible = self.after(self.knobs.directory_visible)
        application = Application(
            self.guid(), self.guid(), tenant_id, name, audience, unique_name, owner, self.now, visible
        )
        self.applications.append(application)
        return application

    def add_principal(self, application: Application, tenant_id: str, at: datetime | None = None) -> ServicePrincipal:
        """Make an application's service principal in a tenant; it shows once it is replicated."""
        created = at or self.now
        visible = created + timedelta(seconds=self.knobs.directory_visible)
        principal = ServicePrincipal(
            self.guid(), application.app_id, tenant_id, application.display_name, created, visible
        )
        self.principals.append(principal)
        return principal

    def add_password(self, application: Application, name: str | None, ends: datetime) -> Password:
        """Give an application a password; it works once it is replicated."""
        accepted = self.after(self.knobs.secret_accepted)
        password = Password(self.guid(), name, self.secret(), self.now, ends, accepted)
        application.passwords.append(password)
        return password

    def assign(
        self, name: str, scope: str, role: RoleDefinition, principal_id: str, at: datetime | None = None
    ) -> RoleAssignment:
        """Give a principal a role on a scope; it takes effect after a while."""
        created = at or self.now
        effective = created + timedelta(seconds=self.knobs.role_effective)
        made = RoleAssignment(name, scope, role.name, principal_id, "ServicePrincipal", created, effective)
        self.assignments.append(made)
        return made
