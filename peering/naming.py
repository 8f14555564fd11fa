"""Names and ids: ARM ids, and the deterministic keys that make every step safe to run twice."""

import re
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

_VNET_ID = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/(?P<resource_group>[^/]{1,90})"
    r"/providers/Microsoft\.Network/virtualNetworks/(?P<vnet>[^/]{1,64})",
    re.IGNORECASE,
)
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
            ValueError: the text is not the ARM id of a VNet; the message says what it has to look like.
        """
        match = _VNET_ID.fullmatch(text.rstrip("/"))
        if match is None:
            raise ValueError(
                "must be the ARM id of a VNet: /subscriptions/{subscription id}/resourceGroups/{resource group}"
                "/providers/Microsoft.Network/virtualNetworks/{VNet name}"
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


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ARM ids, application ids or tenant ids name the same thing: Azure compares them without case."""
    return one is not None and other is not None and one.rstrip("/").casefold() == other.rstrip("/").casefold()


def peering_id(project: str, project_vpc_id: str, vnet_id: str) -> str:
    """The id of the peering between a project VPC and a VNet: the same pair always has the same id."""
    return str(uuid5(_NAMESPACE, f"{project}/{project_vpc_id}|{vnet_id.rstrip('/')}".casefold()))


def role_definition_name(scope: str, role_name: str) -> str:
    """The GUID that a custom role is stored under, so that creating it again updates it."""
    return str(uuid5(_NAMESPACE, f"roleDefinition|{scope}|{role_name}".casefold()))


def role_assignment_name(scope: str, role_definition_id: str, principal_id: str) -> str:
    """The GUID that a role assignment is stored under: one for each scope, role and principal."""
    role = role_definition_id.rpartition("/")[2]
    return str(uuid5(_NAMESPACE, f"roleAssignment|{scope}|{role}|{principal_id}".casefold()))


def unique_name(peering: str) -> str:
    """The `uniqueName` of the peering's application: immutable, and unique in its tenant."""
    return f"aiven-azure-peering-{peering}"


def secret_name(peering: str) -> str:
    """The Key Vault secret that holds the application's password; also the password's own display name."""
    return f"aiven-peering-{peering}"


def federated_credential_name(peering: str) -> str:
    """The name of the application's federated credential."""
    return f"aiven-peering-{peering}"


def within(resource: str, scope: str) -> bool:
    """Whether an ARM scope is the resource itself or above it."""
    above, below = scope.rstrip("/").casefold(), resource.rstrip("/").casefold()
    return below == above or below.startswith(above + "/")
