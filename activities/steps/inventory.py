"""The step that lists the existing objects before a start: what it finds, creates, takes over or removes."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from activities.looks import remotes
from activities.looks.ahead import ahead
from activities.looks.peering import Access, Directory, DirectoryParts
from activities.looks.surplus import deleted_rights, kept_rights
from activities.step import step
from activities.steps.directory import find_principal
from activities.steps.federated import is_federated
from activities.steps.passwords import renewed_before_end
from clients.azure import graph
from clients.remote_errors import or_none
from clients.settings import settings
from peering.assignment_conditions import excluded_roles
from peering.facts import ApplicationChange, AssignmentLook, Facts, only
from peering.look import (
    MULTI_TENANT,
    OWN_TENANT_ONLY,
    AccessLook,
    ApplicationLook,
    Part,
    RoleLook,
    SecretLook,
    Thing,
)
from peering.naming import (
    VNetId,
    federated_credential_name,
    folded,
    role_definition_id,
    same_id,
    secret_name,
    unique_name,
)
from peering.outcome import ProblemError
from peering.rights import (
    OF_PLATFORM,
    OF_USER,
    PLATFORM_ACTIONS,
    RIGHTS,
    USER_ACTIONS,
    allowing,
    assignments_of,
    roles_to_assign,
)
from peering.sides import has_lost_its_side, side_of
from peering.spec import Peering
from peering.step_names import AssignmentStep, StepName
from peering.unfit import chosen_role_names, fitting_roles, unfit_in_entra, unfit_roles


@step
async def inventory(peering: Peering, facts: Facts) -> Facts:
    """Which of the peering's objects exist already; for an adopted one, also their ids, to keep them.

    Also the roles that the app may not assign because of conditions on its own assignments.
    """
    _check_sides(peering, facts)
    there = await _look(peering, facts)
    adopted, parts, roles = facts["existing"] == "adopted", there.parts, there.roles
    wanted = roles_to_assign(peering, facts["vnet_id"], roles)
    assigned = await _given(facts, parts, there.access, wanted)
    rights: dict[StepName, bool] = {names.assignment_step: names.assignment in assigned for names in RIGHTS}
    exists: dict[StepName, bool] = {
        **_found_in_entra(parts, peering, there.secrets, federated=is_federated(peering, facts)),
        **(_roles_behind(rights) if adopted else _found_roles(peering, roles)),
        **rights,
        **_found_sides(facts),
    }
    found: list[StepName] = [name for name, is_there in exists.items() if is_there]
    _check_fit(peering, facts, there, found)
    known = assigned if adopted else _to_build_upon(peering, parts, roles, facts["vnet_id"])
    if facts["existing"] == "ours":
        known = {**known, **assigned}
    changes = [] if adopted else _changes_of(_seen(parts["application"]), peering, facts)
    to_assign = dict(role for step, role in wanted.items() if step not in found)
    excluded = excluded_roles(to_assign, facts["automation_object_id"], there.assignments, roles)
    rest = await _surplus(peering, facts, there, wanted, excluded)
    return {"found": found, "application_changes": changes, **known, **rest}


class _There(NamedTuple):
    """What there is: in Entra, in the vault, the roles by GUID, the VNet's assignments, and those of the principals."""

    parts: DirectoryParts
    secrets: dict[str, SecretLook]
    roles: dict[str, RoleLook]
    assignments: list[AssignmentLook]
    access: AccessLook


async def _look(peering: Peering, facts: Facts) -> _There:
    """Read it; of an adopted peering, its owner's application."""
    vnet_id, access, adopted = facts["vnet_id"], Access(), facts["existing"] == "adopted"
    (known, directory), secrets, assignments = await asyncio.gather(
        _directory(str(facts.get("application_id") or facts["found_connection_application_id"]))
        if adopted
        else ahead(own_directory, peering["id"]),
        ahead(remotes.one_secret, secret_name(peering["id"])),
        access.on(vnet_id),
    )
    of_principals = await access.of(vnet_id, assignments, directory.principal_ids(known))
    roles = await access.custom_roles(vnet_id) | await _roles_of_those_names(peering, vnet_id)
    parts = directory.parts(known)
    if adopted:
        await _require_listed(parts, str(known["application_id"]))
    return _There(parts, secrets, roles, assignments, of_principals)


def _check_fit(peering: Peering, facts: Facts, there: _There, found: list[StepName]) -> None:
    """Refuse to build upon what is disabled, or grants something else."""
    adopted, parts = facts["existing"] == "adopted", there.parts
    in_the_way = [
        *unfit_in_entra(
            *(facts, found),
            application=_seen(parts["application"]),
            user=_seen(parts["user_principal"]),
            platform=_seen(parts["platform_principal"]),
        ),
        *unfit_roles(peering, there.roles, facts["vnet_id"], found if adopted else ()),
    ]
    if in_the_way and facts["existing"] != "foreign":
        raise ProblemError.of(in_the_way)


