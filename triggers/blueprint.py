"""Registers the routes of the API, the page and the timers; each module is imported at its first call."""

import os
from collections.abc import Awaitable
from importlib import import_module
from typing import Final

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient
from clients.telemetry import span
from triggers.route_table import ROUTES, Route

#: Module, function, the setting with its NCRONTAB expression, and the default expression.
TIMERS: Final = (
    ("health", "check_all_peerings", "HEALTH_CHECK_SCHEDULE", "0 */15 * * * *"),
    ("resume", "resume_orders", "RESUME_SCHEDULE", "30 */5 * * * *"),
    ("resume", "forget_old_runs", "HISTORY_SCHEDULE", "0 17 3 * * *"),
)

blueprint: Final = Blueprint()


def _register_route(route: Route) -> None:
    async def function(req: func.HttpRequest, client: DurableClient, context: func.Context) -> func.HttpResponse:
        from triggers.routes import answered

        answer = getattr(import_module(f"triggers.{route.module}"), route.name)
        return await answered(answer, req, client, route, context.trace_context.trace_parent)

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
        with span(name):
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
