"""Required rights: the actions of the custom roles, and whether role assignments grant them on a VNet."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from peering.facts import AssignmentLook, Facts, Neighbours, named
from peering.look import AccessLook, RoleLook
from peering.naming import VNetId, folded, last_part, role_assignment_name, role_definition_name, same_id, within
from peering.outcome import Occurrence
from peering.spec import Peering
from peering.step_names import AssignmentStep, RoleStep, StepName

#: All that the platform needs: to create a peering that leads to the VNet (article step 8).
PLATFORM_ACTIONS: Final = ("Microsoft.Network/virtualNetworks/peer/action",)
#: All that the created application needs: to manage the VNet's peerings (article step 6).
USER_ACTIONS: Final = (
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
)
#: What the app needs to delete rights.
ASSIGNMENT_DELETION: Final = "Microsoft.Authorization/roleAssignments/delete"
ROLE_DELETION: Final = "Microsoft.Authorization/roleDefinitions/delete"
#: The built-in role of the article's step 6, which can be asked for ("Azure built-in roles").
_NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"


class RightNames(NamedTuple):
    """A principal's right on the VNet: the steps that create its role and its assignment, and the facts of the ids."""

    role_step: RoleStep
    assignment_step: AssignmentStep
    role: Literal["user_role_id", "platform_role_id"]
    assignment: Literal["user_role_assignment_id", "platform_role_assignment_id"]
    principal: Literal["user_principal_id", "platform_principal_id"]


OF_USER: Final = RightNames(
    "user_role", "user_role_assignment", "user_role_id", "user_role_assignment_id", "user_principal_id"
)
OF_PLATFORM: Final = RightNames(
    "platform_role",
    "platform_role_assignment",
    "platform_role_id",
    "platform_role_assignment_id",
    "platform_principal_id",
)
RIGHTS: Final = (OF_USER, OF_PLATFORM)


class Granted(NamedTuple):
    """What one role lets an identity do on a scope, and what of it the role excludes."""

    actions: Sequence[str]
    not_actions: Sequence[str]


def permits(held: Iterable[Granted], action: str) -> bool:
    """Whether roles let an identity do something: one of them does, and does not exclude it itself.

    Args:
        held: what each of its roles grants (learn.microsoft.com, "Understand Azure role definitions").
        action: an action, such as `Microsoft.Authorization/roleAssignments/write`.
    """
    return any(grants(one.actions, action) and not grants(one.not_actions, action) for one in held)


def lacking(held: Collection[Granted], needed: Collection[str], scope: str) -> list[Occurrence]:
    """The problems with actions on a scope that the app's own identity lacks.

    Args:
        held: what its roles grant it there.
        needed: the actions.
        scope: the scope's ARM id.
    """
    return [
        Occurrence(code="automation-not-authorized", detail=f"The app's identity lacks {action} on {scope}.")
        for action in sorted(needed)
        if not permits(held, action)
    ]


def grants(granted: Iterable[str], action: str) -> bool:
    """Whether a list of actions, which may hold `*`, covers an action; Azure compares without case."""
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), action, re.IGNORECASE) is not None for one in granted)


def grants_all(role: RoleLook, actions: Sequence[str]) -> bool:
    """Whether a role grants every action; one that excludes any does not count."""
    return not role["takes_away"] and all(grants(role["actions"], action) for action in actions)


def all_granted(role: RoleLook) -> list[str]:
    """All that a role grants: actions on resources, and on their data."""
    return [*role["actions"], *role["data_actions"]]


def is_exactly(role: RoleLook, actions: Sequence[str]) -> bool:
    """Whether a role grants these actions and nothing else."""
    return not role["takes_away"] and {a.casefold() for a in all_granted(role)} == {a.casefold() for a in actions}


def fits(role: RoleLook, actions: Sequence[str], scope: str) -> bool:
    """Whether a role grants these actions and nothing else, and can be assigned in a scope."""
    return is_exactly(role, actions) and any(same_id(scope, assignable) for assignable in role["scopes"])


def assignments_of(access: AccessLook, principal_id: str) -> list[AssignmentLook]:
    """A principal's role assignments."""
    return [a for a in access["assignments"] if a["principal_id"].casefold() == principal_id.casefold()]


def allowing(access: AccessLook, principal_id: str, actions: Sequence[str], scope: str) -> AssignmentLook | None:
    """The assignment that lets a principal do all of the actions on a scope, if one does."""
    for assignment in assignments_of(access, principal_id):
        role = access["roles"].get(assignment["role"])
        if role is not None and within(scope, assignment["scope"]) and grants_all(role, actions):
            return assignment
    return None


#: The GUID of the role and the object id of the principal that gets it, if it exists, by the step that assigns it.
Wanted: TypeAlias = Mapping[AssignmentStep, tuple[str, str | None]]


class Surplus(NamedTuple):
    """Rights that this app gave and that are not wanted any more: assignments on a VNet, and GUIDs of roles."""

    assignments: list[AssignmentLook]
    roles: list[str]


def is_in_use(role_name: str, neighbours: Neighbours) -> bool:
    """Whether another peering needs a custom role; Azure compares the names without case."""
    return folded(role_name) in map(folded, neighbours["roles"])


def made_role_names(peering: Peering, facts: Facts) -> dict[str, str]:
    """The GUIDs of the roles that starts of a peering may have created, by name: those of earlier starts, too."""
    scope = VNetId.parse(peering["vnet_id"]).subscription_scope
    names = {peering["user_role_name"], peering["platform_role_name"], *facts.get("role_names", [])}
    return {name: role_definition_name(scope, name) for name in sorted(names)}


