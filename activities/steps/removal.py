"""The first reads of a removal, and its deletions in Entra: only objects that this app created and no other needs."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from activities.looks import remotes
from activities.looks.neighbours import neighbours_of
from activities.remote_errors import refused_for_good
from activities.step import LOOKS_IN_DIRECTORY, look_again, step
from activities.steps.aiven import check_clear, may_be_connected
from activities.steps.credentials import withdraw_credentials
from activities.steps.directory import find_application, find_principal, with_ids
from clients.aiven_answers import PeeringConnection, Vpc
from clients.aiven_vpcs import owners, vpc_client
from clients.azure import graph
from clients.remote_errors import RemoteError, or_none, unless_refused
from clients.settings import settings
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts, VNetPeering
from peering.marks import MARK
from peering.naming import VNetId, same_id
from peering.outcome import ProblemError
from peering.rights import has_own_name
from peering.sides import own_side
from peering.spec import Peering

if TYPE_CHECKING:
    from msgraph.generated.models.application import Application

log: Final = logging.getLogger("aiven_azure_peering.removal")

#: How often a deleted object may still be listed, some seconds apart.
LOOKS_AT_DELETED: Final = 12


@step
async def belongings(peering: Peering, facts: Facts) -> Facts:
    """The existing objects that this app created for the peering; another application's connection and side stay.

    An adopted peering is handed back: its connection, VNet peering and application stay.
    """
    adopted = facts.get("existing") == "adopted"
    application, vpc, vnet, platform = await asyncio.gather(
        _application(peering, facts), _vpc(peering), remotes.vnet(peering["vnet_id"]), _platform_principal()
    )
    # The facts of earlier runs show who owns the connection if the application is deleted.
    application_id = application.app_id if application else facts.get("application_id")
    wanted = VNetId.parse(peering["vnet_id"])
    if vpc is not None and not adopted:
        check_clear(vpc, wanted, application_id)
    connection = vpc.connection_to(wanted, application_id) if vpc else None
    foreign = connection is not None and not same_id(connection.peer_azure_app_id, str(application_id))
    kept = adopted or foreign
    sides = vnet["peered_networks"] if vnet else []
    side = None if kept else await _side(peering, facts, sides, vpc, connection)
    gathered: Facts = {
        "existing": "adopted" if adopted else "ours",
        "application_id": application_id,
        "application_object_id": application.id if application else None,
        "platform_principal_id": platform or facts.get("platform_principal_id"),
        "vnet_id": vnet["vnet_id"] if vnet else peering["vnet_id"],
        "connection_to_remove": connection.state if connection and not kept else None,
    }
    principal = await _user_principal(application)
    if principal is not None or side is None:
        # To delete the side, one that is missing is created again.
        gathered["user_principal_id"] = principal or facts.get("user_principal_id")
    if side is None:
        return {**gathered, "vnet_peering_removed": "nothing to delete"}
    if application is None:
        detail = f"Only the application could delete {side}, and it no longer exists."
        raise ProblemError("application-missing", detail)
    return {**gathered, "vnet_peering_to_remove": side}


async def _application(peering: Peering, facts: Facts) -> "Application | None":
    """The application; a recorded one that is not listed is read again before it counts as deleted."""
    recorded = facts.get("application_object_id")
    async with graph() as client:
        found = None if facts.get("existing") == "adopted" else await find_application(client, peering)
        if found is not None or not isinstance(recorded, str) or facts.get("application_removed") == recorded:
            return found
        found = with_ids(await or_none(client.applications.by_application_id(recorded).get()))
    if found is not None:
        return found
    look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", f"Graph does not list the application {recorded}.")
    return None


async def _vpc(peering: Peering) -> Vpc | None:
    return await vpc_client(AivenVpc.of(peering)).read_unless_gone()


async def _user_principal(application: "Application | None") -> str | None:
    if application is None or application.app_id is None:
        return None
    async with graph() as client:
        principal = await find_principal(client, application.app_id)
    return principal.id if principal else None


async def _platform_principal() -> str | None:
    """The platform's service principal, wherever it came from: its assignment on the VNet may be ours."""
    async with graph() as client:
        principal = await find_principal(client, str(settings().platform_application_id))
    return principal.id if principal else None


async def _side(
    peering: Peering,
    facts: Facts,
    sides: list[VNetPeering],
    vpc: Vpc | None,
    connection: PeeringConnection | None,
) -> str | None:
    """The ARM id of this peering's own side, by where it leads; by its recorded id where a list does not show it."""
    named = connection.state_info.to_network_id if connection and connection.state_info else None
    known = facts if "to_network_id" in facts or named is None else {**facts, "to_network_id": named}
    recorded = facts.get("vnet_peering_id")
    side = own_side(peering, known, sides, vpc.ranges if vpc else None)
    if side is None and isinstance(recorded, str):
        single = await remotes.vnet_peering(recorded)
        side = own_side(peering, known, [single] if single else [], None)
        if single is None:
            look_again(facts, 1, "vnet-peering-unseen", f"Azure does not list {recorded}.")
    return side["id"] if side else None


