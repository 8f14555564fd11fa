"""What a removal has to make again before its application can delete the VNet peering, and what prevents that."""

import asyncio
from collections.abc import Collection

from activities.looks import remotes
from activities.looks.directory import applications
from activities.looks.vault_rights import WRITE_SECRETS, rights_in_vault
from activities.steps.inventory import has_usable_password, is_federated
from activities.steps.preflight import assignments_of_subscription, password_policy
from peering.facts import Facts
from peering.naming import secret_name
from peering.outcome import Occurrence, StepRequest
from peering.spec import Peering
from peering.unfit import unfit_roles


async def obstacles_to_restoring(peering: Peering, known: Facts, gone: Collection[str], me: str) -> list[Occurrence]:
    """The problems that the steps would end in which restore the application's password, role and role assignment.

    Args:
        peering: the peering.
        known: the facts of its record, and those of the removal.
        gone: the steps whose recorded roles and assignments are gone.
        me: the object id of the app's own identity.

    Raises:
        RemoteError: a remote refused, or did not answer.
    """
    lost = {name for name in ("user_role", "user_role_assignment") if name in gone or not known.get(f"{name}_id")}
    parts = await asyncio.gather(
        _of_password(peering, known, me),
        _of_assignment(known) if "user_role_assignment" in lost else _nothing(),
        _of_role(peering, known) if "user_role" in lost else _nothing(),
    )
    return [problem for part in parts for problem in part]


async def _nothing() -> list[Occurrence]:
    return []


async def _of_password(peering: Peering, known: Facts, me: str) -> list[Occurrence]:
    if is_federated(peering, known):
        return []
    application, name = str(known["application_id"]), secret_name(peering["id"])
    found, secrets = await asyncio.gather(applications([application]), remotes.one_secret(name))
    if has_usable_password(peering, found.get(application.lower()), secrets.get(name)):
        return []
    wanted = StepRequest(peering=peering, facts=Facts(existing="ours", found=[]))
    policy, lacking = await asyncio.gather(password_policy(wanted), rights_in_vault(me, WRITE_SECRETS))
    return [*([policy["problem"]] if "problem" in policy else []), *lacking]


async def _of_assignment(known: Facts) -> list[Occurrence]:
    return [one.problem for one in await assignments_of_subscription(known["vnet_id"], 1) if one.is_reached]


async def _of_role(peering: Peering, known: Facts) -> list[Occurrence]:
    there = await remotes.roles_named(known["vnet_id"], peering["user_role_name"])
    return [*unfit_roles(peering, there, known["vnet_id"], ["platform_role"])]
