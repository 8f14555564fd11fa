"""The names of the steps of a peering's life, which are those of their activities."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

#: The steps of the preflight, which change nothing.
LookName = Literal[
    "sign_in",
    "project_vpc",
    "vnet",
    "ownership",
    "address_spaces",
    "tenant",
    "automation_rights",
    "holds",
    "limits",
    "password_policy",
    "price",
    "inventory",
]
#: The steps that find or create a custom role, and those that assign one on the VNet.
RoleStep = Literal["user_role", "platform_role"]
AssignmentStep = Literal["user_role_assignment", "platform_role_assignment"]
#: All steps: of a start or repair, of a removal, of a rotation.
StepName = Literal[
    LookName,
    "application",
    "user_service_principal",
    "application_credential",
    "user_role",
    "user_role_assignment",
    "platform_service_principal",
    "platform_role",
    "platform_role_assignment",
    "stale_connection",
    "stale_peering",
    "orphaned_peering",
    "peering_connection",
    "pending_peer",
    "vnet_peering",
    "connected",
    "sync",
    "active",
    "surplus_rights",
    "release_rights",
    "belongings",
    "remove_vnet_peering",
    "remove_connection",
    "neighbours",
    "remove_role_assignments",
    "remove_roles",
    "remove_platform_principal",
    "remove_application",
    "remove_secret",
    "last_look",
    "new_credential",
    "prove_credential",
    "retire_credential",
]
#: Each name under itself, for one that is only known at run time.
STEP_NAMES: Final[Mapping[str, StepName]] = {name: name for name in get_args(StepName)}
