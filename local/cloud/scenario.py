"""How a local cloud is set up and how it behaves: its knobs, read from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from local.cloud.server.broken_answers import Breach

SCENARIOS: Final = Path(__file__).parent / "scenarios"

Seconds = Annotated[float, Field(ge=0)]


class Fault(BaseModel):
    """The next `times` requests that fit get an error instead of an answer, or no answer at all."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(".*", description="A pattern that the whole host name has to match.")
    method: str = Field(".*", description="A pattern for the method.")
    path: str = Field(".*", description="A pattern that is searched for in the path.")
    status: int = 503
    code: str = "ServiceUnavailable"
    retry_after: int | None = None
    times: int = 1
    skip: int = Field(0, description="So many requests that fit are answered well first.")
    body: JsonValue = Field(
        None, description="The answer's document in place of the service's own; a text is sent as a page of HTML."
    )
    without: str = Field("", description="The name of a part that is taken out of the service's good answer.")
    echo: bool = Field(default=False, description="The answer's text repeats the request: its headers and its body.")
    headers: dict[str, str] = Field({}, description="Further headers.")
    breach: Breach | None = Field(None, description="What becomes of the answer on its way; the status has no effect.")
    after: bool = Field(default=False, description="Carry the request out, then lose the answer.")


class Scenario(BaseModel):
    """The knobs of a local cloud. Durations are seconds of the cloud's clock, unless they say something else."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    directory_visible: Seconds = Field(0, description="Until a new application or service principal is replicated.")
    role_effective: Seconds = Field(0, description="Until a new role assignment takes effect.")
    secret_accepted: Seconds = Field(0, description="Until a new password is accepted.")
    federated_miss_kept: Seconds = Field(
        0, description="How long Entra remembers that no federated credential fitted an assertion."
    )
    operation: Seconds = Field(0, description="How long a long-running ARM operation takes.")
    retry_after: Annotated[int, Field(ge=0)] = Field(
        10, description="The seconds that ARM asks to wait for an operation."
    )
    approved: Seconds = Field(0, description="How long a connection stays APPROVED.")
    detect: Seconds = Field(0, description="Until the platform sees a change of the customer's side.")
    deleted: Seconds = Field(0, description="How long a connection stays DELETING.")
    deleted_listed: Seconds = Field(0, description="How long a connection that is DELETED is listed still.")
    list_stale: Seconds = Field(
        0, description="Until ARM's lists show new VNet peerings and role assignments, and leave deleted peerings out."
    )
    role_definitions_stale: Seconds = Field(
        0,
        description="Until ARM shows a new custom role, in lists and alone, and does not show a deleted one any more.",
    )
    list_blind: Annotated[int, Field(ge=0)] = Field(0, description="The next so many lists of VNet peerings are empty.")
    table_empty_pages: Annotated[int, Field(ge=0)] = Field(
        0, description="The next so many pages of table entities are empty, and say where to go on."
    )
    aiven_listed: Seconds = Field(0, description="Until a new connection shows in its project VPC.")
    secret_deleted: Seconds = Field(0, description="Until a deleted secret shows as such, and can be recovered.")
    outcome: Literal["", "INVALID_SPECIFICATION", "REJECTED_BY_PEER", "DELETED_BY_PEER", "ERROR"] = Field(
        "", description="The state that the platform ends in instead of PENDING_PEER."
    )
    null_state_info: bool = Field(default=False, description="Aiven leaves state_info out once it is ACTIVE.")
    latency: Seconds = Field(
        0, description="Seconds of the machine's time that every request takes, but for those to tables."
    )
    table_latency: Seconds = Field(0, description="Seconds of the machine's time that a request to a table takes.")
    round_trip: Seconds = Field(
        0, description="Seconds of the machine's time to a host and back: a new connection takes two of them."
    )
    aiven_role: Literal["admin", "operator", "developer", "read_only"] = Field(
        "operator", description="The role of the Aiven token's user in the project."
    )
    organization_permission: Literal["write", "read", "none"] = Field(
        "write", description="Which organization:networking permission the Aiven token's user has."
    )
    organization_paths: Literal["singular", "plural", "both"] = Field(
        "singular",
        description="How the paths of organization VPCs are spelled: as since May 2026, as before, or both.",
    )
    organization_unknown: Literal["named", "bare", "page", "retired"] = Field(
        "named",
        description="What Aiven says on a path that it does not have, and of an organization VPC that is not there:"
        " a route's refusal beside one that names the VPC, the same bare 404 for both, a page, or that it is retired.",
    )
    organization_repeat: Literal["same", "conflict", "another"] = Field(
        "conflict",
        description="What the second request for a connection of an organization VPC comes to: the same connection, a"
        " failed one restarted; a refusal; or another connection.",
    )
    organization_network_told: bool = Field(
        default=True, description="The state_info of an organization VPC's connection says where its network is."
    )
    organization_vpcs_in_projects: Literal["hidden", "organization_vpc_id", "project_vpc_id"] = Field(
        "hidden",
        description="Whether a project's list of VPCs shows those of organizations, too, and what it calls their ids.",
    )
    organization_connection_ids: bool = Field(
        default=True, description="An organization VPC shows the ids of its connections."
    )
    unknown_application_refused: bool = Field(
        default=False, description="Aiven refuses a connection at once whose application it does not know."
    )
    price_usd: str = Field("0.05", description="What a peering connection costs per hour.")
    aiven_requests_per_minute: int | None = Field(None, description="Aiven's rate limit; none by default.")
    vault_requests_per_10_seconds: int | None = Field(None, description="A Key Vault's limit; none by default.")
    arm_limits: Annotated[float, Field(ge=0.01)] | None = Field(
        None, description="How many times ARM's documented limits, and its network provider's, hold; none by default."
    )
    graph_tenant_size: Literal["S", "M", "L"] | None = Field(
        None, description="Graph's limits are those of a tenant of this size; none by default."
    )
    list_page: Annotated[int, Field(ge=0)] = Field(
        0, description="How many things a page of ARM's lists and a vault's holds; 0: all of ARM's, 25 of a vault's."
    )
    faults: list[Fault] = []
    vnets: Annotated[int, Field(ge=1, le=5000)] = Field(3, description="How many VNets the customer has.")
    subscriptions: Annotated[int, Field(ge=1, le=10)] = Field(
        1, description="How many subscriptions the customer has; the VNets are dealt out to them in turn."
    )
    project_vpcs: Annotated[int, Field(ge=1, le=250)] = Field(1, description="How many project VPCs there are.")
    vpcs_of: Literal["project", "organization", "both"] = Field(
        "project", description="Whether so many VPCs are of projects, of an organization, or as many of each."
    )
    projects: Annotated[int, Field(ge=1, le=50)] = Field(
        1, description="How many Aiven projects there are; the project VPCs are dealt out to them in turn."
    )
    established: Annotated[int, Field(ge=0)] = Field(
        0, description="How many of the VNets are peered at the beginning, when `python -m local.cloud` serves them."
    )
    overlapping: bool = Field(default=False, description="The first VNet's addresses overlap the project VPC's.")
    graph_role: Literal["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Application.Read.All", ""] = (
        Field("Application.ReadWrite.All", description="The Graph permission of the automation identity.")
    )
    owned_list_forbidden: bool = Field(
        default=False, description="With Application.ReadWrite.OwnedBy alone, Graph lists no applications."
    )
    upsert_without_owner: bool = Field(
        default=False, description="An application that an upsert makes has no owner, as seen with OwnedBy."
    )
    graph_policy_read: bool = Field(default=False, description="It may read the app management policy, too.")
    password_lifetime_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How long the tenant's policy lets an application's password live."
    )
    password_addition_forbidden: bool = Field(default=False, description="The policy forbids new passwords.")
    multi_tenant_forbidden: bool = Field(default=False, description="The policy forbids multi-tenant applications.")
    role_assignment_limit: Annotated[int, Field(ge=0)] = Field(4000, description="Role assignments of a subscription.")
    peering_limit: Annotated[int, Field(ge=0)] = Field(500, description="Peerings of a VNet.")
    platform_principal: bool = Field(
        default=False, description="An administrator has made the platform's service principal before."
    )
    cloud: Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"] = "AzureCloud"


class ScenarioError(Exception):
    """The scenario does not exist, or a knob of it is unknown or has a value that it cannot have."""


def load_scenario(name: str) -> Scenario:
    """The scenario of a name, or of a TOML file.

    Raises:
        ScenarioError: see there; the message names the knob.
    """
    path = Path(name) if name.endswith(".toml") else SCENARIOS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in SCENARIOS.glob("*.toml")))
        raise ScenarioError(f"there is no scenario {name}; choose one of {known}, or the path of a .toml file")
    return scenario_of(tomllib.loads(path.read_text()))


def scenario_of(knobs: dict[str, object], base: Scenario | None = None) -> Scenario:
    """A scenario with these knobs, the others as in `base`.

    Raises:
        ScenarioError: see there.
    """
    try:
        return Scenario.model_validate({**(base.model_dump() if base else {}), **knobs})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ScenarioError(wrong) from None