def has_own_name(assignment: AssignmentLook) -> bool:
    """Whether the name of an assignment is the one that this app gives for its scope, role and principal."""
    own = role_assignment_name(assignment["scope"], assignment["role"], assignment["principal_id"])
    return same_id(last_part(assignment["id"]), own)


def own_assignments(facts: Facts, vnet_id: str) -> dict[StepName, AssignmentLook]:
    """The recorded assignments on a VNet that have this app's names, by the step that creates them.

    Args:
        facts: name assignments, roles and principals.
        vnet_id: the VNet's ARM id.
    """
    own = dict[StepName, AssignmentLook]()
    for names in RIGHTS:
        role, assignment, principal = (named(facts, name) for name in (names.role, names.assignment, names.principal))
        if role is not None and assignment is not None and principal is not None:
            one = AssignmentLook(id=assignment, scope=vnet_id, role=last_part(role).lower(), principal_id=principal)
            own |= {names.assignment_step: one} if has_own_name(one) else {}
    return own


def rights_to_remove(
    assignments: Iterable[AssignmentLook],
    peering: Peering,
    facts: Facts,
    neighbours: Neighbours,
    *,
    shared: bool,
) -> list[AssignmentLook]:
    """The assignments that a removal deletes: those that this app made for the peering, or left behind on its VNet.

    Args:
        assignments: those on the VNet itself.
        peering: the peering.
        facts: name its principals.
        neighbours: what other peerings need.
        shared: whether another peering of the VNet, whoever owns it, needs that the platform may peer with it.
    """
    scope, made = VNetId.parse(peering["vnet_id"]).subscription_scope, {*made_role_names(peering, facts).values()}
    user, platform = facts.get("user_principal_id"), facts.get("platform_principal_id")
    own = [one for one in assignments if has_own_name(one)]
    if not shared:
        # A principal may have been recreated since: the old one's assignments are orphaned.
        return [one for one in own if one["principal_id"] in (user, platform) or one["role"] in made]
    of_others = {role_definition_name(scope, name) for name in neighbours["roles_on_vnet"]}
    is_served = any(one["principal_id"] == platform and one["role"] in of_others for one in own)
    # Another peering of the VNet has given the platform a role of its own: this peering's is no longer needed.
    unneeded = {(role, platform) for role in made - of_others if is_served}
    # An application that was adopted keeps its right: it manages the VNet peering that is handed back.
    has_user = facts.get("existing") != "adopted"
    return [
        one
        for one in own
        if (has_user and one["principal_id"] == user) or (one["role"], one["principal_id"]) in unneeded
    ]


def surplus_of(
    assignments: Iterable[AssignmentLook],
    custom_roles: Mapping[str, RoleLook],
    peering: Peering,
    facts: Facts,
    wanted: Wanted,
    neighbours: Neighbours,
) -> Surplus:
    """The surplus rights of a peering's principals; rights that another owner gave are kept.

    Args:
        assignments: those in force on the VNet.
        custom_roles: the subscription's, by GUID.
        peering: the peering.
        facts: name the roles of earlier starts, and those that the start has found to be in surplus.
        wanted: what is assigned to whom.
        neighbours: what other peerings need: the platform keeps what one of the VNet needs.
    """
    vnet_id, (_, user), pairs = peering["vnet_id"], wanted["user_role_assignment"], {*wanted.values()}
    principals = {principal for _, principal in pairs if principal is not None}
    scope = VNetId.parse(vnet_id).subscription_scope
    names = {guid: role["name"] for guid, role in custom_roles.items()}
    # By their GUIDs, too, as a list may lack one.
    needed = {guid for guid, name in names.items() if is_in_use(name, neighbours)}
    needed |= {role_definition_name(scope, name) for name in neighbours["roles"]}
    found = [
        one
        for one in assignments
        if one["principal_id"] in principals
        and same_id(one["scope"], vnet_id)
        and has_own_name(one)
        and (one["role"], one["principal_id"]) not in pairs
        and not (neighbours["on_vnet"] and one["role"] in needed and one["principal_id"] != user)
    ]
    # Those that were found before, too: an earlier delivery may have deleted their assignments.
    before = {last_part(one["id"]) for one in facts.get("surplus_found", [])}
    earlier = {one["role"] for one in found} | before | {*made_role_names(peering, facts).values()}
    roles = (earlier & set(names)) - needed - {role for role, _ in pairs}
    made = sorted(role for role in roles if role == role_definition_name(scope, names[role]))
    return Surplus(found, made)


def roles_to_assign(
    peering: Peering, vnet_id: str, roles: Mapping[str, RoleLook]
) -> dict[AssignmentStep, tuple[str, str]]:
    """The names and the GUIDs of the roles that a start assigns, by the steps that assign them.

    Args:
        peering: the requested peering.
        vnet_id: the VNet's ARM id.
        roles: the custom roles that can be assigned on the VNet, by GUID.
    """
    scope = VNetId.parse(vnet_id).subscription_scope
    held = {folded(role["name"]): guid for guid, role in roles.items()}

    def custom(name: str) -> tuple[str, str]:
        return name, held.get(folded(name), role_definition_name(scope, name))

    built_in = peering["role"] != "least-privilege"
    return {
        "user_role_assignment": (peering["role"], _NETWORK_CONTRIBUTOR)
        if built_in
        else custom(peering["user_role_name"]),
        "platform_role_assignment": custom(peering["platform_role_name"]),
    }
