"""What a caller asks for, and what it becomes for the steps once it is known to be sound."""

from ipaddress import IPv4Network
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from peering.naming import VNetId, peering_id
from peering.spec import Peering, Role


def _vnet_id(text: str) -> str:
    return str(VNetId.parse(text))


def _cidr(text: str) -> str:
    network = IPv4Network(text)
    if not network.is_private:
        raise ValueError("must be a private IPv4 network; Aiven routes no public ones through a peering")
    return str(network)


_Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f<>%&\\?/]+$")]


class PeeringRequest(BaseModel):
    """The body of `POST /api/peerings`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    project: Annotated[
        str,
        Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$", description="The Aiven project that owns the project VPC."),
    ]
    project_vpc_id: Annotated[UUID, Field(description="The project VPC's id, as `avn vpc list` prints it.")]
    vnet_id: Annotated[str, AfterValidator(_vnet_id), Field(description="The ARM id of the VNet to peer.")]
    peering_name: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$", description="The VNet peering's name."),
    ] = None
    allow_forwarded_traffic: Annotated[
        bool, Field(description="Accept traffic that an appliance forwards from the project VPC's side.")
    ] = False
    allow_gateway_transit: Annotated[
        bool, Field(description="Let the project VPC's network use the VNet's gateways.")
    ] = False
    use_remote_gateways: Annotated[bool, Field(description="Use gateways of the project VPC's network.")] = False
    role: Annotated[
        Role, Field(description="What the created application may do on the VNet (the article's step 6).")
    ] = "least-privilege"
    user_peer_network_cidrs: Annotated[
        list[Annotated[str, AfterValidator(_cidr)]],
        Field(max_length=16, description="Private networks behind the VNet that services have to reach."),
    ] = []
    secret_lifetime_days: Annotated[
        int, Field(ge=1, le=730, description="Days until the application's password expires.")
    ] = 180
    application_name: Annotated[_Name | None, Field(description="The display name of the created application.")] = None
    platform_role_name: Annotated[
        _Name | None, Field(description="The custom role that lets the platform peer with the VNet (step 8).")
    ] = None
    user_role_name: Annotated[
        _Name | None, Field(description="The custom role of the created application, with `least-privilege`.")
    ] = None

    @model_validator(mode="after")
    def _one_side_has_the_gateway(self) -> Self:
        if self.allow_gateway_transit and self.use_remote_gateways:
            raise ValueError("allow_gateway_transit and use_remote_gateways exclude each other: choose one")
        return self

    def peering(self) -> Peering:
        """The peering that this request describes, with every name settled."""
        vnet = VNetId.parse(self.vnet_id)
        vpc = str(self.project_vpc_id)
        identity = peering_id(self.project, vpc, self.vnet_id)
        return Peering(
            id=identity,
            project=self.project,
            project_vpc_id=vpc,
            vnet_id=self.vnet_id,
            peering_name=self.peering_name or f"aiven-{vpc}",
            allow_forwarded_traffic=self.allow_forwarded_traffic,
            allow_gateway_transit=self.allow_gateway_transit,
            use_remote_gateways=self.use_remote_gateways,
            role=self.role,
            user_peer_network_cidrs=self.user_peer_network_cidrs,
            secret_lifetime_days=self.secret_lifetime_days,
            application_name=self.application_name or f"Aiven peering {vnet.name} {identity[:8]}",
            # A role's name is unique in its tenant, so the defaults name the subscription they serve.
            platform_role_name=self.platform_role_name or f"Aiven VNet peering (platform) {vnet.subscription_id}",
            user_role_name=self.user_role_name or f"Aiven VNet peering (application) {vnet.subscription_id}",
        )
