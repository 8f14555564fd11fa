"""The body of a request, and the peering that the steps get once it is validated."""

import unicodedata
from ipaddress import IPv4Network
from itertools import chain
from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict

from peering.aiven_vpc import NAMES, AivenVpc
from peering.labels import Labels, Note
from peering.naming import VNetId, default_role_names, folded, peering_id
from peering.spec import Credential, OnFailure, Peering, Privilege, Repair, Role


def _vnet_id(text: str) -> str:
    return str(VNetId.parse(text))


#: Networks that are routed privately (RFC 1918, RFC 6598).
_PRIVATE = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


def _cidr(text: str) -> str:
    network = IPv4Network(text)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise ValueError("must be a private IPv4 network; Aiven routes no others through a peering")
    return str(network)


def _plain(text: str) -> str:
    """A name that is displayed as it is, in a terminal, a table or a document."""
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in text):
        raise ValueError("must not contain control characters, line separators or writing direction marks")
    if text != text.strip() or text[0] in "=+-@":
        raise ValueError("must not begin with a space or one of = + - @, nor end with a space")
    return text


#: The spelling of the owner of a VPC in Aiven.
_OWNER = r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$"
_Name = Annotated[
    str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f<>%&\\?/\[\]`|]+$"), AfterValidator(_plain)
]


def _one_pair(schema: JsonDict) -> None:
    """Say in the JSON schema that exactly one pair names Aiven's VPC.

    Generators of clients make one class of this, and two of `oneOf`.
    """
    every = set(chain(*NAMES.values()))
    pairs: dict[str, JsonDict] = {
        kind: {
            "required": list(pair),
            "properties": {name: {"type": "string" if name in pair else "null"} for name in sorted(every)},
        }
        for kind, pair in NAMES.items()
    }
    schema |= {"if": {"not": pairs["organization"]}, "then": pairs["project"]}


class PeeringRequest(BaseModel):
    """The body of `POST /api/peerings`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra=_one_pair)

    project: Annotated[
        str | None, Field(pattern=_OWNER, description="The Aiven project that owns the project VPC.")
    ] = None
    project_vpc_id: Annotated[UUID | None, Field(description="The project VPC's id, as `avn vpc list` prints it.")] = (
        None
    )
    organization_id: Annotated[
        str | None, Field(pattern=_OWNER, description="The Aiven organization whose projects share the VPC.")
    ] = None
    organization_vpc_id: Annotated[
        UUID | None, Field(description="The organization VPC's id, as `avn organization vpc list` prints it.")
    ] = None
    vnet_id: Annotated[str, AfterValidator(_vnet_id), Field(description="The ARM id of the VNet to peer.")]
    peering_name: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$", description="The VNet peering's name."),
    ] = None
    allow_forwarded_traffic: Annotated[
        bool | None, Field(description="Accept traffic that an appliance forwards from the project VPC's side.")
    ] = None
    allow_gateway_transit: Annotated[
        bool | None, Field(description="Let the project VPC's network use the VNet's gateways.")
    ] = None
    use_remote_gateways: Annotated[bool | None, Field(description="Use gateways of the project VPC's network.")] = None
    role: Annotated[
        Role, Field(description="The role of the created application on the VNet (step 6 of the help article).")
    ] = "least-privilege"
    user_peer_network_cidrs: Annotated[
        list[Annotated[str, AfterValidator(_cidr)]],
        Field(max_length=16, description="Private networks behind the VNet that services must reach."),
    ] = []
    secret_lifetime_days: Annotated[
        int, Field(ge=1, le=730, description="Days until the application's password expires.")
    ] = 180
    adopt: Annotated[
        bool, Field(description="Take over an existing connection of another owner for the pair, unchanged.")
    ] = False
    credential: Annotated[
        Credential, Field(description="What the application signs in with: a password, or the app's managed identity.")
    ] = "secret"
    privilege: Annotated[
        Privilege, Field(description="`setup-only`: the application's role is removed once the peering is ACTIVE.")
    ] = "standing"
    repair: Annotated[Repair, Field(description="Whether drift is repaired where that is safe.")] = "safe"
    on_failure: Annotated[
        OnFailure,
        Field(
            validation_alias=AliasChoices("on_failure", "onFailure"),
            description="What happens to the objects of a failed start: kept, to resume it, or removed.",
        ),
    ] = "keep"
    application_name: Annotated[_Name | None, Field(description="The display name of the created application.")] = None
    platform_role_name: Annotated[
        _Name | None, Field(description="The custom role that lets the platform peer with the VNet (step 8).")
    ] = None
    user_role_name: Annotated[
        _Name | None, Field(description="The custom role of the created application, with `least-privilege`.")
    ] = None
    labels: Labels = {}
    note: Note = ""

    @field_validator("privilege")
    @classmethod
    def _what_is_taken_over_keeps_its_role(cls, privilege: Privilege, info: ValidationInfo) -> Privilege:
        if privilege == "setup-only" and info.data.get("adopt"):
            raise ValueError("setup-only would remove a role that adopt has found: choose one of the two")
        return privilege

    @model_validator(mode="after")
    def _one_side_has_the_gateway(self) -> Self:
        if self.allow_gateway_transit and self.use_remote_gateways:
            raise ValueError("allow_gateway_transit and use_remote_gateways exclude each other: choose one")
        return self

    @model_validator(mode="after")
    def _one_pair_names_the_vpc(self) -> Self:
        given = [[name for name in pair if getattr(self, name) is not None] for pair in NAMES.values()]
        if sorted(map(len, given)) != [0, 2]:
            pairs = ", or ".join(" and ".join(pair) for pair in NAMES.values())
            raise ValueError(f"exactly one pair must name Aiven's VPC: {pairs}")
        return self

    @model_validator(mode="after")
    def _the_custom_roles_have_two_names(self) -> Self:
        if len({folded(name) for name in self._role_names.values()}) == 1:
            raise ValueError(
                "platform_role_name and user_role_name must differ by more than case, defaults included, or Azure has"
                " one role for both: choose another name for one"
            )
        return self

    @property
    def _role_names(self) -> dict[str, str]:
        """The names of both custom roles: the requested one, or the default."""
        defaults = default_role_names(VNetId.parse(self.vnet_id).subscription_id)
        return {name: getattr(self, name) or default for name, default in defaults.items()}

    @property
    def vpc(self) -> AivenVpc:
        """The requested VPC in Aiven."""
        return AivenVpc.of(self.model_dump(mode="json", include=set(chain(*NAMES.values())), exclude_none=True))

    def peering(self) -> Peering:
        """The peering that this request describes, with every name resolved."""
        vnet, vpc, roles = VNetId.parse(self.vnet_id), self.vpc, self._role_names
        identity = peering_id(vpc.owner, vpc.id, self.vnet_id)
        return Peering(
            id=identity,
            **vpc.names,
            vnet_id=self.vnet_id,
            peering_name=self.peering_name or f"aiven-{vpc.id}",
            allow_forwarded_traffic=self.allow_forwarded_traffic,
            allow_gateway_transit=self.allow_gateway_transit,
            use_remote_gateways=self.use_remote_gateways,
            role=self.role,
            user_peer_network_cidrs=self.user_peer_network_cidrs,
            secret_lifetime_days=self.secret_lifetime_days,
            adopt=self.adopt,
            credential=self.credential,
            privilege=self.privilege,
            repair=self.repair,
            on_failure=self.on_failure,
            application_name=self.application_name or f"Aiven peering {vnet.name} {identity[:8]}",
            platform_role_name=roles["platform_role_name"],
            user_role_name=roles["user_role_name"],
        )
