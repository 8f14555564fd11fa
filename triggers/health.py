"""The scheduled check of all peerings, and the connections that no peering of this app has."""

import logging
import os
from typing import Final

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient, start_unless_running
from clients.registry import keys, registry
from orchestrators.check_health import SWEEP
from peering.checks import CheckInput
from triggers.answers import json_answer

blueprint: Final = Blueprint()
log: Final = logging.getLogger("aiven_azure_peering.health")

#: An NCRONTAB expression; every fifteen minutes unless the setting says otherwise.
SCHEDULE: Final = os.environ.get("HEALTH_CHECK_SCHEDULE") or "0 */15 * * * *"


async def check_all_peerings(timer: func.TimerRequest, client: DurableClient) -> None:
    """Start a check of all peerings, unless the last one is still under way."""
    from clients.settings import settings

    check = CheckInput(only=None, repairs=True, deadlines=settings().deadlines)
    started = await start_unless_running(client, "check_health", SWEEP, check)
    log.info("event=check-%s past_due=%s", "started" if started else "still-running", timer.past_due)


async def list_unmanaged(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the binding's
    """`GET /api/unmanaged`: connections of the known project VPCs that no peering of this app has."""
    found = []
    for key in await keys(client):
        held = await registry(client, key)
        peering = next((record["peering"] for record in held["peerings"].values()), None)
        vpc = peering["project_vpc_id"] if peering else key.partition("|")[2]
        project = peering["project"] if peering else key.partition("|")[0]
        found += [{"project": project, "project_vpc_id": vpc, **connection} for connection in held["unmanaged"]]
    return json_answer({"unmanaged": found})


_checked = blueprint.durable_client_input(client_name="client")(check_all_peerings)
blueprint.timer_trigger(arg_name="timer", schedule=SCHEDULE)(_checked)
_listed = blueprint.durable_client_input(client_name="client")(list_unmanaged)
blueprint.route(route="unmanaged", methods=["GET"])(_listed)
