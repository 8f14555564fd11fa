"""What a peering is to be: the words that orchestrators and activities share. Plain JSON, without a secret."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import VpcNames

Role = Literal["least-privilege", "Network Contributor"]
#: What the created application signs in with: a password in Key Vault, or the app's own managed identity in its place.
Credential = Literal["secret", "federated"]
#: Whether the created application keeps its role on the VNet, or has it only while something is set up or repaired.
Privilege = Literal["standing", "setup-only"]
Repair = Literal["off", "safe"]
OnFailure = Literal["keep", "rollback"]


class Deadlines(TypedDict):
    """How long a step may go on waiting, in seconds, by what it waits for."""

    propagation: float
    platform: float


class Peering(VpcNames):
    """One peering as orchestrators and activities know it: plain JSON, without a secret. One pair names Aiven's VPC.

    An option of the VNet peering that is None is off when the peering is made, and left as it is when it is found.
    """

    id: str
    vnet_id: str
    peering_name: str
    allow_forwarded_traffic: bool | None
    allow_gateway_transit: bool | None
    use_remote_gateways: bool | None
    role: Role
    user_peer_network_cidrs: list[str]
    secret_lifetime_days: int
    application_name: str
    platform_role_name: str
    user_role_name: str
    adopt: bool
    credential: Credential
    privilege: Privilege
    repair: Repair
    on_failure: OnFailure


class Caller(TypedDict):
    """Who asked, as Azure Functions gives it: a signed-in identity, or whoever holds the function key."""

    name: str
    id: str | None


class Fence(TypedDict):
    """Whose order and which execution an activity works for, and until when that is alive without another sign.

    `trace` is what the spans of the activity go on from, a W3C `traceparent`.
    """

    id: str
    run: str
    execution: str
    alive_until: str
    trace: NotRequired[str]
