"""Registers the routes of the API, the page and the timers; each module is imported at its first call."""

from collections.abc import Awaitable
from importlib import import_module
from typing import Final

import azure.functions as func
from azure.durable_functions import Blueprint

from clients.durable import DurableClient
from clients.telemetry import span
from clients.unhandled import without_causes
from triggers.route_table import ROUTES, Route
from triggers.timers import TIMERS, Timer

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


def _register_timer(registered: Timer) -> None:
    async def function(timer: func.TimerRequest, client: DurableClient) -> None:
        with span(registered.name), without_causes():
            module = import_module(f"triggers.{registered.module}")
            due: Awaitable[None] = getattr(module, registered.name)(timer, client)
            await due

    function.__name__ = registered.name
    with_client = blueprint.durable_client_input(client_name="client")(function)
    blueprint.timer_trigger(arg_name="timer", schedule=registered.schedule)(with_client)


for _route in ROUTES:
    _register_route(_route)
_register_page()
for _timer in TIMERS:
    _register_timer(_timer)