async def _surplus(
    peering: Peering,
    facts: Facts,
    there: _There,
    wanted: Mapping[AssignmentStep, tuple[str, str]],
    excluded: Iterable[str],
) -> Facts:
    """The rights that the start deletes; a warning of what keeps them, and of roles that the app may not assign."""
    principals = _principals(there.parts)
    pairs = {step: (role, principals[step]) for step, (_, role) in wanted.items()}
    adopted, gathered = facts["existing"] == "adopted", Facts()
    deleted = [] if adopted else await deleted_rights(peering, facts, pairs, there.access, there.roles)
    if deleted:
        gathered["surplus_found"] = deleted
    elif not there.access["assignments"] and not facts.get("rights_kept"):
        gathered["rights_settled"] = "none but those that the start gives"
    if warnings := [*excluded, *await kept_rights(facts["vnet_id"], deleted)]:
        gathered["conditions_checked"] = warnings
    return gathered


async def _given(
    facts: Facts, parts: DirectoryParts, access: AccessLook, wanted: Mapping[AssignmentStep, tuple[str, str]]
) -> Facts:
    """The ids of the assignments that a start need not create."""
    if facts["existing"] == "adopted":
        return _taken_over(parts, access, facts["vnet_id"])
    assigned = _assigned(parts, access, wanted, facts["vnet_id"])
    # In an existing peering they are not created again, so a list alone is not sufficient.
    return await _confirmed(assigned) if facts["existing"] == "ours" else assigned


def _principals(parts: DirectoryParts) -> dict[AssignmentStep, str | None]:
    """The object ids of the principals that get a role, by the steps that assign it."""
    user, platform = _seen(parts["user_principal"]), _seen(parts["platform_principal"])
    return {
        "user_role_assignment": user["id"] if user is not None else None,
        "platform_role_assignment": platform["id"] if platform is not None else None,
    }


async def _confirmed(assigned: Facts) -> Facts:
    """The assignments that Azure finds by their ids."""
    recorded = {names.assignment: one for names in RIGHTS if (one := assigned.get(names.assignment)) is not None}
    there = await asyncio.gather(*(remotes.has_assignment(one) for one in recorded.values()))
    return only(assigned, [name for name, is_found in zip(recorded, there, strict=True) if is_found])


async def _require_listed(parts: DirectoryParts, application_id: str) -> None:
    """Refuse lists that lack what Graph finds by its key: otherwise an adopted object would be created again."""
    platform = str(settings().platform_application_id)
    async with graph() as client:
        by_key = client.applications_with_app_id(application_id)
        if _seen(parts["application"]) is None and (await or_none(by_key.get())) is not None:
            raise _unlisted("application")
        if _seen(parts["user_principal"]) is None and await find_principal(client, application_id):
            raise _unlisted("application's service principal")
        if _seen(parts["platform_principal"]) is None and await find_principal(client, platform):
            raise _unlisted("platform's service principal")


def _unlisted(what: str) -> ProblemError:
    return ProblemError("directory-replicating", f"Graph does not list the {what} that it finds by its id.")


async def _roles_of_those_names(peering: Peering, vnet_id: str) -> dict[str, RoleLook]:
    """The roles that have the names of the peering's: one may be built in, which no list of custom roles shows."""
    names = chosen_role_names(peering)
    held = await asyncio.gather(*(ahead(remotes.roles_named, vnet_id, name) for name in names))
    return {guid: role for one in held for guid, role in one.items()}


async def own_directory(peering_id: str) -> tuple[Facts, Directory]:
    """What Entra holds of a peering by its application's unique name, and that application's id, if there is one.

    Args:
        peering_id: the peering's id.

    Raises:
        RemoteError: Graph refused, or did not answer.
    """
    async with graph() as client:
        found = await or_none(client.applications_with_unique_name(unique_name(peering_id)).get())
    return await _directory((found and found.app_id) or "")


async def _directory(application_id: str) -> tuple[Facts, Directory]:
    known = Facts(application_id=application_id)
    return known, await Directory.of([known] if application_id else [])


def _check_sides(peering: Peering, facts: Facts) -> None:
    """A name that another owner's peering has is taken, and a connection without its side is not adopted."""
    sides, cidr = facts["peered_networks"], facts["project_network_cidr"]
    own = side_of(facts, sides, cidr)
    if own is None and any(side["name"] == peering["peering_name"] for side in sides):
        raise ProblemError("peering-name-taken", f"{peering['peering_name']} leads to another network.")
    if facts["existing"] == "adopted" and "application_id" not in facts and has_lost_its_side(facts, sides):
        raise ProblemError("nothing-to-adopt", f"The connection is {facts['found_connection_state']} without its side.")


