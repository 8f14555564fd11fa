"""What is there already under a name of the peering's and cannot be built upon: a start would end at it. No I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from peering.facts import Facts
from peering.look import ApplicationLook, PrincipalLook, RoleLook
from peering.naming import VNetId, default_role_names, folded, role_definition_id
from peering.outcome import Occurrence
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS, fits
from peering.spec import Peering

_NOT_TO_ADOPT: Final = "`adopt: true` cannot take it over, since its VNet peering is missing or Disconnected."


def chosen_role_names(peering: Peering) -> list[str]:
    """The names of the custom roles that a start makes, or finds, where somebody has chosen them.

    Azure has no built-in role with one of the others.

    Args:
        peering: what is asked for.
    """
    defaults = default_role_names(VNetId.parse(peering["vnet_id"]).subscription_id).values()
    return [name for name, _ in _custom_roles(peering).values() if name not in defaults]


def unfit_roles(
    peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str, needless: Collection[str]
) -> Iterator[Occurrence]:
    """The roles of the peering's names that grant something else, as the steps of the roles refuse them.

    Args:
        peering: what is asked for.
        roles: the roles of these names, and the custom ones, that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
        needless: the objects that a start would not make, nor look for by name.
    """
    scope = VNetId.parse(vnet_id).subscription_scope
    for name, actions in (role for step, role in _custom_roles(peering).items() if step not in needless):
        if any(folded(role["name"]) == folded(name) and not fits(role, actions, scope) for role in roles.values()):
            yield role_name_taken(name)


def fitting_roles(peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str) -> dict[str, str]:
    """The ARM ids of the custom roles that are there as a start would make them: of the `user`, of the `platform`.

    Args:
        peering: what is asked for.
        roles: the custom roles that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
    """
    scope = VNetId.parse(vnet_id).subscription_scope
    return {
        step.removesuffix("_role"): role_definition_id(scope, guid)
        for step, (name, actions) in _custom_roles(peering).items()
        for guid, role in roles.items()
        if folded(role["name"]) == folded(name) and fits(role, actions, scope)
    }


def missing_roles(peering: Peering, roles: Mapping[str, RoleLook], vnet_id: str) -> set[str]:
    """Whose custom role a start has to make: the `user`'s, the `platform`'s.

    Args:
        peering: what is asked for.
        roles: the custom roles that can be assigned on the VNet, by GUID.
        vnet_id: the VNet's ARM id.
    """
    whose = {step.removesuffix("_role") for step in _custom_roles(peering)}
    return whose - fitting_roles(peering, roles, vnet_id).keys()


def _custom_roles(peering: Peering) -> dict[str, tuple[str, Sequence[str]]]:
    """The names and actions of the custom roles of a peering, by the step that finds or makes each."""
    wanted: dict[str, tuple[str, Sequence[str]]] = {"platform_role": (peering["platform_role_name"], PLATFORM_ACTIONS)}
    if peering["role"] == "least-privilege":
        wanted["user_role"] = peering["user_role_name"], USER_ACTIONS
    return wanted


def role_name_taken(name: str) -> Occurrence:
    """The problem with a role of a name that grants other actions, or can be assigned elsewhere only."""
    return Occurrence(code="role-name-taken", detail=f"The role {name} grants other actions or serves other scopes.")


def unfit_in_entra(
    facts: Facts,
    found: Collection[str],
    *,
    application: ApplicationLook | None,
    user: PrincipalLook | None,
    platform: PrincipalLook | None,
) -> Iterator[Occurrence]:
    """What of Entra a start would end at: an application that is gone or switched off, a platform that is.

    Args:
        facts: whose connection it is.
        found: the objects of the peering that are there.
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
    """The problem with a service principal of the platform's that somebody has switched off."""
    detail = f"The service principal {principal_id} is disabled."
    return Occurrence(code="platform-principal-disabled", detail=detail)


def connection_exists(facts: Facts) -> Occurrence:
    """The problem with a connection of the pair that another application asked for, by what a start's looks gathered.

    It says in which state the connection is, whose it is, and whether `adopt` would take it over.
    """
    detail = f"Aiven has a connection of the pair, which is {facts['found_connection_state']}. The application"
    detail += f" {facts['found_connection_application_id']} asked for it, which is not this app's. "
    detail += _NOT_TO_ADOPT if facts.get("side_is_lost") else "With `adopt: true` the request takes it over as it is."
    return Occurrence(code="connection-exists", detail=detail)
