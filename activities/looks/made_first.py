"""What a removal first creates again, because only the application may delete the VNet peering. Nothing is changed."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from activities.looks import remotes
from activities.looks.peering import Access
from activities.steps.credentials import is_without_password
from activities.steps.preflight import assignments_of_subscription, password_policy
from peering.assignment_conditions import excluded_roles
from peering.facts import Facts
from peering.look import RoleLook
from peering.naming import role_assignment_id, same_id
from peering.outcome import Occurrence, StepRequest
from peering.rights import roles_to_assign
from peering.spec import Peering
from peering.step_names import StepName
from peering.unfit import missing_roles, unfit_roles

#: The removal does not create the platform's role.
_NOT_MADE: Final[tuple[StepName, ...]] = ("platform_role",)


@dataclass(frozen=True)
class MadeFirst:
    """The steps whose objects a removal first creates, the problems that prevent it, and possible ones in words."""

    steps: Collection[StepName]
    problems: Collection[Occurrence]
    warnings: Collection[str]


NOTHING: Final = MadeFirst((), (), ())


async def made_first(peering: Peering, facts: Facts, principal: str | None, me: str) -> MadeFirst:
    """What the first steps of a removal would create, and what prevents it.

    Args:
        peering: the peering.
        facts: name its application, its recorded password and the VNet.
        principal: the object id of the application's service principal, if it exists.
        me: the object id of the app's own identity.

    Raises:
        RemoteError: a remote service refused, or did not answer.
    """
    vnet_id = facts["vnet_id"]
    has_none, roles, excluded = await asyncio.gather(
        is_without_password(peering, facts),
        remotes.roles_named(vnet_id, peering["user_role_name"]),
        _excluded(peering, vnet_id, me),
    )
    unfit = [*unfit_roles(peering, roles, vnet_id, _NOT_MADE)]
    is_assigned = principal is not None and await _is_assigned(peering, vnet_id, roles, principal)
    makes: dict[StepName, bool] = {
        "user_service_principal": principal is None,
        "application_credential": has_none,
        "user_role": "user_role" in missing_roles(peering, roles, vnet_id) and not unfit,
        "user_role_assignment": not is_assigned,
    }
    counts = [] if is_assigned else await assignments_of_subscription(vnet_id, 1)
    full = [one.problem for one in counts if one.is_reached]
    policy, warnings = await _of_policy(peering, facts) if has_none else ([], [])
    return MadeFirst(
        {step for step, is_made in makes.items() if is_made}, [*unfit, *full, *policy], [*warnings, *excluded]
    )


async def _excluded(peering: Peering, vnet_id: str, me: str) -> list[str]:
    """A warning where the app's own rights exclude the role: it is assigned first, whether it is assigned or not."""
    access = Access()
    assignments, custom = await access.on(vnet_id), await access.custom_roles(vnet_id)
    name, role = roles_to_assign(peering, vnet_id, custom)["user_role_assignment"]
    return [*excluded_roles({name: role}, me, assignments, custom)]


async def _is_assigned(peering: Peering, vnet_id: str, roles: dict[str, RoleLook], principal: str) -> bool:
    """Whether the service principal has its role on the VNet. No list proves it: each assignment is read by its id."""
    _, role = roles_to_assign(peering, vnet_id, roles)["user_role_assignment"]
    listed = [
        one["id"]
        for one in await remotes.assignments_on(vnet_id)
        if one["role"] == role and same_id(one["principal_id"], principal)
    ]
    own = role_assignment_id(vnet_id, role, principal)
    return any(await asyncio.gather(*(remotes.has_assignment(one) for one in dict.fromkeys((own, *listed)))))


async def _of_policy(peering: Peering, facts: Facts) -> tuple[list[Occurrence], list[str]]:
    """The problem with a policy of the tenant on passwords, and warnings about one that may not apply."""
    asked = Facts(existing="ours", found=[], credential=facts.get("credential", peering["credential"]))
    outcome = await password_policy(StepRequest(peering=peering, facts=asked))
    if "problem" in outcome:
        return [outcome["problem"]], []
    warnings = outcome["facts"]["password_policy_checked"]
    return [], warnings if isinstance(warnings, list) else []
