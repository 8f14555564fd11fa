"""The steps of a peering's life as data: what each one needs and what it yields.

A step is ready when every fact is known that it needs or comes after, and not needed when all that it yields is. These
tables alone decide what runs in parallel. The orchestrators, the status of a peering, the dry run and the removal are
derived from them; a repair is the first table with some facts discarded. The numbers are those of the help article that
describes the manual procedure, called *the article* in this code:
https://kb.timescale.cloud/en/articles/5489252-setting-up-a-vpc-on-azure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from itertools import chain
from typing import Final, Literal

from peering.facts import FactName, Facts, without
from peering.spec import Peering
from peering.step_names import StepName

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

Operation = Literal["establish", "repair", "rotate", "remove", "check", "cancel"]


@dataclass(frozen=True)
class Step:
    """One step: its activity has the same name; all but `looks` and what names it are names of facts.

    `needs` are the facts that the activity reads. It waits for those that it comes `after`, too, without reading them.
    `recalls` are facts of an earlier run that the step gets when they are known, in addition to what it yields itself.
    What it `may_yield` it returns when it learns it, so that other steps need not read it again.
    A step that `looks` only reads: the dry run runs these, and nothing else.
    """

    name: StepName
    article_step: int
    title: str
    needs: tuple[FactName, ...]
    yields: tuple[FactName, ...]
    recalls: tuple[FactName, ...] = ()
    may_yield: tuple[FactName, ...] = ()
    after: tuple[FactName, ...] = ()
    looks: bool = False

    @property
    def awaits(self) -> tuple[FactName, ...]:
        """All facts that must be known before it starts."""
        return (*self.needs, *self.after)


#: The facts that must be known before anything is changed.
CLEARED: Final[tuple[FactName, ...]] = (
    "existing",
    "addresses_checked",
    "rights_checked",
    "limits_checked",
    "holds_checked",
    "password_policy_checked",
    "hourly_price_usd",
    "found",
)
#: The facts of the created application's credential.
CREDENTIAL: Final[tuple[FactName, ...]] = (
    *("credential", "secret_name", "secret_version", "secret_expires", "secret_key_id"),
)
#: The facts that signing in as the created application requires.
SIGN_IN: Final[tuple[FactName, ...]] = ("application_id", "tenant_id", "credential", "secret_name", "secret_version")

LOOKS: Final = (
    Step("sign_in", 1, "Sign in", (), ("automation_tenant_id", "automation_object_id"), looks=True),
    Step(
        "project_vpc",
        11,
        "Look up the VPC in Aiven",
        (),
        ("cloud_name", "project_network_cidr", "found_connection_state", "found_connection_application_id"),
        ("application_id", "is_beside_anothers"),
        may_yield=("connection_is_clear", "user_peer_network_cidrs", "ended_connection_listed", "is_beside_anothers"),
        looks=True,
    ),
    Step(
        "vnet",
        5,
        "Look up the VNet",
        (),
        ("vnet_id", "address_prefixes", "peered_networks"),
        may_yield=("vnet_is_clear", "side_is_clear"),
        after=("automation_tenant_id",),
        looks=True,
    ),
    Step(
        "ownership",
        11,
        "Check who owns the connection",
        ("found_connection_state", "found_connection_application_id"),
        ("existing",),
        ("application_id",),
        after=("vnet_id",),
        looks=True,
    ),
    Step(
        "address_spaces",
        5,
        "Compare the address spaces",
        ("existing", "address_prefixes", "peered_networks", "project_network_cidr", "found_connection_state"),
        ("addresses_checked", "side_is_lost"),
        ("to_network_id",),
        looks=True,
    ),
    Step("tenant", 10, "Find the tenant id", ("automation_tenant_id",), ("tenant_id",), looks=True),
    Step(
        "automation_rights",
        1,
        "Check the app's own rights",
        ("existing", "vnet_id", "found", "found_connection_application_id", "automation_object_id"),
        ("rights_checked",),
        ("application_id", "application_changes", "credential"),
        looks=True,
    ),
    Step(
        "holds",
        5,
        "Check locks and policies",
        ("existing", "found", "vnet_id", "automation_object_id", "peered_networks", "project_network_cidr"),
        ("holds_checked",),
        ("to_network_id",),
        looks=True,
    ),
    Step(
        "limits",
        6,
        "Check Azure's limits",
        ("found", "vnet_id", "peered_networks", "project_network_cidr"),
        ("limits_checked",),
        ("to_network_id",),
        looks=True,
    ),
    Step(
        "password_policy",
        4,
        "Check the tenant's password policy",
        ("existing", "found"),
        ("password_policy_checked",),
        ("credential",),
        looks=True,
    ),
    Step("price", 11, "Look up the price", ("cloud_name",), ("hourly_price_usd",), looks=True),
    Step(
        "inventory",
        2,
        "List existing objects",
        (
            "existing",
            "vnet_id",
            "peered_networks",
            "project_network_cidr",
            "found_connection_state",
            "found_connection_application_id",
            "automation_object_id",
        ),
        ("found",),
        ("to_network_id", "credential", "application_id", "application_named", "role_names", "rights_kept"),
        may_yield=(
            *("application_changes", "user_principal_id", "user_role_id", "user_role_assignment_id"),
            *("platform_principal_id", "platform_role_id", "platform_role_assignment_id", "rights_settled"),
            *("conditions_checked", "surplus_found"),
        ),
        looks=True,
    ),
)

STEPS: Final = (
    *LOOKS,
    Step(
        "application",
        2,
        "Create the application",
        ("existing", "found_connection_application_id", "found"),
        ("application_id", "application_object_id"),
        ("application_changes",),
        may_yield=("application_named",),
        after=CLEARED,
    ),
    Step(
        "user_service_principal",
        3,
        "Create its service principal",
        ("application_id", "existing"),
        ("user_principal_id",),
        ("found", "repairing"),
    ),
    Step(
        "application_credential",
        4,
        "Give it a credential",
        ("application_object_id", "automation_tenant_id", "automation_object_id"),
        CREDENTIAL,
    ),
    Step("user_role", 6, "Find or create its role", ("vnet_id",), ("user_role_id",), after=CLEARED),
    Step(
        "user_role_assignment",
        6,
        "Assign the application's role",
        ("user_role_id", "user_principal_id", "vnet_id"),
        ("user_role_assignment_id",),
    ),
    Step(
        "platform_service_principal",
        7,
        "Platform's service principal",
        (),
        ("platform_principal_id",),
        after=CLEARED,
    ),
    Step(
        "platform_role",
        8,
        "Custom role for the platform",
        ("vnet_id",),
        ("platform_role_id",),
        after=CLEARED,
    ),
    Step(
        "platform_role_assignment",
        9,
        "Assign the platform's role",
        ("platform_role_id", "platform_principal_id", "vnet_id"),
        ("platform_role_assignment_id",),
    ),
    Step(
        "stale_connection",
        11,
        "Delete an ended connection",
        ("found_connection_state", "found_connection_application_id", "peered_networks", "project_network_cidr"),
        ("connection_is_clear",),
        ("to_network_id", "vnet_peering_id", "is_beside_anothers"),
        # What blocks the VNet's side, such as a lock, also blocks the connection: they are deleted in this order.
        after=(*CLEARED, "side_is_clear"),
    ),
    Step(
        "stale_peering",
        13,
        "Remove a Disconnected peering",
        (*SIGN_IN, "vnet_id", "project_network_cidr"),
        ("side_is_clear",),
        ("to_network_id",),
        may_yield=("side_switches",),
        after=(*CLEARED, "user_role_assignment_id", "peered_networks"),
    ),
    Step(
        "orphaned_peering",
        13,
        "Remove an orphaned VNet peering",
        (*SIGN_IN, "vnet_id", "project_network_cidr"),
        ("vnet_is_clear",),
        ("to_network_id",),
        may_yield=("side_switches",),
        after=("connection_is_clear", "user_role_assignment_id"),
    ),
    Step(
        "peering_connection",
        11,
        "Request the connection",
        ("application_id", "tenant_id", "vnet_id", "found_connection_state"),
        ("requested_connection_state",),
        ("user_peer_network_cidrs", "ended_connection_listed", "is_beside_anothers"),
        after=("user_principal_id", "platform_role_assignment_id", "vnet_is_clear", "connection_is_clear"),
    ),
    Step(
        "pending_peer",
        12,
        "Wait for PENDING_PEER",
        (
            *("requested_connection_state", "vnet_id", "application_id", "tenant_id"),
            *("peered_networks", "project_network_cidr"),
        ),
        ("to_tenant_id", "to_network_id"),
        (
            *("user_peer_network_cidrs", "user_principal_id", "user_role_id", "user_rights", "existing"),
            *("platform_principal_id", "platform_role_id", "credential", "secret_name", "secret_key_id"),
            "is_beside_anothers",
        ),
    ),
    Step(
        "vnet_peering",
        13,
        "Create the VNet peering",
        ("to_tenant_id", "to_network_id", "project_network_cidr", *SIGN_IN, "vnet_id"),
        ("vnet_peering_id",),
        ("repairing", "existing", "side_switches"),
        may_yield=("side_switches",),
        after=("user_role_assignment_id",),
    ),
    Step(
        "connected",
        13,
        "Wait for Connected",
        ("vnet_peering_id",),
        ("peering_state", "peering_sync_level"),
        may_yield=("in_sync",),
    ),
    Step(
        "sync",
        13,
        "Sync the address spaces",
        ("vnet_peering_id", "to_tenant_id", "to_network_id", *SIGN_IN),
        ("in_sync",),
        after=("peering_sync_level", "user_role_assignment_id"),
    ),
    Step(
        "active",
        14,
        "Wait for ACTIVE",
        ("vnet_id",),
        ("connection_state",),
        ("application_id", "is_beside_anothers"),
        after=("peering_state",),
    ),
    Step(
        "surplus_rights",
        6,
        "Remove surplus rights",
        ("existing", "vnet_id", "user_role_id", "platform_role_id", "user_principal_id", "platform_principal_id"),
        ("rights_settled",),
        ("role_names", "surplus_found", "rights_kept"),
        may_yield=("rights_kept",),
        after=("connection_state",),
    ),
    Step(
        "release_rights",
        6,
        "Remove its role again",
        ("user_role_assignment_id", "user_role_id", "user_principal_id", "vnet_id", "rights_settled"),
        ("user_rights",),
        may_yield=("rights_kept",),
        after=("connection_state", "in_sync"),
    ),
)

_BY_NAME: Final = {step.name: step for step in STEPS}


def _for_removal(name: StepName) -> Step:
    """A step of the first table that a removal needs only when there is a VNet peering to delete."""
    return replace(_BY_NAME[name], after=("vnet_peering_to_remove",))


#: The removal; the numbers are those of the steps that are undone. Every step removes only what this app created for
#: the peering. To delete its own VNet peering, the created application needs its service principal, its credential and
#: its role: they are restored first if they are missing.
REMOVAL: Final = (
    _BY_NAME["sign_in"],
    _BY_NAME["tenant"],
    Step(
        "belongings",
        2,
        "List the peering's objects",
        (),
        (
            "application_id",
            "application_object_id",
            "vnet_id",
            "platform_principal_id",
            "connection_to_remove",
            "existing",
        ),
        ("to_network_id", "vnet_peering_id", "application_removed", "user_principal_id"),
        may_yield=("user_principal_id", "vnet_peering_to_remove", "vnet_peering_removed"),
        after=("automation_tenant_id",),
    ),
    _for_removal("user_service_principal"),
    _for_removal("application_credential"),
    _for_removal("user_role"),
    _for_removal("user_role_assignment"),
    Step(
        "remove_vnet_peering",
        13,
        "Remove the VNet peering",
        ("vnet_peering_to_remove", *SIGN_IN),
        ("vnet_peering_removed",),
        after=("user_role_assignment_id",),
    ),
    Step(
        "remove_connection",
        11,
        "Delete the peering connection",
        ("application_id", "connection_to_remove"),
        ("connection_removed",),
        after=("vnet_peering_removed",),
    ),
    Step(
        "neighbours",
        10,
        "Check who else needs it",
        ("vnet_id",),
        ("neighbours",),
        may_yield=("assignments_there",),
        after=("connection_removed",),
        looks=True,
    ),
    Step(
        "remove_role_assignments",
        9,
        "Remove the role assignments",
        ("user_principal_id", "platform_principal_id", "vnet_id", "existing", "application_id"),
        ("role_assignments_removed",),
        (
            *("to_network_id", "user_role_assignment_id", "user_role_id", "platform_role_assignment_id"),
            *("platform_role_id", "role_names", "vnet_peering_id", "assignments_there"),
        ),
        after=("neighbours",),
    ),
    Step(
        "remove_roles",
        8,
        "Remove unused custom roles",
        ("role_assignments_removed", "vnet_id"),
        ("roles_removed",),
        ("user_role_id", "platform_role_id", "role_names", "assignments_there"),
        after=("neighbours",),
    ),
    Step(
        "remove_platform_principal",
        7,
        "Remove an unused platform principal",
        ("automation_tenant_id", "platform_principal_id"),
        ("platform_principal_removed",),
        after=("role_assignments_removed", "neighbours"),
    ),
    Step(
        "remove_application",
        2,
        "Delete the application",
        ("application_object_id", "existing", "vnet_peering_removed"),
        ("application_removed",),
        ("vnet_peering_id", "to_network_id", "application_id", "credential", "secret_key_id"),
        after=("role_assignments_removed",),
    ),
    Step("remove_secret", 4, "Delete its password", (), ("secret_removed",), after=("application_removed",)),
    Step(
        "last_look",
        14,
        "Check that all is deleted",
        (
            *("roles_removed", "platform_principal_removed", "role_assignments_removed"),
            *("application_removed", "existing", "vnet_id", "vnet_peering_removed"),
        ),
        ("seen_gone",),
        (
            *("vnet_peering_id", "user_role_assignment_id", "platform_role_assignment_id", "user_role_id"),
            *("platform_role_id", "application_id", "to_network_id"),
        ),
        after=("secret_removed", "connection_removed"),
    ),
)

#: What is known once everything is deleted.
REMOVED: Final[tuple[FactName, ...]] = (
    *(fact for step in REMOVAL if step.name.startswith("remove_") for fact in step.yields),
    "seen_gone",
)

#: Which objects are deleted once a fact of a removal is known.
REMOVES: Final[Mapping[FactName, tuple[StepName, ...]]] = {
    "vnet_peering_removed": ("vnet_peering",),
    "connection_removed": ("peering_connection",),
    "role_assignments_removed": ("user_role_assignment", "platform_role_assignment"),
    "roles_removed": ("user_role", "platform_role"),
    "platform_principal_removed": ("platform_service_principal",),
    "application_removed": ("application", "user_service_principal"),
    "secret_removed": ("application_credential",),
}

#: A new credential, verified in both tenants before the old one is removed. The candidate only names a secret.
ROTATION: Final = (
    Step(
        "new_credential",
        4,
        "Create a new credential",
        ("application_object_id", "automation_tenant_id", "automation_object_id", "rotation"),
        ("candidate",),
        ("credential", "secret_version", "secret_key_id"),
    ),
    Step(
        "prove_credential",
        13,
        "Sign in with it to both tenants",
        ("candidate", "application_id", "tenant_id"),
        ("credential_proven",),
        ("to_tenant_id",),
    ),
    Step(
        "retire_credential",
        4,
        "Remove the old one",
        ("candidate", "application_object_id"),
        CREDENTIAL,
        after=("credential_proven",),
    ),
)

PLANS: Final[Mapping[str, Sequence[Step]]] = {
    "establish": STEPS,
    "repair": STEPS,
    "rotate": ROTATION,
    "remove": REMOVAL,
    "check": (),
    "cancel": (),
}

#: The objects that a peering consists of, by the step that creates each, and the fact that holds its id.
OBJECTS: Final[Mapping[StepName, FactName]] = {
    "application": "application_id",
    "user_service_principal": "user_principal_id",
    "application_credential": "secret_version",
    "user_role": "user_role_id",
    "user_role_assignment": "user_role_assignment_id",
    "platform_service_principal": "platform_principal_id",
    "platform_role": "platform_role_id",
    "platform_role_assignment": "platform_role_assignment_id",
    "peering_connection": "requested_connection_state",
    "vnet_peering": "vnet_peering_id",
}

#: The steps that delete an older object before a step creates a new one.
CLEARED_BEFORE: Final[Mapping[StepName, frozenset[StepName]]] = {
    "peering_connection": frozenset({"stale_connection", "stale_peering", "orphaned_peering"})
}

#: Facts that only the run needs: input of its steps, and what is large in a VNet with hundreds of peerings.
OF_THE_RUN: Final[frozenset[FactName]] = frozenset(
    {
        *("repairing", "rotation", "candidate", "credential_proven", "tries", "waited", "looked_at", "waits_since"),
        *("call", "refusal", "seen_switches", "address_prefixes", "peered_networks"),
    }
)
#: The steps whose facts are stored in the peering's record as soon as they are known: objects that existed or were
#: created, and those deleted in Entra, which are polled before they count as deleted.
KEPT: Final[frozenset[StepName]] = frozenset(
    {*OBJECTS, "ownership", "inventory", "remove_application", "remove_platform_principal"}
)


def _predecessors(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """The direct predecessors of each step: those that yield what it waits for, without their own predecessors."""
    made_by = {fact: step.name for step in steps for fact in step.yields}
    direct = {step.name: dict.fromkeys(made_by[fact] for fact in step.awaits if fact in made_by) for step in steps}
    before = dict[str, set[str]]()
    for name in TopologicalSorter(direct).static_order():
        before[name] = {*direct[name], *chain.from_iterable(before[one] for one in direct[name])}
    return {
        name: tuple(one for one in some if not any(one in before[other] for other in some))
        for name, some in direct.items()
    }


#: The direct predecessors of each step, by operation: steps without a path between them run in parallel.
AFTER: Final = {operation: _predecessors(plan) for operation, plan in PLANS.items()}


def initial_facts(peering: Peering) -> Facts:
    """The facts that are known before a run has started."""
    return {"user_rights": "standing"} if peering["privilege"] == "standing" else {}


def ready(steps: Sequence[Step], facts: Collection[str], begun: Collection[str]) -> Iterable[Step]:
    """The steps that wait for nothing beyond `facts`, that are needed and not started, in the table's order."""
    ripe = (step for step in steps if step.name not in begun and all(fact in facts for fact in step.awaits))
    return (step for step in ripe if not is_needless(step, facts))


def is_needless(step: Step, facts: Collection[str]) -> bool:
    """Whether everything that a step yields is known already."""
    return all(fact in facts for fact in step.yields)


def forget(facts: Facts, forgotten: Collection[FactName], peering: Peering) -> Facts:
    """The facts that a repair starts from: without those that are no longer true, and what restoring them requires.

    The facts of an earlier removal are left out, too: the repair yields its own.
    With `setup-only`, a step that acts as the created application gets its role back first; the role is removed again
    at the end.
    """
    kept = without(facts, {*forgotten, *REMOVED})
    again = [step for step in STEPS if not is_needless(step, kept) and step.name != "release_rights"]
    if peering["privilege"] == "setup-only" and any("user_role_assignment_id" in step.awaits for step in again):
        kept = without(kept, ("user_role_assignment_id", "user_rights"))
    return kept