def _found_in_entra(
    parts: DirectoryParts, peering: Peering, secrets: dict[str, SecretLook], *, federated: bool
) -> dict[StepName, bool]:
    held, secret = _seen(parts["application"]), secrets.get(secret_name(peering["id"]))
    if federated:
        credential = held is not None and federated_credential_name(peering["id"]) in held["federated"]
    else:
        credential = _has_usable_password(peering, held, secret)
    return {
        "application": held is not None,
        "user_service_principal": _seen(parts["user_principal"]) is not None,
        "platform_service_principal": _seen(parts["platform_principal"]) is not None,
        "application_credential": credential,
    }


def _has_usable_password(peering: Peering, held: ApplicationLook | None, secret: SecretLook | None) -> bool:
    """Whether the vault has a password that the application takes long enough to be used again."""
    usable = held["passwords"] if held is not None and secret is not None and secret["enabled"] else {}
    end = usable.get((secret and secret["key_id"]) or "", "")
    return end is None or end > (datetime.now(UTC) + renewed_before_end(peering)).isoformat()


def _changes_of(held: ApplicationLook | None, peering: Peering, facts: Facts) -> list[ApplicationChange]:
    """What a start changes of the application that exists; one that was renamed by others keeps its name."""
    changes, name = list[ApplicationChange](), peering["application_name"]
    if held is None:
        return changes
    if name not in (held["name"], facts.get("application_named")):
        changes.append(ApplicationChange(option="application_name", old=held["name"], new=name))
    if held["audience"] == OWN_TENANT_ONLY:
        changes.append(ApplicationChange(option="sign_in_audience", old=held["audience"], new=MULTI_TENANT))
    return changes


def _seen(part: Part[Thing]) -> Thing | None:
    """The contents of a part of a look; a start does not continue without it."""
    if "problem" in part:
        raise ProblemError.of([part["problem"]])
    return part["found"]


def _found_roles(peering: Peering, roles: dict[str, RoleLook]) -> dict[StepName, bool]:
    names = {folded(role["name"]) for role in roles.values()}
    built_in = peering["role"] != "least-privilege"
    return {
        "user_role": built_in or folded(peering["user_role_name"]) in names,
        "platform_role": folded(peering["platform_role_name"]) in names,
    }


def _roles_behind(rights: Mapping[StepName, bool]) -> dict[StepName, bool]:
    """For an adopted peering, the roles are those of its assignments, whatever their names."""
    return {names.role_step: rights[names.assignment_step] for names in RIGHTS}


def _assigned(
    parts: DirectoryParts, access: AccessLook, wanted: Mapping[AssignmentStep, tuple[str, str]], vnet_id: str
) -> Facts:
    """The ids of the assignments on the VNet that a start would create: whoever created them, it creates no others."""
    principals = _principals(parts)
    found = Facts()
    for names in RIGHTS:
        (_, role), principal = wanted[names.assignment_step], principals[names.assignment_step]
        for one in assignments_of(access, principal) if principal is not None else ():
            if one["role"] == role and same_id(one["scope"], vnet_id):
                found[names.assignment] = one["id"]
    return found


def _found_sides(facts: Facts) -> dict[StepName, bool]:
    """An unusable connection and a Disconnected side are recreated: they do not count."""
    sides, state = facts["peered_networks"], facts["found_connection_state"]
    side, lost = side_of(facts, sides, facts["project_network_cidr"]), has_lost_its_side(facts, sides)
    return {
        "peering_connection": state not in (None, "DELETED") and not lost,
        "vnet_peering": side is not None and side["state"] != "Disconnected" and not lost,
    }


def _to_build_upon(peering: Peering, parts: DirectoryParts, roles: dict[str, RoleLook], vnet_id: str) -> Facts:
    """The ids of existing shared objects: the steps that would look them up are not needed."""
    shared, fitting, platform = Facts(), fitting_roles(peering, roles, vnet_id), _seen(parts["platform_principal"])
    for names in RIGHTS:
        if names.role_step in fitting:
            shared[names.role] = fitting[names.role_step]
    if platform is not None and platform["enabled"]:
        shared["platform_principal_id"] = platform["id"]
    return shared


def _taken_over(parts: DirectoryParts, access: AccessLook, vnet_id: str) -> Facts:
    """The ids of existing sufficient objects, so that the steps that would create them are not needed."""
    taken = Facts()
    user, platform = _seen(parts["user_principal"]), _seen(parts["platform_principal"])
    for names, principal, actions in ((OF_USER, user, USER_ACTIONS), (OF_PLATFORM, platform, PLATFORM_ACTIONS)):
        if principal is None or not principal["enabled"]:
            continue
        taken[names.principal] = principal["id"]
        if (assignment := allowing(access, principal["id"], actions, vnet_id)) is not None:
            taken[names.role] = role_definition_id(VNetId.parse(vnet_id).subscription_scope, assignment["role"])
            taken[names.assignment] = assignment["id"]
    return taken
