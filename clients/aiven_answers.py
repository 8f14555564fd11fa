"""Aiven's responses about VPCs and their peering connections (Aiven's OpenAPI document), as far as they are needed.

A VPC of a project and one of an organization are two documents with the same connections in them.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from clients.known_secrets import readable
from peering.aiven_vpc import Kind
from peering.naming import VNetId, folded, same_id
from peering.states import how_far


class StateInfo(BaseModel):
    """The details of a state; with PENDING_PEER on Azure, the target of the other side.

    The two ids are in Aiven's documentation alone, not in its schema, so unknown fields are kept, too.
    """

    model_config = ConfigDict(extra="allow")

    type: str | None = None
    message: str | None = None
    to_tenant_id: str | None = Field(None, validation_alias=AliasChoices("to-tenant-id", "to_tenant_id"))
    to_network_id: str | None = Field(None, validation_alias=AliasChoices("to-network-id", "to_network_id"))

    @property
    def told(self) -> str | None:
        """The message as it may be stored. A VPC may list a thousand connections; few of their messages are used."""
        return None if self.message is None else readable(self.message)


class PeeringConnection(BaseModel):
    """One peering connection of a VPC. `peering_connection_id` may be missing; organizations need it."""

    peer_cloud_account: str
    peer_vpc: str
    peer_resource_group: str | None = None
    peer_azure_app_id: str | None = None
    peer_azure_tenant_id: str | None = None
    peering_connection_id: str | None = None
    state: str
    state_info: StateInfo | None = None
    user_peer_network_cidrs: Annotated[list[str], BeforeValidator(lambda given: given or [])] = []

    def leads_to(self, vnet: VNetId) -> bool:
        """Whether this connection is the one to `vnet`; all three keys must match, ignoring case."""
        mine = (self.peer_cloud_account, self.peer_resource_group or "", self.peer_vpc)
        other = (vnet.subscription_id, vnet.resource_group, vnet.name)
        return [folded(part) for part in mine] == [folded(part) for part in other]

    def may_lead_to(self, vnet: VNetId) -> bool:
        """Whether it leads to `vnet`, or may do so because Aiven leaves out the resource group."""
        mine, other = (self.peer_cloud_account, self.peer_vpc), (vnet.subscription_id, vnet.name)
        is_of_this_name = list(map(folded, mine)) == list(map(folded, other))
        return is_of_this_name and (self.peer_resource_group is None or self.leads_to(vnet))

    def is_unclear(self, vnet: VNetId, application_id: str | None = None) -> bool:
        """Whether it may lead to `vnet`, but Aiven leaves out its resource group or its application.

        Args:
            vnet: the VNet.
            application_id: where only connections of this application matter, as far as it is known.
        """
        if self.state == "DELETED" or not self.may_lead_to(vnet):
            return False
        if self.peer_azure_app_id is None:
            return True
        is_anothers = application_id is not None and not same_id(self.peer_azure_app_id, application_id)
        return self.peer_resource_group is None and not is_anothers


class Vpc(BaseModel):
    """One VPC in Aiven with its peering connections."""

    state: str
    peering_connections: list[PeeringConnection]

    @property
    @abstractmethod
    def clouds(self) -> Sequence["CloudRange"]:
        """The clouds that it is in, each with its range."""

    @property
    def cloud(self) -> str:
        """The name of the cloud that it is in: Azure's, if it is in several."""
        # Managed Service for TimescaleDB puts a prefix before the cloud's name.
        names = [one.cloud_name for one in self.clouds]
        return next((name for name in names if "azure" in name), names[0])

    @property
    def ranges(self) -> str:
        """All its ranges, as facts and looks have them: with commas between them."""
        return ", ".join(one.network_cidr for one in self.clouds)

    def connection_to(
        self, vnet: VNetId, application_id: str | None = None, *, only_own: bool = False
    ) -> PeeringConnection | None:
        """The peering connection to `vnet`, if there is one; one that is DELETED counts as none.

        Where several are listed, it is that of the application, else the most advanced one.

        Args:
            vnet: the VNet.
            application_id: the peering's application, as far as it is known.
            only_own: whether another application's counts as none.
        """
        there = self._connections_to(vnet)
        own = [c for c in there if application_id and same_id(c.peer_azure_app_id, application_id)]
        found = own if only_own else own or there
        return min(found, key=lambda connection: how_far(connection.state), default=None)

    def has_anothers(self, vnet: VNetId, application_id: str | None) -> bool:
        """Whether another application than this one has a connection to `vnet`."""
        owners = [connection.peer_azure_app_id for connection in self._connections_to(vnet)]
        return any(owner is not None and not same_id(owner, application_id) for owner in owners)

    def _connections_to(self, vnet: VNetId) -> list[PeeringConnection]:
        return [c for c in self.peering_connections if c.state != "DELETED" and c.leads_to(vnet)]

    def still_lists(self, vnet: VNetId) -> bool:
        """Whether a connection to `vnet` that is DELETED is listed still, for a while, and no other one is."""
        listed = [c.state for c in self.peering_connections if c.leads_to(vnet)]
        return bool(listed) and set(listed) == {"DELETED"}


class CloudRange(BaseModel):
    """A cloud that a VPC is in, and its range there."""

    cloud_name: str
    network_cidr: str


class ProjectVpc(CloudRange, Vpc):
    """One VPC of a project: in one cloud."""

    project_vpc_id: str

    @property
    def clouds(self) -> Sequence[CloudRange]:
        """The one cloud, and the range."""
        return [self]


class OrganizationVpc(Vpc):
    """One VPC of an organization. Its clouds are a list, of one as far as Aiven documents it."""

    organization_vpc_id: str
    in_clouds: Annotated[list[CloudRange], Field(min_length=1, validation_alias="clouds")]

    @property
    def clouds(self) -> Sequence[CloudRange]:
        """The clouds, and the ranges."""
        return self.in_clouds


class ListedVpc(BaseModel):
    """One VPC in a list, which leaves out the connections."""

    id: str = Field(validation_alias=AliasChoices("project_vpc_id", "organization_vpc_id"))
    organization_vpc_id: str | None = None
    state: str | None = None


class ListedVpcs(BaseModel):
    """The VPCs of a project, or of an organization."""

    vpcs: list[ListedVpc]

    def of(self, kind: Kind) -> list[str]:
        """The ids of those of one kind that are not deleted.

        Aiven does not document whether a project's list has its organization's.
        """
        present = [one for one in self.vpcs if one.state != "DELETED"]
        return [one.id for one in present if (one.organization_vpc_id is not None) == (kind == "organization")]


class Project(BaseModel):
    """One project in a list."""

    project_name: str


class Projects(BaseModel):
    """The projects of a user."""

    projects: list[Project]


class Organization(BaseModel):
    """One organization in a list."""

    organization_id: str


class Organizations(BaseModel):
    """The organizations of a user."""

    organizations: list[Organization]


class ConnectionType(BaseModel):
    """A kind of peering connection in one cloud, with its price an hour."""

    cloud_name: str
    price_usd: str


class ConnectionTypes(BaseModel):
    """All kinds of peering connections that a project or an organization can have."""

    vpc_peering_connection_types: list[ConnectionType]


class User(BaseModel):
    """The token's user, with the roles by project."""

    project_membership: dict[str, str] | None = None


class Me(BaseModel):
    """The answer of `GET /me`."""

    user: User
