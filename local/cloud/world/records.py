"""The records of the local cloud's world: directory objects, Azure resources, secrets, and Aiven's side."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from ipaddress import IPv4Network
from typing import Any, ClassVar, Final, Literal

from peering.aiven_vpc import AivenVpc

#: When Azure's built-in roles were made.
_ROLES_BEGAN: Final = datetime(2015, 2, 2, 21, 55, 9, tzinfo=UTC)


class Watched:
    """Counts the changes of what the platform acts upon, so that it reads again only after a change."""

    changes: ClassVar[int] = 0

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("state", "refresh"):
            Watched.changes += 1
        super().__setattr__(name, value)


@dataclass(eq=False)
class Password:
    """A password of an application."""

    key_id: str
    display_name: str | None
    text: str = field(repr=False)
    starts: datetime
    ends: datetime
    accepted_at: datetime


@dataclass(eq=False)
class FederatedCredential:
    """Whose tokens an application takes in place of a password."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]
    accepted_at: datetime
    description: str | None = None


@dataclass(eq=False)
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
    deleted: datetime | None = None

    @property
    def multi_tenant(self) -> bool:
        """Whether it may sign in to other tenants."""
        return self.sign_in_audience != "AzureADMyOrg"


@dataclass(eq=False)
class ServicePrincipal:
    """An application's presence in a tenant, or a managed identity, which has no application."""

    id: str
    app_id: str
    tenant_id: str
    display_name: str
    created: datetime
    visible_at: datetime
    enabled: bool = True
    owner: str | None = None
    kind: Literal["Application", "ManagedIdentity"] = "Application"
    graph_roles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    deleted: datetime | None = None


@dataclass(eq=False)
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
    created: datetime = _ROLES_BEGAN
    updated: datetime = _ROLES_BEGAN
    created_by: str | None = None
    updated_by: str | None = None

    @property
    def kind(self) -> str:
        """Its type, as ARM names it."""
        return "BuiltInRole" if self.built_in else "CustomRole"


@dataclass(eq=False)
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
    by: str | None = None
    #: Of an assignment above all subscriptions: the tenant in which it holds.
    tenant_id: str = ""


#: The writable properties of a VNet peering, by their names in ARM.
Options = dict[str, bool | list[str] | dict[str, Any]]


@dataclass(eq=False)
class VNetPeering(Watched):
    """One side of a VNet peering. `remote_prefixes` is what it knows of the other network since it last synced."""

    name: str
    vnet_id: str
    remote_id: str
    guid: str
    etag: str
    state: str
    created: datetime
    changed_at: datetime
    provisioned_at: datetime
    remote_prefixes: list[str]
    options: Options = field(default_factory=dict)
    failed: bool = False

    @property
    def id(self) -> str:
        """Its ARM id."""
        return f"{self.vnet_id}/virtualNetworkPeerings/{self.name}"


@lru_cache(maxsize=4096)
def _network(prefix: str) -> IPv4Network:
    return IPv4Network(prefix)


@dataclass(eq=False)
class VNet:
    """A virtual network. `dropped` are the peerings that it had, and until when.

    Until `busy_until` another operation is under way, such as that of a subnet, though it shows as provisioned.
    `has_gateway`: others may use its gateway through a peering.
    """

    subscription_id: str
    group: str
    name: str
    location: str
    prefixes: list[str]
    guid: str
    peerings: list[VNetPeering] = field(default_factory=list)
    provisioning_state: str = "Succeeded"
    dropped: list[tuple[VNetPeering, datetime]] = field(default_factory=list)
    busy_until: datetime | None = None
    has_gateway: bool = False

    @cached_property
    def id(self) -> str:
        """Its ARM id, spelled as it was created."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Network/virtualNetworks/{self.name}"
        )

    def overlaps(self, prefixes: list[str]) -> list[str]:
        """The prefixes of this network that overlap others."""
        others = [_network(prefix) for prefix in prefixes]
        return [prefix for prefix in self.prefixes if any(_network(prefix).overlaps(other) for other in others)]


@dataclass(eq=False)
class Subscription:
    """A subscription of a tenant."""

    id: str
    tenant_id: str
    display_name: str


@dataclass(eq=False)
class SecretVersion:
    """One version of a secret."""

    version: str
    value: str = field(repr=False)
    created: datetime
    tags: dict[str, str]
    content_type: str | None
    expires: int | None
    enabled: bool = True
    updated: datetime | None = None


@dataclass(eq=False)
class DeletedSecret:
    """A secret that was deleted and can be recovered, once the deletion is through."""

    versions: list[SecretVersion]
    at: datetime


@dataclass(eq=False)
class Vault:
    """A Key Vault; deleted secrets can be recovered. With `policies`, by object id, it decides by those alone.

    One that is `closed` has a firewall that blocks all clients.
    """

    name: str
    id: str
    tenant_id: str
    secrets: dict[str, list[SecretVersion]] = field(default_factory=dict)
    deleted: dict[str, DeletedSecret] = field(default_factory=dict)
    policies: dict[str, list[str]] | None = None
    closed: bool = False


@dataclass(eq=False)
class Connection(Watched):
    """A peering connection of a VPC, as Aiven keeps it; one of an organization VPC has an id of its own."""

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
    id: str | None = None

    @cached_property
    def vnet_id(self) -> str:
        """The ARM id of the customer's VNet, made of the names that Aiven was given."""
        return (
            f"/subscriptions/{self.account}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Network/virtualNetworks/{self.vnet}"
        )


@dataclass(eq=False)
class Vpc:
    """A VPC of a project or of an organization, and the platform's network behind it."""

    named: AivenVpc
    cloud_name: str
    cidr: str
    state: str
    network: VNet
    created: datetime
    connections: list[Connection] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its id."""
        return self.named.id

    @property
    def owner(self) -> str:
        """The project or organization that it belongs to."""
        return self.named.owner

    def connection(self, connection_id: str) -> Connection | None:
        """The connection with an id."""
        return next((one for one in self.connections if one.id == connection_id), None)


@dataclass(eq=False)
class Operation:
    """A long-running operation of ARM."""

    id: str
    ends_at: datetime


@dataclass(frozen=True)
class Rest:
    """The platform has nothing to do until a time, unless something changes that it has seen."""

    seen: tuple[object, ...] = ()
    until: datetime | None = None
