"""Unrecorded peerings: this app's, but not in its registry; the API calls them `lost`. No I/O.

Each becomes the request that takes it over again, from what the clouds show. An option that no cloud shows is left out,
so it has the default. Only `setup-only` is guessed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from pydantic import ValidationError
from typing_extensions import TypedDict

from peering.aiven_vpc import AivenVpc, VpcNames
from peering.look import AccessLook, ApplicationLook, PrincipalLook, RoleLook, SecretLook, VNetLook
from peering.naming import (
    VNetId,
    earlier_peering_id,
    federated_credential_name,
    is_name_of_password,
    peering_id,
    unique_name,
)
from peering.request import PeeringRequest
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS, allowing, assignments_of, fits
from peering.sides import side_of
from peering.spec import Credential, Privilege, Role

_NETWORK_CONTRIBUTOR: Final[Role] = "Network Contributor"
_OF_SIDE: Final[tuple[Literal["allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways"], ...]] = (
    *("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways"),
)
_ROLE_NAMES: Final = ("platform_role_name", "user_role_name")
#: The states of a connection whose setup is not complete: the application's role is not removed before that.
_IN_SETUP: Final = frozenset({"APPROVED", "APPROVED_PEER_REQUESTED", "PENDING_PEER"})
_DAY: Final = timedelta(days=1)
#: Options by name; None if a cloud should show the option but does not.
_Shown: TypeAlias = dict[str, object]


class RequestOptions(TypedDict, total=False):
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


class LostRequest(VpcNames, RequestOptions):
    """The request for an unrecorded peering: the body of a start."""

    vnet_id: str


class Rebuilt(NamedTuple):
    """The request that takes a peering over again, and its options that no cloud shows: left out there, or guessed."""

    request: LostRequest
    not_shown: list[str]


class Connected(NamedTuple):
    """A connection in Aiven: the VPC with its ranges, the VNet as Aiven spells it, and the networks behind that."""

    vpc: AivenVpc
    vpc_cidr: str
    vnet_id: str
    application_id: str
    tenant_id: str | None
    state: str
    user_peer_network_cidrs: Sequence[str]

    @property
    def id(self) -> str:
        """The id of the pair's peering."""
        return peering_id(self.vpc.owner, self.vpc.id, self.vnet_id)

    @property
    def earlier_id(self) -> str:
        """The id that the peering has if an earlier version made it."""
        return earlier_peering_id(self.vpc.owner, self.vpc.id, self.vnet_id)


class Traces(NamedTuple):
    """What Azure shows of a peering; a part that is gone, or that could not be read, is None."""

    application: ApplicationLook
    secret: SecretLook | None
    vnet: VNetLook | None
    access: AccessLook | None
    user: PrincipalLook | None
    platform: PrincipalLook | None


def is_own(connection: Connected, application: ApplicationLook) -> bool:
    """Whether this app has a peering of the pair: it made the connection's application, or added a credential to it.

    A start does not find an application by the peering's earlier id: it adopts that one, like another owner's.
    """
    of_earlier_version = application["unique_name"] == unique_name(connection.earlier_id)
    return _is_made(connection, application) or of_earlier_version or _credential(connection, application) is not None


def _is_made(connection: Connected, application: ApplicationLook) -> bool:
    return application["unique_name"] == unique_name(connection.id)


def _credential(connection: Connected, application: ApplicationLook) -> Credential | None:
    """The kind of this app's credential on an application, by its name there.

    The vault need not show it: it may be unreadable or lost, and a failed rotation leaves its newest version disabled.
    """
    if any(is_name_of_password(name, connection.id) for name in application["password_names"]):
        return "secret"
    return "federated" if federated_credential_name(connection.id) in application["federated"] else None


def request_of(connection: Connected, traces: Traces) -> Rebuilt:
    """The request that takes a peering over again, and what no cloud shows of it.

    Args:
        connection: the peering's connection in Aiven.
        traces: what Azure shows of it.
    """
    vnet = traces.vnet
    pair = {**connection.vpc.names, "vnet_id": vnet["vnet_id"] if vnet else connection.vnet_id}
    shown = _of_application(connection, traces) | _of_side(connection, vnet) | _of_access(connection, traces)
    if connection.user_peer_network_cidrs:
        shown["user_peer_network_cidrs"] = list(connection.user_peer_network_cidrs)
    refused = _refused({**pair, **{name: value for name, value in shown.items() if value is not None}})
    options = {name: value for name, value in shown.items() if value is not None and name not in refused}
    not_shown = sorted(shown.keys() - options.keys())
    if "privilege" in not_shown and _looks_set_up(connection, traces):
        options["privilege"] = "setup-only"
    return Rebuilt(cast("LostRequest", {**pair, **options}), not_shown)


