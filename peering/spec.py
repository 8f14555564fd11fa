"""The specification of a peering, shared by orchestrators and activities. Plain JSON, without a secret."""

from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import VpcNames

Role = Literal["least-privilege", "Network Contributor"]
#: What the created application signs in with: a password in Key Vault, or the app's own managed identity instead.
Credential = Literal["secret", "federated"]
#: Whether the created application keeps its role on the VNet, or has it only during setup and repair.
Privilege = Literal["standing", "setup-only"]
Repair = Literal["off", "safe"]
OnFailure = Literal["keep", "rollback"]


class Deadlines(TypedDict):
    """How long a step may wait, in seconds, by what it waits for."""

    propagation: float
    platform: float


class Peering(VpcNames):
    """One peering as orchestrators and activities know it: plain JSON, without a secret. One pair names Aiven's VPC.

    An option of the VNet peering that is None is off in a new peering, and unchanged in an existing one.
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


#: The options of what an adopted peering has already: its owner's application and roles.
OF_ITS_OWNER: Final = ("application_name", "role", "user_role_name", "platform_role_name")


class Caller(TypedDict):
    """Who asked, as Azure Functions gives it: a signed-in identity, or the holder of the function key."""

    name: str
    id: str | None


class Fence(TypedDict):
    """The order and execution that an activity serves, and until when that execution counts as alive.

    `trace` is the parent of the activity's spans, a W3C `traceparent`.
    """

    id: str
    run: str
    execution: str
    alive_until: str
    trace: NotRequired[str]
