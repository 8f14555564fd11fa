"""The facts that steps collect about a peering and pass on, by name: ids, states, names. Plain JSON, never a secret."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, NotRequired, TypeVar, cast

from typing_extensions import TypedDict

from peering.problems.codes import ProblemCode
from peering.spec import Credential, Privilege
from peering.step_names import StepName

Thing = TypeVar("Thing")


#: Whose connection Aiven lists: nobody's, this peering's own, one that is to be taken over, another owner's.
Existing = Literal["none", "ours", "adopted", "foreign"]
#: That of a connection which the app has made or taken over.
OWN: Final[frozenset[Existing]] = frozenset({"ours", "adopted"})


class VNetPeering(TypedDict):
    """One peering of a VNet, from the VNet's side. `options` have the names of a `Peering`."""

    id: str
    name: str
    remote_id: str
    state: str
    sync_level: str
    provisioning_state: str
    options: dict[str, bool]
    prefixes: list[str]


class AssignmentLook(TypedDict):
    """A role assignment. `role` is the role definition's GUID."""

    id: str
    scope: str
    role: str
    principal_id: str
    condition: NotRequired[str]


class Neighbours(TypedDict):
    """Other users of a peering's shared objects: another peering of the VNet, the names of roles in use, any other.

    The names are those that peerings of the VNet need, and those that any peering of its subscription needs.
    """

    on_vnet: bool
    roles_on_vnet: list[str]
    roles: list[str]
    any: bool


class SurplusRight(TypedDict):
    """A role or an assignment that a start removes: the step that does it, what it is, and its ARM id."""

    step: StepName
    name: str
    id: str


class WantedRotation(TypedDict):
    """The input of a rotation: the run's id, and the kind of credential."""

    run: str
    credential: Credential


class CredentialFacts(TypedDict, total=False):
    """The credential that the created application signs in with; for a federated one, the kind is sufficient.

    `secret_version` is the version in Key Vault, `secret_key_id` the password's in Entra, `secret_expires` ISO 8601.
    """

    credential: Credential
    secret_name: str | None
    secret_version: str | None
    secret_key_id: str | None
    secret_expires: str | None


class ConnectionRefusal(TypedDict):
    """Why Aiven has refused a connection: a problem's code and detail."""

    code: ProblemCode
    detail: str


class ApplicationChange(TypedDict):
    """A part of the application that a start changes: its name, or a sign-in audience that prevents the peering."""

    option: Literal["application_name", "sign_in_audience"]
    old: str | None
    new: str


class Facts(CredentialFacts, total=False):
    """All facts. `peering.steps` says which step yields which; the others are inputs of the steps.

    A fact that is None says that there is no such object.
    """

    # Of the app's own identity and the customer's tenant.
    automation_tenant_id: str
    automation_object_id: str
    tenant_id: str
    # Of the project VPC and the VNet as they were found.
    cloud_name: str
    project_network_cidr: str
    found_connection_state: str | None
    found_connection_application_id: str | None
    ended_connection_listed: bool
    # Whether Aiven lists another application's connection to the VNet beside the peering's own.
    is_beside_anothers: bool
    vnet_id: str
    address_prefixes: list[str]
    side_is_lost: bool
    peered_networks: list[VNetPeering]
    # The results of the preflight: texts are warnings.
    existing: Existing
    found: list[StepName]
    # What a start changes of the application that exists.
    application_changes: list[ApplicationChange]
    addresses_checked: str
    rights_checked: list[str] | str
    conditions_checked: list[str]
    limits_checked: list[str]
    holds_checked: list[str]
    password_policy_checked: list[str] | str
    hourly_price_usd: str | None
    surplus_found: list[SurplusRight]
    connection_is_clear: str
    side_is_clear: str
    vnet_is_clear: str
    # The switches of a side that was deleted, until the new one has them.
    side_switches: dict[str, bool] | None
    # What the steps have created.
    application_id: str | None
    application_object_id: str | None
    # The name that a start has last given to it.
    application_named: str
    user_principal_id: str | None
    user_role_id: str
    user_role_assignment_id: str | None
    user_rights: Privilege
    platform_principal_id: str | None
    platform_role_id: str
    platform_role_assignment_id: str | None
    rights_settled: Literal["none but those that the start gives", "as requested", "not removed", "taken over"]
    rights_kept: str | None
    requested_connection_state: str
    user_peer_network_cidrs: list[str]
    to_tenant_id: str | None
    to_network_id: str
    vnet_peering_id: str
    peering_state: str
    peering_sync_level: str
    in_sync: str
    connection_state: str
    # Of a rotation.
    rotation: WantedRotation
    candidate: CredentialFacts
    credential_proven: list[str]
    # Of a removal.
    role_names: list[str]
    neighbours: Neighbours
    assignments_there: list[AssignmentLook]
    connection_to_remove: str | None
    vnet_peering_to_remove: str
    connection_removed: str
    vnet_peering_removed: str
    role_assignments_removed: list[str]
    roles_removed: list[str]
    application_removed: str
    platform_principal_removed: str
    secret_removed: str
    seen_gone: str
    # The orchestrator's inputs for a step.
    repairing: bool
    tries: int
    waited: float
    looked_at: str
    waits_since: str
    # Names the call of the step; a second delivery of the same call has the same.
    call: str
    # What an earlier poll of the same wait has seen.
    refusal: ConnectionRefusal
    seen_switches: dict[str, bool]


