"""Existing objects with a name of the peering that cannot be used: a start would end at them. No I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from peering.facts import Facts
from peering.look import ApplicationLook, PrincipalLook, RoleLook
from peering.naming import VNetId, default_role_names, folded, role_definition_id
from peering.outcome import Occurrence
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS, fits
from peering.spec import Peering
from peering.step_names import RoleStep

_NOT_TO_ADOPT: Final = "`adopt: true` cannot take it over, because its VNet peering is missing or Disconnected."


def chosen_role_names(peering: Peering) -> list[str]:
    """The names of the custom roles that a start creates or finds, if the request names them.

    Azure has no built-in role with one of the others.

    Args:
        peering: the requested peering.
    """
    defaults = default_role_names(VNetId.parse(peering["vnet_id"]).subscription_id).values()
    return [name for name, _ in _custom_roles(peering).values() if name not in defaults]


def unfit_roles(
    peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str, needless: Collection[str]
) -> Iterator[Occurrence]:
    """The roles of the peering's names that grant something else, as the steps of the roles refuse them.

    Args:
        peering: the requested peering.
        roles: the roles of these names, and the custom ones, that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
        needless: the objects that a start would neither create nor look up by name.
    """
    scope = VNetId.parse(vnet_id).subscription_scope
    for name, actions in (role for step, role in _custom_roles(peering).items() if step not in needless):
        if any(folded(role["name"]) == folded(name) and not fits(role, actions, scope) for role in roles.values()):
            yield role_name_taken(name)


def fitting_roles(peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str) -> dict[RoleStep, str]:
    """The ARM ids of existing custom roles that equal those of a start, by the step that finds or creates each.

    Args:
        peering: the requested peering.
        roles: the custom roles that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
    """
    scope = VNetId.parse(vnet_id).subscription_scope
    return {
        step: role_definition_id(scope, guid)
        for step, (name, actions) in _custom_roles(peering).items()
        for guid, role in roles.items()
        if folded(role["name"]) == folded(name) and fits(role, actions, scope)
    }


def missing_roles(peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str) -> set[RoleStep]:
    """The steps that have to create a custom role in a start.

    Args:
        peering: the requested peering.
        roles: the custom roles that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
    """
    return _custom_roles(peering).keys() - fitting_roles(peering, roles, vnet_id).keys()


def _custom_roles(peering: Peering) -> dict[RoleStep, tuple[str, Sequence[str]]]:
    """The names and actions of the custom roles of a peering, by the step that finds or makes each."""
    wanted: dict[RoleStep, tuple[str, Sequence[str]]] = {
        "platform_role": (peering["platform_role_name"], PLATFORM_ACTIONS)
    }
    if peering["role"] == "least-privilege":
        wanted["user_role"] = peering["user_role_name"], USER_ACTIONS
    return wanted


def role_name_taken(name: str) -> Occurrence:
    """The problem with a role of a name that grants other actions, or can be assigned elsewhere only."""
    return Occurrence(
        code="role-name-taken", detail=f"The role {name} grants other actions or applies to other scopes."
    )


def unfit_in_entra(
    facts: Facts,
    found: Collection[str],
    *,
    application: ApplicationLook | None,
    user: PrincipalLook | None,
    platform: PrincipalLook | None,
) -> Iterator[Occurrence]:
    """Obstacles in Entra: an application that is deleted or disabled, a disabled platform principal.

    Args:
        facts: the owner of the connection.
        found: the existing objects of the peering.
        application: the peering's application.
        user: its service principal in the customer's tenant.
        platform: the service principal of the platform's application there.
    """
    if facts["existing"] == "adopted" and application is None:
        owner = facts.get("application_id") or facts["found_connection_application_id"]
        yield Occurrence(code="application-missing", detail=f"This tenant has no application {owner}.")
    # The application signs in only where something has to be put.
    if user is not None and not user["enabled"] and "vnet_peering" not in found:
        detail = f"The application's service principal {user['id']} is disabled."
        yield Occurrence(code="application-disabled", detail=detail)
    if platform is not None and not platform["enabled"]:
        yield platform_principal_disabled(platform["id"])


def platform_principal_disabled(principal_id: str | None) -> Occurrence:
    """The problem with a disabled service principal of the platform."""
    detail = f"The service principal {principal_id} is disabled."
    return Occurrence(code="platform-principal-disabled", detail=detail)


def connection_exists(facts: Facts) -> Occurrence:
    """The problem with a connection of the pair that another application requested, from the preflight's facts.

    It says the state and the owner of the connection, and whether `adopt` would take it over.
    """
    detail = f"Aiven has a connection of the pair, which is {facts['found_connection_state']}. The application"
    detail += f" {facts['found_connection_application_id']} requested it, which is not this app's. "
    detail += _NOT_TO_ADOPT if facts.get("side_is_lost") else "With `adopt: true` the request takes it over unchanged."
    return Occurrence(code="connection-exists", detail=detail)
