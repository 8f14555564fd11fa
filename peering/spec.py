"""What a peering is to be: the words that orchestrators and activities share. Plain JSON, without a secret."""

from typing import Literal, TypedDict

Role = Literal["least-privilege", "Network Contributor"]


class Deadlines(TypedDict):
    """How long a step may go on waiting, in seconds, by what it waits for."""

    propagation: float
    platform: float


class Peering(TypedDict):
    """One peering as orchestrators and activities know it: plain JSON, without a secret."""

    id: str
    project: str
    project_vpc_id: str
    vnet_id: str
    peering_name: str
    allow_forwarded_traffic: bool
    allow_gateway_transit: bool
    use_remote_gateways: bool
    role: Role
    user_peer_network_cidrs: list[str]
    secret_lifetime_days: int
    application_name: str
    platform_role_name: str
    user_role_name: str
