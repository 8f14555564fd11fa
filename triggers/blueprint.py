"""Registers the routes of the API and the timers. Their modules are imported when one of them is first called."""

import os
from collections.abc import Awaitable, Collection
from importlib import import_module
from typing import Final

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient

#: What a list is filtered by.
FILTERS: Final = (
    *("project", "project_vpc_id", "organization_id", "organization_vpc_id", "vnet_id", "subscription_id"),
    *("state", "operation", "verdict", "problem", "requested_by"),
)
#: Module, function, method, route below `/api/`, and the query parameters that it takes.
ROUTES: Final = (
    ("peerings", "start_peering", "POST", "peerings", ("dryRun",)),
    ("peerings", "list_peerings", "GET", "peerings", ("limit", "after", "sort", "count", *FILTERS)),
    ("peering", "show_peering", "GET", "peerings/{id}", ()),
    ("peering", "show_runs", "GET", "peerings/{id}/runs", ()),
    ("peering", "remove_peering", "DELETE", "peerings/{id}", ("dryRun",)),
    ("peering", "check_peering", "POST", "peerings/{id}/check", ()),
    ("peering", "rotate_peering", "POST", "peerings/{id}/rotate", ()),
    ("peering", "cancel_run", "POST", "peerings/{id}/cancel", ()),
    ("peering", "report_peering", "GET", "peerings/{id}/report", ("format",)),
    ("health", "list_unmanaged", "GET", "unmanaged", ()),
    ("problems", "list_problems", "GET", "problems", ()),
    ("problems", "show_problem", "GET", "problems/{code}", ()),
)
#: Module, function, the setting with its NCRONTAB expression, and the one that holds without it.
TIMERS: Final = (
    ("health", "check_all_peerings", "HEALTH_CHECK_SCHEDULE", "0 */15 * * * *"),
    ("resume", "resume_orders", "RESUME_SCHEDULE", "30 */5 * * * *"),
    ("resume", "forget_old_runs", "HISTORY_SCHEDULE", "0 17 3 * * *"),
)

blueprint: Final = Blueprint()


def _register_route(module: str, name: str, method: str, route: str, parameters: Collection[str]) -> None:
    async def function(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
        from triggers.routes import answered

        return await answered(getattr(import_module(f"triggers.{module}"), name), req, client, parameters)

    function.__name__ = name
    with_client = blueprint.durable_client_input(client_name="client")(function)
    blueprint.route(route=route, methods=[method])(with_client)


def _register_timer(module: str, name: str, setting: str, schedule: str) -> None:
    async def function(timer: func.TimerRequest, client: DurableClient) -> None:
        due: Awaitable[None] = getattr(import_module(f"triggers.{module}"), name)(timer, client)
        await due

    function.__name__ = name
    with_client = blueprint.durable_client_input(client_name="client")(function)
    blueprint.timer_trigger(arg_name="timer", schedule=os.environ.get(setting) or schedule)(with_client)


for _route in ROUTES:
    _register_route(*_route)
for _timer in TIMERS:
    _register_timer(*_timer)
