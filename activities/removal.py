"""What a removal looks at first, and what it takes away in Entra: only what this app made, and nobody else needs."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from activities import looking
from activities.credentials import withdraw_credentials
from activities.directory import find_application, find_principal
from activities.step import step
from clients.aiven import AivenClient, AivenError, PeeringConnection
from clients.azure import graph
from clients.settings import settings
from peering.checks import Neighbours
from peering.health import side_of
from peering.look import PeeredNetwork
from peering.marks import MARK
from peering.naming import VNetId, same_id
from peering.outcome import Facts, ProblemError, text
from peering.spec import Peering

if TYPE_CHECKING:
    from msgraph.generated.models.application import Application

_NOT_FOUND: Final = 404


@step()
async def belongings(peering: Peering, facts: Facts) -> Facts:
    """What this app made for the peering and still finds; a connection of another application is left with its side.

    A peering that was taken over is handed back: its connection, VNet peering and application stay.
    """
    adopted = facts.get("existing") == "adopted"
    application, connection, vnet, principal = await asyncio.gather(
        _application(peering, facts),
        _connection(peering),
        looking.vnet(peering["vnet_id"]),
        _platform_principal(),
    )
    # What an earlier run knew still tells whose the connection is when the application is gone.
    application_id = application.app_id if application else facts.get("application_id")
    foreign = connection is not None and not same_id(connection.peer_azure_app_id, str(application_id))
    side = None if adopted or foreign else _side(peering, facts, vnet["peered_networks"] if vnet else [])
    gathered: Facts = {
        "existing": "adopted" if adopted else "ours",
        "application_id": application_id,
        "application_object_id": application.id if application else None,
        "user_principal_id": await _user_principal(application.app_id if application else None)
        or facts.get("user_principal_id"),
        "platform_principal_id": principal,
        "vnet_id": vnet["vnet_id"] if vnet else peering["vnet_id"],
        "connection_to_remove": connection.state if connection and not (adopted or foreign) else None,
    }
    if side is None:
        return {**gathered, "vnet_peering_removed": "nothing to delete"}
    if application is None:
        detail = f"Only the application could delete {side['id']}, and it does not exist any more."
        raise ProblemError("application-missing", detail)
    return {**gathered, "vnet_peering_to_remove": side["id"]}


async def _application(peering: Peering, facts: Facts) -> "Application | None":
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    async with graph() as client:
        if facts.get("existing") != "adopted":
            return await find_application(client, peering)
        try:
            return await client.applications_with_app_id(text(facts, "application_id")).get()
        except ODataError as error:
            if error.response_status_code != _NOT_FOUND:
                raise
            return None


async def _connection(peering: Peering) -> PeeringConnection | None:
    async with AivenClient() as aiven:
        try:
            vpc = await aiven.project_vpc(peering["project"], peering["project_vpc_id"])
        except AivenError as error:
            if error.status != _NOT_FOUND:
                raise
            return None
    return vpc.connection_to(VNetId.parse(peering["vnet_id"]))


async def _user_principal(application_id: str | None) -> str | None:
    if application_id is None:
        return None
    async with graph() as client:
        principal = await find_principal(client, application_id)
    return principal.id if principal else None


async def _platform_principal() -> str | None:
    """The platform's service principal, wherever it came from: its assignment on the VNet may be ours."""
    async with graph() as client:
        principal = await find_principal(client, str(settings().platform_application_id))
    return principal.id if principal else None


def _side(peering: Peering, facts: Facts, sides: list[PeeredNetwork]) -> PeeredNetwork | None:
    """This peering's own side: where it leads is known from its run; before that, it goes by its name."""
    if "to_network_id" in facts:
        return side_of(facts, sides)
    return next((side for side in sides if side["name"] == peering["peering_name"]), None)


@step()
async def remove_platform_principal(peering: Peering, facts: Facts) -> Facts:
    """Undo article step 7: delete the platform's service principal if this app made it and no peering needs it.

    Whether one does is seen by the registry, by its role assignments and by the project's connections.
    """
    neighbours, tenant = cast("Neighbours", facts["neighbours"]), text(facts, "automation_tenant_id")
    subscription = VNetId.parse(peering["vnet_id"]).subscription_id
    async with graph() as client:
        principal = await find_principal(client, str(settings().platform_application_id))
        if principal is None or principal.id is None or MARK not in (principal.tags or []) or neighbours["any"]:
            return {"platform_principal_removed": "kept"}
        held = await looking.assignments_in_subscription(subscription, principal.id)
        if held is None or held or await _connected(peering, tenant):
            return {"platform_principal_removed": "kept"}
        await client.service_principals.by_service_principal_id(principal.id).delete()
    return {"platform_principal_removed": principal.id}


async def _connected(peering: Peering, tenant_id: str) -> bool:
    """Whether the Aiven project has a connection to this tenant still."""
    async with AivenClient() as aiven:
        with suppress(AivenError):
            held = await aiven.connections(peering["project"])
            return any(same_id(c.peer_azure_tenant_id, tenant_id) and c.state != "DELETED" for _, c in held)
    return True


@step()
async def remove_application(peering: Peering, facts: Facts) -> Facts:
    """Undo article steps 2 to 4: delete the application, with it its service principal; one taken over stays."""
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    object_id = facts["application_object_id"]
    if not isinstance(object_id, str):
        return {"application_removed": "nothing to delete"}
    async with graph() as client:
        if facts["existing"] == "adopted":
            await withdraw_credentials(client, peering, object_id)
            return {"application_removed": "handed back"}
        try:
            await client.applications.by_application_id(object_id).delete()
        except ODataError as error:
            if error.response_status_code != _NOT_FOUND:
                raise
    return {"application_removed": object_id}
