"""Peerings that the registry has lost: what the clouds show of them, as the requests that take them over again. No I/O.

Nothing is guessed: an option that no cloud shows is left out, and a request without it has the default.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from typing_extensions import TypedDict

from peering.aiven_vpc import AivenVpc, VpcNames
from peering.look import AccessLook, ApplicationLook, PrincipalLook, RoleLook, SecretLook, VNetLook
from peering.naming import VNetId, federated_credential_name, is_name_of_password, peering_id, unique_name
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS, allowing, assignments_of, fits
from peering.sides import side_of
from peering.spec import Credential, Privilege, Role

_NETWORK_CONTRIBUTOR: Final[Role] = "Network Contributor"
_OF_SIDE: Final[tuple[Literal["allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways"], ...]] = (
    *("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways"),
)
_DAY: Final = timedelta(days=1)


class Options(TypedDict, total=False):
    """The options of a peering that the clouds show."""

    peering_name: str
    allow_forwarded_traffic: bool
    allow_gateway_transit: bool
    use_remote_gateways: bool
    role: Role
    user_peer_network_cidrs: list[str]
    secret_lifetime_days: int
    adopt: bool
    credential: Credential
    privilege: Privilege
    application_name: str
    platform_role_name: str
    user_role_name: str


class LostRequest(VpcNames, Options):
    """The request for a lost peering: the body of a start."""

    vnet_id: str


class Connected(NamedTuple):
    """A connection in Aiven: the VPC with its ranges, the VNet as Aiven spells it, and the networks behind that."""

    vpc: AivenVpc
    vpc_cidr: str
    vnet_id: str
    application_id: str
    user_peer_network_cidrs: Sequence[str]

    @property
    def id(self) -> str:
        """The id of the pair's peering."""
        return peering_id(self.vpc.owner, self.vpc.id, self.vnet_id)


class Traces(NamedTuple):
    """What Azure shows of a peering; a part that is gone, or that could not be read, is None."""

    application: ApplicationLook
    secret: SecretLook | None
    vnet: VNetLook | None
    access: AccessLook | None
    user: PrincipalLook | None
    platform: PrincipalLook | None


def is_own(connection: Connected, application: ApplicationLook) -> bool:
    """Whether this app has a peering of the pair: it made the connection's application, or added a credential to it."""
    return _is_made(connection, application) or _credential(connection, application) is not None


def _is_made(connection: Connected, application: ApplicationLook) -> bool:
    return application["unique_name"] == unique_name(connection.id)


def _credential(connection: Connected, application: ApplicationLook) -> Credential | None:
    """The kind of this app's credential on an application, by its name there.

    The vault need not show it: it may be unreadable or lost, and a failed rotation leaves its newest version disabled.
    """
    if any(is_name_of_password(name, connection.id) for name in application["password_names"]):
        return "secret"
    return "federated" if federated_credential_name(connection.id) in application["federated"] else None


def request_of(connection: Connected, traces: Traces) -> LostRequest:
    """The request that takes a peering over again."""
    vnet = traces.vnet
    options = _of_application(connection, traces)
    if connection.user_peer_network_cidrs:
        options["user_peer_network_cidrs"] = list(connection.user_peer_network_cidrs)
    if vnet is not None:
        options |= _of_side(connection, vnet)
    if traces.access is not None:
        options |= _of_access(connection, traces, traces.access)
    return {**connection.vpc.names, "vnet_id": vnet["vnet_id"] if vnet else connection.vnet_id, **options}


def _of_application(connection: Connected, traces: Traces) -> Options:
    """Whose the application is, and what it signs in with."""
    options, application = Options(), traces.application
    if not _is_made(connection, application):
        options["adopt"] = True
    elif application["name"]:
        options["application_name"] = application["name"]
    credential = _credential(connection, application)
    if credential is not None:
        options["credential"] = credential
    if credential == "secret" and (days := _lifetime(traces.secret)) is not None:
        options["secret_lifetime_days"] = days
    return options


def _of_side(connection: Connected, vnet: VNetLook) -> Options:
    """The name of the VNet's side, and its options that are on: those that are off are so by default."""
    side = side_of({}, vnet["peered_networks"], connection.vpc_cidr)
    if side is None:
        return {}
    options = Options(peering_name=side["name"])
    for name in _OF_SIDE:
        if side["options"][name]:
            options[name] = True
    return options


def _lifetime(secret: SecretLook | None) -> int | None:
    """The days that a password lasts: it is stored as soon as it is made."""
    if secret is None or secret["created"] is None or secret["expires"] is None:
        return None
    lasts = datetime.fromisoformat(secret["expires"]) - datetime.fromisoformat(secret["created"])
    return max(1, round(lasts / _DAY))


def _of_access(connection: Connected, traces: Traces, access: AccessLook) -> Options:
    """The roles by the assignments on the VNet. A created application without one has it only during setup."""
    options, user, platform = Options(), traces.user, traces.platform
    if platform is not None and (name := _role_name(connection, access, platform, PLATFORM_ACTIONS)) is not None:
        options["platform_role_name"] = name
    if user is None:
        return options
    if (name := _role_name(connection, access, user, USER_ACTIONS)) is not None:
        options["user_role_name"] = name
    elif _NETWORK_CONTRIBUTOR in [role["name"] for role in _roles_of(access, user)]:
        options["role"] = _NETWORK_CONTRIBUTOR
    elif (
        _is_made(connection, traces.application)
        and allowing(access, user["id"], USER_ACTIONS, connection.vnet_id) is None
    ):
        options["privilege"] = "setup-only"
    return options


def _role_name(
    connection: Connected, access: AccessLook, principal: PrincipalLook, actions: Sequence[str]
) -> str | None:
    """The name of a principal's custom role that grants exactly these actions, as this app makes it."""
    scope = VNetId.parse(connection.vnet_id).subscription_scope
    return next((role["name"] for role in _roles_of(access, principal) if fits(role, actions, scope)), None)


def _roles_of(access: AccessLook, principal: PrincipalLook) -> list[RoleLook]:
    held = (access["roles"].get(one["role"]) for one in assignments_of(access, principal["id"]))
    return [role for role in held if role is not None]
