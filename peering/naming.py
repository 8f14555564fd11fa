"""Names and ids: ARM ids, and the deterministic keys that make every step safe to repeat."""

import re
from dataclasses import dataclass
from unicodedata import category
from uuid import NAMESPACE_URL, uuid5

_VNET_ID = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/(?P<resource_group>[^/]+)"
    r"/providers/Microsoft\.Network/virtualNetworks/(?P<vnet>[^/]+)",
    re.ASCII | re.IGNORECASE,
)
#: Azure's naming rules (learn.microsoft.com, "Naming rules and restrictions for Azure resources"). In the name of a
#: resource group, letters and digits are what .NET's `Char.IsLetterOrDigit` says, one UTF-16 unit at a time.
_LETTERS_AND_DIGITS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
_LONGEST_RESOURCE_GROUP = 90
_VNET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]", re.ASCII)
_LAST_OF_ONE_UNIT = 0xFFFF
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:aiven-azure-peering")


@dataclass(frozen=True)
class VNetId:
    """A VNet's ARM id in its parts, spelled as it was given: ARM keeps the case, and compares without it."""

    subscription_id: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "VNetId":
        """Read `/subscriptions/{guid}/resourceGroups/{name}/providers/Microsoft.Network/virtualNetworks/{name}`.

        Raises:
            ValueError: the text is not the ARM id of a VNet; the message says the expected form.
        """
        match = _VNET_ID.fullmatch(text.rstrip("/"))
        if match is None:
            raise ValueError(
                "must be the ARM id of a VNet: /subscriptions/{subscription id}/resourceGroups/{resource group}"
                "/providers/Microsoft.Network/virtualNetworks/{VNet name}"
            )
        if not _names_resource_group(match["resource_group"]):
            raise ValueError(
                "names a resource group that Azure does not allow: 1 to 90 letters, digits, - _ . ( ), no . at the end"
            )
        if _VNET.fullmatch(match["vnet"]) is None:
            raise ValueError(
                "names a VNet that Azure does not allow: 2 to 64 letters, digits, - _ ., a letter or digit first, and a"
                " letter, digit or _ at the end"
            )
        return cls(match["subscription"], match["resource_group"], match["vnet"])

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Network/virtualNetworks/{self.name}"
        )

    @property
    def subscription_scope(self) -> str:
        """The ARM scope of the VNet's subscription."""
        return f"/subscriptions/{self.subscription_id}"


@dataclass(frozen=True)
class VNetPeeringId:
    """A VNet peering's ARM id in its parts."""

    vnet: VNetId
    name: str

    @classmethod
    def parse(cls, text: str) -> "VNetPeeringId":
        """Read the ARM id of a VNet and `/virtualNetworkPeerings/{name}`.

        Raises:
            ValueError: what precedes the peering is not the ARM id of a VNet.
        """
        vnet, _, name = text.partition("/virtualNetworkPeerings/")
        return cls(VNetId.parse(vnet), name)

    def __str__(self) -> str:
        return f"{self.vnet}/virtualNetworkPeerings/{self.name}"


def _names_resource_group(name: str) -> bool:
    """Whether Azure allows a resource group of this name."""
    allowed = all(c in "-_.()" or (ord(c) <= _LAST_OF_ONE_UNIT and category(c) in _LETTERS_AND_DIGITS) for c in name)
    return allowed and len(name) <= _LONGEST_RESOURCE_GROUP and not name.endswith(".")


def folded(text: str) -> str:
    """A text normalized as Azure compares names: ordinal, without case, without expansions.

    ASCII letters are folded as before, so ids of ASCII names are unchanged.
    """
    if text.isascii():
        return text.lower()
    return "".join(character.lower() if character.isascii() else _upper(character) for character in text)


def _upper(character: str) -> str:
    """The upper case of a character, where that is one UTF-16 unit as well."""
    upper = character.upper()
    return upper if len(upper) == 1 and max(ord(upper), ord(character)) <= _LAST_OF_ONE_UNIT else character


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ARM ids, application ids or tenant ids name the same thing: Azure compares them without case."""
    return one is not None and other is not None and folded(one.rstrip("/")) == folded(other.rstrip("/"))


def last_part(resource_id: str) -> str:
    """The last part of an ARM id: the resource's own name."""
    return resource_id.rpartition("/")[2]


def peering_id(owner: str, vpc_id: str, vnet_id: str) -> str:
    """The id of the peering between a VPC in Aiven and a VNet: the same pair always has the same id.

    Args:
        owner: the project or the organization that the VPC belongs to.
        vpc_id: the VPC's id.
        vnet_id: the VNet's ARM id.
    """
    return str(uuid5(_NAMESPACE, folded(f"{owner}/{vpc_id}|{vnet_id.rstrip('/')}")))


def earlier_peering_id(owner: str, vpc_id: str, vnet_id: str) -> str:
    """The id that versions before 0.3.0 gave the pair: it differs for names with letters outside ASCII."""
    return str(uuid5(_NAMESPACE, f"{owner}/{vpc_id}|{vnet_id.rstrip('/')}".casefold()))


def default_role_names(subscription_id: str) -> dict[str, str]:
    """The names of the custom roles of a subscription's peerings, unless a request names them.

    A role's name is unique in its tenant, so these name the subscription that they serve.
    """
    return {
        "platform_role_name": f"Aiven VNet peering (platform) {subscription_id}",
        "user_role_name": f"Aiven VNet peering (application) {subscription_id}",
    }


def role_definition_id(scope: str, guid: str) -> str:
    """The ARM id of a role definition.

    Args:
        scope: the subscription's ARM id.
        guid: the role's name.
    """
    return f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def role_definition_name(scope: str, role_name: str) -> str:
    """The GUID that a custom role is stored under, so that creating it again updates it."""
    return str(uuid5(_NAMESPACE, folded(f"roleDefinition|{scope}|{role_name}")))


def role_assignment_name(scope: str, role_definition_id: str, principal_id: str) -> str:
    """The GUID that a role assignment is stored under: one for each scope, role and principal."""
    role = last_part(role_definition_id)
    return str(uuid5(_NAMESPACE, folded(f"roleAssignment|{scope}|{role}|{principal_id}")))


def role_assignment_id(scope: str, role_definition_id: str, principal_id: str) -> str:
    """The ARM id of the role assignment that this app creates for a scope, a role and a principal."""
    name = role_assignment_name(scope, role_definition_id, principal_id)
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def unique_name(peering: str) -> str:
    """The `uniqueName` of the peering's application: immutable, and unique in its tenant."""
    return f"aiven-azure-peering-{peering}"


def secret_name(peering: str) -> str:
    """The Key Vault secret that holds the application's password; also the password's own display name."""
    return f"aiven-peering-{peering}"


def is_name_of_password(name: str, peering: str) -> bool:
    """Whether a password of an application has the name that this app gives those of a peering.

    Args:
        name: the password's display name: that of the secret, with the call that made it after a space.
        peering: the peering's id.
    """
    return name.partition(" ")[0] == secret_name(peering)


def federated_credential_name(peering: str) -> str:
    """The name of the application's federated credential."""
    return f"aiven-peering-{peering}"


def within(resource: str, scope: str) -> bool:
    """Whether an ARM scope is the resource itself or above it."""
    above, below = folded(scope.rstrip("/")), folded(resource.rstrip("/"))
    return below == above or below.startswith(above + "/")
