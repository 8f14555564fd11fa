"""A snapshot of the remote services, as input of verdicts, diagnoses and reports: plain JSON.

Each part of a look was either read, and is found or absent, or it could not be read. Code must check which before it
uses a part: mypy enforces the check.
"""

from typing import Final, Generic, Literal, TypeAlias, TypeVar, final

from typing_extensions import TypedDict

from peering.facts import AssignmentLook, VNetPeering
from peering.outcome import Occurrence

Thing = TypeVar("Thing")


@final
class Seen(TypedDict, Generic[Thing]):
    """A part of a look that was read: `found` is None if the object is absent."""

    found: Thing | None


@final
class Unseen(TypedDict):
    """A part of a look that could not be read, and the `problem` that prevented it."""

    problem: Occurrence


Part: TypeAlias = Seen[Thing] | Unseen


def if_seen(part: Part[Thing]) -> Thing | None:
    """The contents of a part, for callers that draw no conclusion from its absence."""
    return None if "problem" in part else part["found"]


class ConnectionLook(TypedDict):
    """A peering connection as Aiven lists it."""

    account: str
    resource_group: str
    vnet: str
    application_id: str | None
    tenant_id: str | None
    state: str
    message: str | None


class VpcLook(TypedDict):
    """A VPC in Aiven with its connections; `network_cidr` holds all its ranges, separated by commas."""

    cloud_name: str
    network_cidr: str
    state: str
    connections: list[ConnectionLook]


class VNetLook(TypedDict):
    """A VNet and its peerings."""

    vnet_id: str
    provisioning_state: str
    address_prefixes: list[str]
    peered_networks: list[VNetPeering]


class RoleLook(TypedDict):
    """A role definition: what it grants, on resources and on their data, and whether it excludes an action."""

    name: str
    actions: list[str]
    data_actions: list[str]
    takes_away: bool
    scopes: list[str]


class AccessLook(TypedDict):
    """The role assignments of some principals in force on a VNet, and the roles that they name, by GUID.

    `elsewhere` are their assignments on other scopes of its subscription, as far as the app may look.
    """

    assignments: list[AssignmentLook]
    elsewhere: list[AssignmentLook]
    roles: dict[str, RoleLook]


#: The audiences of an application that is known in its own tenant alone, and of one that others can know.
OWN_TENANT_ONLY: Final = "AzureADMyOrg"
MULTI_TENANT: Final = "AzureADMultipleOrgs"


class ApplicationLook(TypedDict):
    """An application with its passwords, by key id, each with its end, and the names of all its credentials."""

    application_id: str
    object_id: str
    name: str | None
    unique_name: str | None
    audience: str
    passwords: dict[str, str | None]
    password_names: list[str]
    federated: list[str]


class PrincipalLook(TypedDict):
    """A service principal in the customer's tenant. `marked`: this app created it."""

    id: str
    application_id: str
    enabled: bool
    marked: bool


class SecretLook(TypedDict):
    """The newest version of a secret; times are ISO 8601."""

    enabled: bool
    created: str | None
    expires: str | None
    key_id: str | None


class Look(TypedDict):
    """All that is known of one peering at one moment."""

    project_vpc: Part[VpcLook]
    vnet: Part[VNetLook]
    access: Part[AccessLook]
    application: Part[ApplicationLook]
    user_principal: Part[PrincipalLook]
    platform_principal: Part[PrincipalLook]
    secret: Part[SecretLook]


#: The parts of a look.
_PARTS: Final[
    tuple[
        Literal["project_vpc", "vnet", "access", "application", "user_principal", "platform_principal", "secret"], ...
    ]
] = ("project_vpc", "vnet", "access", "application", "user_principal", "platform_principal", "secret")


def unseen_of(look: Look) -> dict[str, Occurrence]:
    """The unread parts of a look, each with the problem that prevented the read.

    Args:
        look: the look.
    """
    return {name: part["problem"] for name in _PARTS if "problem" in (part := look[name])}