def _refused(request: Mapping[str, object]) -> set[str]:
    """The options that the rules of requests refuse, such as a name that was changed in a portal."""
    try:
        PeeringRequest.model_validate_json(json.dumps(request))
    except ValidationError as error:
        # Of the rules for a whole request, only the one about both roles' names can be broken here.
        return {str(name) for one in error.errors() for name in one["loc"][:1] or _ROLE_NAMES}
    return set()


def _of_application(connection: Connected, traces: Traces) -> _Shown:
    """Who owns the application, and what it signs in with."""
    application, credential = traces.application, _credential(connection, traces.application)
    made = _is_made(connection, application)
    shown: _Shown = {"application_name": application["name"] or None} if made else {"adopt": True}
    shown["credential"] = credential
    if credential != "federated":
        shown["secret_lifetime_days"] = _lifetime(traces.secret)
    return shown


def _of_side(connection: Connected, vnet: VNetLook | None) -> _Shown:
    """The name of the VNet's side, and its options that are on; off is the default."""
    side = side_of({}, vnet["peered_networks"], connection.vpc_cidr) if vnet is not None else None
    if side is None:
        return dict.fromkeys(("peering_name", *_OF_SIDE))
    return {"peering_name": side["name"], **{name: True for name in _OF_SIDE if side["options"][name]}}


def _lifetime(secret: SecretLook | None) -> int | None:
    """The days that a password lasts: it is stored as soon as it is made."""
    if secret is None or secret["created"] is None or secret["expires"] is None:
        return None
    lasts = datetime.fromisoformat(secret["expires"]) - datetime.fromisoformat(secret["created"])
    return max(1, round(lasts / _DAY))


def _of_access(connection: Connected, traces: Traces) -> _Shown:
    """The roles by the assignments on the VNet."""
    access, user = traces.access, traces.user
    shown: _Shown = {
        "platform_role_name": _only(_fitting(connection, access, traces.platform, PLATFORM_ACTIONS)),
    }
    if own := _fitting(connection, access, user, USER_ACTIONS):
        return {**shown, "user_role_name": _only(own)}
    if _NETWORK_CONTRIBUTOR in [role["name"] for role in _roles_of(access, user)]:
        return {**shown, "role": _NETWORK_CONTRIBUTOR}
    lacking: _Shown = dict.fromkeys(("role", "user_role_name"))
    if _is_made(connection, traces.application) and not _may(connection, access, user, USER_ACTIONS):
        lacking["privilege"] = None
    return {**shown, **lacking}


def _looks_set_up(connection: Connected, traces: Traces) -> bool:
    """Whether a created application without a role may have lost it to `setup-only`, after a complete setup.

    If the platform has no role either, something else removed the assignments.
    """
    complete = connection.state not in _IN_SETUP and traces.user is not None
    return complete and _may(connection, traces.access, traces.platform, PLATFORM_ACTIONS)


def _may(
    connection: Connected, access: AccessLook | None, principal: PrincipalLook | None, actions: Sequence[str]
) -> bool:
    """Whether a role is known that lets a principal do all of these actions on the VNet."""
    if access is None or principal is None:
        return False
    return allowing(access, principal["id"], actions, connection.vnet_id) is not None


def _fitting(
    connection: Connected, access: AccessLook | None, principal: PrincipalLook | None, actions: Sequence[str]
) -> set[str]:
    """The names of a principal's custom roles that grant exactly these actions, as this app makes them."""
    scope = VNetId.parse(connection.vnet_id).subscription_scope
    return {role["name"] for role in _roles_of(access, principal) if fits(role, actions, scope)}


def _only(names: set[str]) -> str | None:
    """The only name; None if there are several, because any of them may belong to another peering of the VNet."""
    return next(iter(names)) if len(names) == 1 else None


def _roles_of(access: AccessLook | None, principal: PrincipalLook | None) -> list[RoleLook]:
    if access is None or principal is None:
        return []
    held = (access["roles"].get(one["role"]) for one in assignments_of(access, principal["id"]))
    return [role for role in held if role is not None]
