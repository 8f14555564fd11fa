"""Registers the routes of the API, the page and the timers; the module of each is imported when it is first called."""

import os
from collections.abc import Awaitable
from importlib import import_module
from typing import Final, Literal, NamedTuple

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient

#: Who may call a route: whoever may read, or only who may also change things.
Role = Literal["reader", "operator"]


class Route(NamedTuple):
    """A route: the module and the function that answer it, its path below `/api/`, its query parameters, who may."""

    module: str
    name: str
    method: str
    path: str
    parameters: tuple[str, ...]
    role: Role


#: What peerings are filtered by, in lists and where many are changed at once.
FILTERS: Final = (
    *("project", "project_vpc_id", "organization_id", "organization_vpc_id"),
    *("vnet_id", "vnet", "subscription_id", "label", "paused"),
    *("state", "operation", "verdict", "problem", "requested_by"),
)
_LIST: Final = ("limit", "cursor", "sort", "count", "search", "changedSince", *FILTERS)
ROUTES: Final = (
    Route("peerings", "start_peering", "POST", "peerings", ("dryRun",), "operator"),
    Route("peerings", "list_peerings", "GET", "peerings", _LIST, "reader"),
    Route("peering", "show_peering", "GET", "peerings/{id}", (), "reader"),
    Route("peering", "show_runs", "GET", "peerings/{id}/runs", (), "reader"),
    Route("peering", "show_run", "GET", "peerings/{id}/runs/{run}", (), "reader"),
    Route("peering", "report_peering", "GET", "peerings/{id}/report", ("format",), "reader"),
    Route("changes", "change_peering", "PATCH", "peerings/{id}", ("dryRun",), "operator"),
    Route("changes", "remove_peering", "DELETE", "peerings/{id}", ("dryRun",), "operator"),
    Route("changes", "check_peering", "POST", "peerings/{id}/check", (), "operator"),
    Route("changes", "rotate_peering", "POST", "peerings/{id}/rotate", (), "operator"),
    Route("changes", "cancel_run", "POST", "peerings/{id}/cancel", (), "operator"),
    Route("pauses", "pause_peering", "POST", "peerings/{id}/pause", (), "operator"),
    Route("pauses", "resume_peering", "POST", "peerings/{id}/resume", (), "operator"),
    Route("pauses", "pause_peerings", "POST", "pause", FILTERS, "operator"),
    Route("pauses", "resume_peerings", "POST", "resume", FILTERS, "operator"),
    Route("checks", "check_peerings", "POST", "checks", FILTERS, "operator"),
    Route("overview", "show_overview", "GET", "overview", (), "reader"),
    Route("self_check", "check_app", "GET", "self-check", ("project", "vnet_id"), "reader"),
    Route("refusals", "list_refusals", "GET", "refusals", (), "reader"),
    Route("health", "list_unmanaged", "GET", "unmanaged", (), "reader"),
    Route("problems", "list_problems", "GET", "problems", (), "reader"),
    Route("problems", "show_problem", "GET", "problems/{code}", (), "reader"),
    Route("documents", "show_openapi", "GET", "openapi.json", (), "reader"),
    Route("documents", "show_docs", "GET", "docs", (), "reader"),
)
#: Module, function, the setting with its NCRONTAB expression, and the one that holds without it.
TIMERS: Final = (
    ("health", "check_all_peerings", "HEALTH_CHECK_SCHEDULE", "0 */15 * * * *"),
    ("resume", "resume_orders", "RESUME_SCHEDULE", "30 */5 * * * *"),
    ("resume", "forget_old_runs", "HISTORY_SCHEDULE", "0 17 3 * * *"),
)

blueprint: Final = Blueprint()


def _register_route(route: Route) -> None:
    async def function(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:
        from triggers.routes import answered

        return await answered(getattr(import_module(f"triggers.{route.module}"), route.name), req, client, route)

    function.__name__ = route.name
    with_client = blueprint.durable_client_input(client_name="client")(function)
    blueprint.route(route=route.path, methods=[route.method])(with_client)


def _register_page() -> None:
    async def function(req: func.HttpRequest) -> func.HttpResponse:
        from triggers.page import show_page

        return await show_page(req)

    function.__name__ = "show_page"
    page = blueprint.route(route="ui/{file?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    page(function)


def _register_timer(module: str, name: str, setting: str, schedule: str) -> None:
    async def function(timer: func.TimerRequest, client: DurableClient) -> None:
        due: Awaitable[None] = getattr(import_module(f"triggers.{module}"), name)(timer, client)
        await due

    function.__name__ = name
    with_client = blueprint.durable_client_input(client_name="client")(function)
    blueprint.timer_trigger(arg_name="timer", schedule=os.environ.get(setting) or schedule)(with_client)


for _route in ROUTES:
    _register_route(_route)
_register_page()
for _timer in TIMERS:
    _register_timer(*_timer)
