"""The final check of a removal: no object in the peering's record exists any more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.step import step
from activities.steps.aiven import check_clear
from activities.steps.credentials import has_own_credentials
from activities.steps.directory import find_application
from activities.steps.removal import LOOKS_AT_DELETED, purge, side_is_left
from activities.steps.removed_rights import is_assigned
from clients.aiven_vpcs import vpc_client
from clients.azure import graph
from clients.remote_errors import RemoteError, or_none
from peering.aiven_vpc import AivenVpc
from peering.facts import FactName, Facts, named
from peering.naming import VNetId, role_definition_name, same_id, secret_name
from peering.outcome import ProblemError
from peering.rights import is_in_use
from peering.spec import Peering

_FORBIDDEN: Final = 403


@step
async def last_look(peering: Peering, facts: Facts) -> Facts:
    """Check again, by its own id, that every object is deleted; one that is still listed may only be stale.

    Neither a 2xx to a deletion nor one 404 is proof: everything that the removal deleted is looked up again here.
    """
    looks: dict[str, Callable[[], Awaitable[bool]]] = {
        "the VNet peering": lambda: side_is_left(peering, facts),
        "Aiven's connection": lambda: _connection(peering, facts),
        "the role assignment of the application": lambda: _assignment(facts, "user_role_assignment_id"),
        "the role assignment of the platform": lambda: _assignment(facts, "platform_role_assignment_id"),
        "a custom role": lambda: _roles(peering, facts),
        "the application": lambda: _application(peering, facts),
        "the platform's service principal": lambda: _platform(facts),
        "the secret": lambda: _secret(peering),
    }
    there = await asyncio.gather(*(look() for look in looks.values()))
    if left := [name for name, is_there in zip(looks, there, strict=True) if is_there]:
        problem = ProblemError("still-there", f"Still existing: {', '.join(left)}.", retry_after=5)
        # The removal is then repeated.
        problem.occurrence["final"] = facts.get("tries", 0) >= LOOKS_AT_DELETED
        raise problem
    return {"seen_gone": "everything"}


async def _connection(peering: Peering, facts: Facts) -> bool:
    if facts["existing"] == "adopted":
        return False
    vpc = await vpc_client(AivenVpc.of(peering)).read_unless_gone()
    if vpc is None:
        return False
    vnet, application_id = VNetId.parse(peering["vnet_id"]), named(facts, "application_id")
    check_clear(vpc, vnet, application_id)
    connection = vpc.connection_to(vnet, application_id)
    return connection is not None and same_id(connection.peer_azure_app_id, str(facts.get("application_id")))


async def _assignment(facts: Facts, name: FactName) -> bool:
    """Whether an assignment that was deleted shows under its own id."""
    recorded = named(facts, name)
    if recorded is None or recorded not in facts["role_assignments_removed"]:
        return False
    return await remotes.has_assignment(recorded)


async def _roles(peering: Peering, facts: Facts) -> bool:
    """Whether a deleted role is still listed; one that another peering has recreated belongs to that one."""
    vnet = VNetId.parse(peering["vnet_id"])
    removed = facts["roles_removed"]
    guids = {role_definition_name(vnet.subscription_scope, name): name for name in removed}
    looks = await asyncio.gather(*(remotes.role(str(vnet), guid) for guid in guids))
    there = [guid for look in looks for guid in look]
    if not there:
        return False
    others = await neighbours_of(peering)
    nobodys = [guid for guid in there if not is_in_use(guids[guid], others)]
    return not all(
        await asyncio.gather(*(is_assigned(guid, vnet, facts["role_assignments_removed"]) for guid in nobodys))
    )


async def _application(peering: Peering, facts: Facts) -> bool:
    """Whether the application still exists, or can be restored: a deleted one may appear late, and is then purged.

    Of an adopted one, whether it has a credential of this app's still.
    """
    removed, application_id = facts["application_removed"], facts.get("application_id")
    async with graph() as client:
        if facts["existing"] == "adopted":
            return application_id is not None and await has_own_credentials(client, peering, application_id)
        if removed == "nothing to delete":
            # Graph may not have shown it all the time.
            return await find_application(client, peering) is not None
        if await or_none(client.applications.by_application_id(removed).get()) is not None:
            return True
    return await _is_deleted(removed) and await purge(removed)


async def _is_deleted(object_id: str) -> bool:
    """Whether an application is among what can be restored, as far as the app may read."""
    try:
        async with graph() as client:
            return await or_none(client.directory.deleted_items.by_directory_object_id(object_id).get()) is not None
    except RemoteError as error:
        if not error.answer.refuses(_FORBIDDEN):
            raise
        return False


async def _platform(facts: Facts) -> bool:
    removed = facts["platform_principal_removed"]
    if removed == "kept" or not isinstance(removed, str):
        return False
    async with graph() as client:
        return await or_none(client.service_principals.by_service_principal_id(removed).get()) is not None


async def _secret(peering: Peering) -> bool:
    return bool(await remotes.one_secret(secret_name(peering["id"])))