@step
async def neighbours(peering: Peering, facts: Facts) -> Facts:
    """The other peerings in the registry that need the shared objects, and this app's assignments on the VNet."""
    there, others = await asyncio.gather(remotes.assignments_on(facts["vnet_id"]), neighbours_of(peering))
    return {"neighbours": others, "assignments_there": [one for one in there if has_own_name(one)]}


@step
async def remove_platform_principal(peering: Peering, facts: Facts) -> Facts:
    """Undo article step 7: delete the platform's service principal if this app made it and no peering needs it.

    The registry, its role assignments and Aiven's connections show whether a peering needs it. The registry is read
    last, because a start may have begun meanwhile.
    """
    tenant = facts["automation_tenant_id"]
    async with graph() as client:
        principal = await find_principal(client, str(settings().platform_application_id))
        wanted, gone = facts["platform_principal_id"], facts.get("platform_principal_removed")
        if principal is None and isinstance(wanted, str):
            if gone == wanted:
                return {"platform_principal_removed": gone}
            look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", "Graph does not list the platform's.")
        if principal is None:
            return {"platform_principal_removed": "kept"}
        if principal.id is None or principal.tags is None:
            raise ProblemError("remote-unavailable", "Graph left out the id or the tags of the platform's principal.")
        if MARK not in principal.tags:
            return {"platform_principal_removed": "kept"}
        if await _has_roles(peering, principal.id) or await _is_connected(tenant, facts):
            return {"platform_principal_removed": "kept"}
        if (await neighbours_of(peering))["any"]:
            return {"platform_principal_removed": "kept"}
        await or_none(client.service_principals.by_service_principal_id(principal.id).delete())
    return {"platform_principal_removed": principal.id}


async def _has_roles(peering: Peering, principal_id: str) -> bool:
    """Whether the principal has a role in a subscription that the app may see, or may have one that it cannot."""
    own = VNetId.parse(peering["vnet_id"]).subscription_id
    for subscription in {own.lower(), *(s.lower() for s in await remotes.subscriptions(own))}:
        held = await remotes.assignments_in_subscription(subscription, principal_id)
        if held is None or held:
            return True
    return False


async def _is_connected(tenant_id: str, facts: Facts) -> bool:
    """Whether a project or an organization that the Aiven token reaches has a connection to this tenant still.

    Organizations whose networks Aiven refuses to show are skipped.
    """

    def is_in_tenant(connection: PeeringConnection) -> bool | None:
        tenant = connection.peer_azure_tenant_id
        return None if tenant is None else same_id(tenant, tenant_id)

    for owner in await owners():
        looking = may_be_connected(owner, is_in_tenant, facts)
        if await (looking if owner.kind == "project" else unless_refused(looking)):
            return True
    return False


@step
async def remove_application(peering: Peering, facts: Facts) -> Facts:
    """Undo article steps 2 to 4: delete the application, with it its service principal; an adopted one stays."""
    object_id = facts["application_object_id"]
    if not isinstance(object_id, str):
        return {"application_removed": facts.get("application_removed", "nothing to delete")}
    async with graph() as client:
        if facts["existing"] == "adopted":
            await withdraw_credentials(client, peering, facts, object_id)
            return {"application_removed": "handed back"}
        if await side_is_left(peering, facts):
            # Only the application can delete it, in a removal that finds it from the beginning.
            problem = ProblemError("still-there", "Still existing: the VNet peering.", retry_after=5)
            was_deleted = facts["vnet_peering_removed"] == "deleted"
            problem.occurrence["final"] = not was_deleted or facts.get("tries", 0) >= LOOKS_AT_DELETED
            raise problem
        await or_none(client.applications.by_application_id(object_id).delete())
    with suppress(RemoteError):  # The step `last_look` does it again.
        await purge(object_id)
    return {"application_removed": object_id}


async def purge(object_id: str) -> bool:
    """Delete a deleted application permanently, because Entra would reserve its unique name for 30 days.

    A start restores what cannot be found here yet, or what Entra refuses to purge: the removal does not fail for it.

    Args:
        object_id: the application's object id.

    Returns:
        False where Entra refuses.

    Raises:
        RemoteError: it may be tried again.
    """
    try:
        async with graph() as client:
            await or_none(client.directory.deleted_items.by_directory_object_id(object_id).delete())
    except RemoteError as error:
        log.warning("event=application-not-purged application=%s reason=%s", object_id, refused_for_good(error))
        return False
    return True


async def side_is_left(peering: Peering, facts: Facts) -> bool:
    """Whether the recorded side exists; that of an adopted connection, or of another application's, may stay."""
    recorded = facts.get("vnet_peering_id")
    if not isinstance(recorded, str) or facts["existing"] == "adopted":
        return False
    if facts["vnet_peering_removed"] != "deleted" and await _is_anothers(peering, facts):
        return False
    single = await remotes.vnet_peering(recorded)
    # Another peering may have its name meanwhile.
    return single is not None and own_side(peering, facts, [single], None) is not None


async def _is_anothers(peering: Peering, facts: Facts) -> bool:
    vpc = await vpc_client(AivenVpc.of(peering)).read_unless_gone()
    connection = vpc.connection_to(VNetId.parse(peering["vnet_id"])) if vpc is not None else None
    return connection is not None and not same_id(connection.peer_azure_app_id, str(facts.get("application_id")))