#: The names of all facts.
FactName = Literal[
    "credential",
    "secret_name",
    "secret_version",
    "secret_key_id",
    "secret_expires",
    "automation_tenant_id",
    "automation_object_id",
    "tenant_id",
    "cloud_name",
    "project_network_cidr",
    "found_connection_state",
    "found_connection_application_id",
    "ended_connection_listed",
    "is_beside_anothers",
    "vnet_id",
    "address_prefixes",
    "side_is_lost",
    "peered_networks",
    "existing",
    "found",
    "application_changes",
    "addresses_checked",
    "rights_checked",
    "conditions_checked",
    "limits_checked",
    "holds_checked",
    "password_policy_checked",
    "hourly_price_usd",
    "surplus_found",
    "connection_is_clear",
    "side_is_clear",
    "vnet_is_clear",
    "side_switches",
    "application_id",
    "application_object_id",
    "application_named",
    "user_principal_id",
    "user_role_id",
    "user_role_assignment_id",
    "user_rights",
    "platform_principal_id",
    "platform_role_id",
    "platform_role_assignment_id",
    "rights_settled",
    "rights_kept",
    "requested_connection_state",
    "user_peer_network_cidrs",
    "to_tenant_id",
    "to_network_id",
    "vnet_peering_id",
    "peering_state",
    "peering_sync_level",
    "in_sync",
    "connection_state",
    "rotation",
    "candidate",
    "credential_proven",
    "role_names",
    "neighbours",
    "assignments_there",
    "connection_to_remove",
    "vnet_peering_to_remove",
    "connection_removed",
    "vnet_peering_removed",
    "role_assignments_removed",
    "roles_removed",
    "application_removed",
    "platform_principal_removed",
    "secret_removed",
    "seen_gone",
    "repairing",
    "tries",
    "waited",
    "looked_at",
    "waits_since",
    "call",
    "refusal",
    "seen_switches",
]


def _collected(values: Mapping[str, object]) -> Facts:
    """Facts whose names are only known at run time."""
    return cast("Facts", {**values})


def of_credential(credential: CredentialFacts) -> Facts:
    """A credential's facts, to be used as that of the peering."""
    return _collected(credential)


def only(facts: Facts, names: Collection[FactName]) -> Facts:
    """The facts with some names, as far as they exist."""
    return _collected({name: value for name, value in facts.items() if name in names})


def without(facts: Facts, names: Collection[FactName]) -> Facts:
    """The facts with all other names."""
    return _collected({name: value for name, value in facts.items() if name not in names})


def named(facts: Facts, name: FactName) -> str | None:
    """The text of a fact whose name is only known at run time; None if there is none."""
    value = facts.get(name)
    return value if isinstance(value, str) else None


def needed(fact: Thing | None) -> Thing:
    """A fact that must exist.

    Raises:
        TypeError: it is None; a step must not be started then.
    """
    if fact is None:
        raise TypeError("a fact that a step needs is None")
    return fact
