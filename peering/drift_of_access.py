"""Drift of access control: rights that are missing, not released, or in surplus, and roles that changed."""

from collections.abc import Iterator

from peering.facts import AssignmentLook, FactName, Facts
from peering.look import AccessLook, Look, PrincipalLook, if_seen
from peering.naming import last_part, same_id, within
from peering.outcome import Occurrence
from peering.rights import (
    OF_PLATFORM,
    OF_USER,
    PLATFORM_ACTIONS,
    USER_ACTIONS,
    all_granted,
    allowing,
    assignments_of,
    grants_all,
    is_exactly,
    own_assignments,
)
from peering.spec import Peering


def of_access(peering: Peering, facts: Facts, look: Look) -> list[Occurrence]:
    """What is wrong with the rights of the application and of the platform's service principal.

    Args:
        peering: its specification.
        facts: what its runs collected.
        look: what both clouds show of it.
    """
    access = if_seen(look["access"])
    if access is None or if_seen(look["vnet"]) is None:
        return []
    vnet_id = str(facts.get("vnet_id", peering["vnet_id"]))
    return [
        *_of_platform_rights(facts, access, if_seen(look["platform_principal"]), vnet_id),
        *_of_user_rights(peering, facts, access, if_seen(look["user_principal"]), vnet_id),
        *_of_surplus(peering, facts, access, look, vnet_id),
        *_of_roles(peering, facts, access),
    ]


def _of_platform_rights(
    facts: Facts, access: AccessLook, principal: PrincipalLook | None, vnet_id: str
) -> Iterator[Occurrence]:
    if principal is None or allowing(access, principal["id"], PLATFORM_ACTIONS, vnet_id) is not None:
        return
    role = _guid(facts, "platform_role_id")
    if all(assignment["role"] != role for assignment in assignments_of(access, principal["id"])):
        yield Occurrence(
            code="platform-role-assignment-missing", detail=f"Nothing lets the platform peer with {vnet_id}."
        )


def _of_user_rights(
    peering: Peering, facts: Facts, access: AccessLook, principal: PrincipalLook | None, vnet_id: str
) -> Iterator[Occurrence]:
    if principal is None or "user_rights" not in facts:
        return
    user, role = principal["id"], _guid(facts, "user_role_id")
    held = assignments_of(access, user)
    may_peer = allowing(access, user, USER_ACTIONS, vnet_id) or any(one["role"] == role for one in held)
    if peering["privilege"] == "standing" and not may_peer:
        yield Occurrence(code="user-role-assignment-missing", detail=f"The application has no role on {vnet_id}.")
    elif peering["privilege"] == "setup-only" and any(_is_to_release(facts, vnet_id, one) for one in held):
        why = f" It was not removed: {facts['rights_kept']}" if facts.get("rights_kept") else ""
        detail = f"The application still has its role on {vnet_id}.{why}"
        yield Occurrence(code="user-rights-not-released", detail=detail)


def _is_to_release(facts: Facts, vnet_id: str, assignment: AssignmentLook) -> bool:
    """Whether it is the application's assignment that this app has created, which `setup-only` releases."""
    own = own_assignments(facts, vnet_id).get(OF_USER.assignment_step)
    return own is not None and same_id(own["id"], assignment["id"])


def _of_surplus(peering: Peering, facts: Facts, access: AccessLook, look: Look, vnet_id: str) -> Iterator[Occurrence]:
    """Whether the two principals have more rights than a start gives them; adopted rights are kept as found.

    The application serves only this VNet. The platform's principal has roles on other VNets for other peerings; it is
    in surplus if it may do more on this one, or inherits its right here.
    """
    if facts.get("existing") == "adopted":
        return
    user, platform = if_seen(look["user_principal"]), if_seen(look["platform_principal"])
    further = dict[str, list[AssignmentLook]]()
    if user is not None and "user_rights" in facts:
        role = _guid(facts, "user_role_id")
        held = [a for a in (*access["assignments"], *access["elsewhere"]) if a["principal_id"] == user["id"]]
        further["the application"] = [
            a
            for a in held
            if a["role"] != role
            or not within(a["scope"], vnet_id)
            or (peering["privilege"] == "setup-only" and not _is_to_release(facts, vnet_id, a))
        ]
    if platform is not None:
        role = _guid(facts, "platform_role_id")
        held = [a for a in access["assignments"] if a["principal_id"] == platform["id"]]
        further["the platform's"] = [
            a for a in held if not same_id(a["scope"], vnet_id) or (a["role"] != role and not _peers_only(access, a))
        ]
    why = f" It was not removed: {facts['rights_kept']}" if facts.get("rights_kept") else ""
    for whose, assignments in further.items():
        if assignments:
            named = ", ".join(f"{last_part(a['id'])} on {a['scope']}" for a in assignments)
            yield Occurrence(code="surplus-rights", detail=f"Not requested, of {whose}: {named}.{why}")


def _peers_only(access: AccessLook, assignment: AssignmentLook) -> bool:
    """Whether an assignment lets the platform do what another peering of the VNet needs, and no more."""
    role = access["roles"].get(assignment["role"])
    return role is not None and is_exactly(role, PLATFORM_ACTIONS)


def _of_roles(peering: Peering, facts: Facts, access: AccessLook) -> Iterator[Occurrence]:
    """Whether the roles grant what they were created for, and nothing else; an adopted one may grant more."""
    for names, actions in ((OF_PLATFORM, PLATFORM_ACTIONS), (OF_USER, USER_ACTIONS)):
        role = access["roles"].get(_guid(facts, names.role))
        if role is None or (names is OF_USER and peering["role"] != "least-privilege"):
            continue
        sound = grants_all(role, actions) if facts.get("existing") == "adopted" else is_exactly(role, actions)
        if not sound:
            yield Occurrence(
                code="role-definition-changed", detail=f"{role['name']} grants {', '.join(all_granted(role))}."
            )


def _guid(facts: Facts, name: FactName) -> str:
    return last_part(str(facts.get(name, ""))).lower()
