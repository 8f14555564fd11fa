"""The object that each finding of a check concerns, by the names in `objects` of a response."""

from collections.abc import Mapping
from typing import Final, Literal

from peering.step_names import StepName

#: What a finding is about: an object by its step, or one of the two networks.
Concern = StepName | Literal["vnet", "project_vpc"]
_CONNECTION: Final[tuple[Concern, ...]] = ("peering_connection",)
_SIDE: Final[tuple[Concern, ...]] = ("vnet_peering",)
_BOTH: Final[tuple[Concern, ...]] = (*_CONNECTION, *_SIDE)
_CREDENTIAL: Final[tuple[Concern, ...]] = ("application_credential",)

#: Findings of unreadable parts concern no particular object, and are not listed.
CONCERNS: Final[Mapping[str, tuple[Concern, ...]]] = {
    "connection-absent": _CONNECTION,
    "connection-deleted-by-peer": _BOTH,
    "connection-being-deleted": _CONNECTION,
    "connection-not-built": _CONNECTION,
    "connection-not-active": _CONNECTION,
    "connection-state-unknown": _CONNECTION,
    "connection-invalid-specification": _CONNECTION,
    "connection-rejected-by-peer": _CONNECTION,
    "connection-error": _CONNECTION,
    "connection-of-another-application": _CONNECTION,
    "connection-wrong-tenant": _CONNECTION,
    "connection-name-case": _CONNECTION,
    "vnet-peering-missing": _SIDE,
    "vnet-peering-disconnected": _SIDE,
    "peering-failed": _SIDE,
    "peering-not-connected": _SIDE,
    "peering-not-in-sync": _SIDE,
    "platform-side-not-in-sync": _SIDE,
    "peering-options-differ": _SIDE,
    "traffic-not-allowed": _SIDE,
    "project-vpc-not-found": ("project_vpc",),
    "project-vpc-deleted": ("project_vpc",),
    "vnet-not-found": ("vnet",),
    "vnet-not-provisioned": ("vnet",),
    "address-spaces-overlap": ("vnet", "project_vpc"),
    "address-space-overlaps-peered-vnet": ("vnet",),
    "user-role-assignment-missing": ("user_role_assignment",),
    "user-rights-not-released": ("user_role_assignment",),
    "platform-role-assignment-missing": ("platform_role_assignment",),
    "surplus-rights": ("user_role_assignment", "platform_role_assignment"),
    "role-definition-changed": ("user_role", "platform_role"),
    "platform-principal-missing": ("platform_service_principal",),
    "platform-principal-disabled": ("platform_service_principal",),
    "application-missing": ("application",),
    "application-not-multi-tenant": ("application",),
    "application-principal-missing": ("user_service_principal",),
    "application-disabled": ("user_service_principal",),
    "federated-credential-missing": _CREDENTIAL,
    "secret-missing": _CREDENTIAL,
    "secret-not-on-application": _CREDENTIAL,
    "secret-expired": _CREDENTIAL,
    "secret-expires-soon": _CREDENTIAL,
}
