"""The steps of a peering as data: what each one needs and what it yields.

A step is ready when every fact it needs is there, and not needed when all that it yields is, so this table alone
decides what runs at once. The orchestrator and the status of a peering are read off it. The numbers are those of the
help article that describes the manual procedure.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

ARTICLE: Final[dict[int, str]] = {
    1: "Sign in with an Azure admin account",
    2: "Create the application",
    3: "Create its service principal",
    4: "Set its password",
    5: "Find the VNet",
    6: "Let the application peer the VNet",
    7: "Create the platform's service principal",
    8: "Create the custom role for the platform",
    9: "Assign it on the VNet",
    10: "Find the tenant id",
    11: "Create the peering connection",
    12: "Wait for PENDING_PEER",
    13: "Create the VNet peering",
    14: "Wait for ACTIVE",
}


@dataclass(frozen=True)
class Step:
    """One step: its activity has the same name; `needs` and `yields` are names of facts."""

    name: str
    article_step: int
    title: str
    needs: tuple[str, ...]
    yields: tuple[str, ...]


STEPS: Final = (
    Step("sign_in", 1, "Sign in", (), ("automation_tenant_id", "automation_object_id")),
    Step(
        "project_vpc",
        11,
        "Look up the project VPC",
        (),
        ("cloud_name", "project_network_cidr", "found_connection_state", "found_connection_application_id"),
    ),
    Step("vnet", 5, "Look up the VNet", ("automation_tenant_id",), ("vnet_id", "address_prefixes")),
    Step(
        "ownership",
        11,
        "See whose connection it is",
        ("vnet_id", "found_connection_state", "found_connection_application_id"),
        ("existing",),
    ),
    Step("application", 2, "Create the application", ("existing",), ("application_id", "application_object_id")),
    Step(
        "user_service_principal",
        3,
        "Create its service principal",
        ("application_id",),
        ("user_principal_id",),
    ),
    Step(
        "application_secret",
        4,
        "Put its password into Key Vault",
        ("application_object_id",),
        ("secret_name", "secret_version", "secret_expires"),
    ),
    Step("user_role", 6, "Find or create its role", ("existing", "vnet_id"), ("user_role_id",)),
    Step(
        "user_role_assignment",
        6,
        "Assign it on the VNet",
        ("user_role_id", "user_principal_id", "vnet_id"),
        ("user_role_assignment_id",),
    ),
    Step(
        "platform_service_principal",
        7,
        "Platform's service principal",
        ("existing",),
        ("platform_principal_id",),
    ),
    Step(
        "platform_role",
        8,
        "Custom role for the platform",
        ("existing", "vnet_id"),
        ("platform_role_id",),
    ),
    Step(
        "platform_role_assignment",
        9,
        "Assign it on the VNet",
        ("platform_role_id", "platform_principal_id", "vnet_id"),
        ("platform_role_assignment_id",),
    ),
    Step(
        "stale_connection",
        11,
        "Delete an ended connection",
        ("existing", "found_connection_state"),
        ("connection_is_clear",),
    ),
    Step(
        "stale_peering",
        13,
        "Remove a Disconnected peering",
        (
            "connection_is_clear",
            "application_id",
            "tenant_id",
            "secret_name",
            "secret_version",
            "user_role_assignment_id",
            "vnet_id",
        ),
        ("vnet_is_clear",),
    ),
    Step("tenant", 10, "Find the tenant id", ("automation_tenant_id",), ("tenant_id",)),
    Step(
        "peering_connection",
        11,
        "Request the connection",
        (
            "application_id",
            "user_principal_id",
            "platform_role_assignment_id",
            "tenant_id",
            "vnet_id",
            "vnet_is_clear",
            "connection_is_clear",
        ),
        ("requested_connection_state",),
    ),
    Step(
        "pending_peer",
        12,
        "Wait for PENDING_PEER",
        ("requested_connection_state", "vnet_id"),
        ("to_tenant_id", "to_network_id"),
    ),
    Step(
        "vnet_peering",
        13,
        "Create the VNet peering",
        (
            "to_tenant_id",
            "to_network_id",
            "application_id",
            "tenant_id",
            "secret_name",
            "secret_version",
            "user_role_assignment_id",
            "vnet_id",
        ),
        ("vnet_peering_id",),
    ),
    Step(
        "connected",
        13,
        "Wait for Connected",
        ("vnet_peering_id",),
        ("peering_state", "peering_sync_level"),
    ),
    Step("active", 14, "Wait for ACTIVE", ("peering_state", "vnet_id"), ("connection_state",)),
)

#: The way back, one step after the other; the numbers are those of the steps that are undone. What a peering did not
#: make is not in it: each step looks for what this app made and leaves everything else alone.
REMOVAL: Final = (
    Step("stop_run", 1, "Stop a run that is under way", (), ("stopped",)),
    Step(
        "inventory",
        10,
        "See what the peering made",
        ("stopped",),
        ("own_tenant_id", "own_application_id", "own_application_object_id", "own_principal_id", "own_secret_version"),
    ),
    Step(
        "remove_vnet_peering",
        13,
        "Remove the VNet peering",
        ("own_tenant_id", "own_application_id", "own_secret_version"),
        ("vnet_peering_removed",),
    ),
    Step(
        "remove_connection",
        11,
        "Delete the peering connection",
        ("vnet_peering_removed", "own_application_id"),
        ("connection_removed",),
    ),
    Step(
        "remove_role_assignments",
        9,
        "Remove the role assignments",
        ("connection_removed",),
        ("role_assignments_removed",),
    ),
    Step("remove_roles", 8, "Remove unused custom roles", ("role_assignments_removed",), ("roles_removed",)),
    Step(
        "remove_platform_principal",
        7,
        "Remove an unused platform principal",
        ("role_assignments_removed",),
        ("platform_principal_removed",),
    ),
    Step(
        "remove_application",
        2,
        "Delete the application",
        ("role_assignments_removed", "own_application_object_id"),
        ("application_removed",),
    ),
    Step("remove_secret", 4, "Delete its password", ("application_removed",), ("secret_removed",)),
)

BY_NAME: Final = {step.name: step for step in (*STEPS, *REMOVAL)}


def ready(facts: Collection[str], begun: Collection[str]) -> Iterable[Step]:
    """The steps whose needs are all among `facts`, that are needed and have not begun, in the table's order."""
    ripe = (step for step in STEPS if step.name not in begun and all(need in facts for need in step.needs))
    return (step for step in ripe if not is_needless(step, facts))


def is_needless(step: Step, facts: Collection[str]) -> bool:
    """Whether everything that a step yields is known already."""
    return all(fact in facts for fact in step.yields)
