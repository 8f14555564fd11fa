"""The scheduled check of all peerings, and the connections that no peering of this app has."""

import logging
from typing import Final

import azure.functions as func
from typing_extensions import TypedDict

from clients import pauses
from clients.durable import DurableClient, start_unless_running
from clients.registry import registry
from clients.registry.migration import check_migrated
from peering.aiven_vpc import AivenVpc, VpcNames
from peering.calls import CHECK_HEALTH
from peering.look import ConnectionLook
from peering.naming import VNetId
from peering.outcome import ProblemError
from peering.runs import SWEEP
from peering.sweep import Sweep
from triggers.documents.answers import json_answer

log: Final = logging.getLogger("aiven_azure_peering.health")


class Leading(TypedDict, total=False):
    """The VNet that a connection leads to; records of versions before 0.2.0 do not name it."""

    vnet_id: str


class Unmanaged(ConnectionLook, VpcNames, Leading):
    """A connection that no peering of this app has, with its VPC and its VNet."""


class UnmanagedDocument(TypedDict):
    """The connections of known VPCs in Aiven that no peering of this app has."""

    unmanaged: list[Unmanaged]


async def check_all_peerings(timer: func.TimerRequest, client: DurableClient) -> None:
    """Start a check of all peerings, unless the last one is still running."""
    from clients.settings import settings

    if (pause := await pauses.of_all()) is not None:
        log.info("event=check-paused until=%s", pause["until"])
        return
    try:
        await check_migrated(client)
    except ProblemError as error:
        log.warning("event=check-put-off problem=%s", error.occurrence["code"])
        return
    check = Sweep(repairs=True, deadlines=settings().deadlines)
    started = await start_unless_running(client, CHECK_HEALTH, SWEEP, check)
    log.info("event=check-%s past_due=%s", "started" if started else "still-running", timer.past_due)


async def list_unmanaged(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the binding's
    """`GET /api/unmanaged`: connections of the known VPCs that no peering of this app has."""
    found: list[Unmanaged] = [
        {**AivenVpc.of(vpc).names, **connection, **_vnet_id(connection)}
        for vpc in await registry().unmanaged()
        for connection in vpc["connections"]
    ]
    return json_answer(UnmanagedDocument(unmanaged=found))


def _vnet_id(connection: ConnectionLook) -> Leading:
    if "account" not in connection:
        return {}
    return {"vnet_id": str(VNetId(connection["account"], connection["resource_group"], connection["vnet"]))}
