"""Registers every step's activity. A module, and the SDKs it needs, is imported when one of its steps first runs.

Each call is a span, of the trace of the order that it works for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from azure.durable_functions import Blueprint

from clients.durable import DurableClient
from clients.telemetry import span, trace_of
from clients.unhandled import without_causes

if TYPE_CHECKING:
    from peering.outcome import Looks, Outcome, StepRequest

#: The steps of each module.
MODULES: Final = {
    "steps.access": ("user_role", "user_role_assignment", "platform_role", "platform_role_assignment"),
    "steps.aiven": (
        *("project_vpc", "price", "stale_connection", "peering_connection", "pending_peer", "active"),
        "remove_connection",
    ),
    "steps.credentials": (
        *("application_credential", "new_credential", "prove_credential", "retire_credential", "discard_credential"),
        *("retire_unknown_credentials", "remove_secret"),
    ),
    "looks.diagnosis": ("diagnose",),
    "steps.directory": (
        *("sign_in", "tenant", "ownership", "application", "user_service_principal", "platform_service_principal"),
    ),
    "checks.check": ("check_one",),
    "checks.sweep_looks": ("plan_sweep", "look_at_secrets", "look_at_assignments", "look_at_project_vpcs"),
    "checks.sweep": ("end_sweep",),
    "orders": (*("take_order", "renew_order", "enter_order_phase", "conclude_order", "note_superseded", "note_lost"),),
    "steps.network": (
        "vnet",
        "stale_peering",
        "orphaned_peering",
        "vnet_peering",
        "connected",
        "sync",
        "remove_vnet_peering",
    ),
    "steps.inventory": ("inventory",),
    "steps.preflight": ("address_spaces", "automation_rights", "limits", "password_policy"),
    "steps.removal": ("belongings", "neighbours", "remove_application", "remove_platform_principal"),
    "steps.holds": ("holds",),
    "looks.start": ("look_ahead",),
    "steps.removed_rights": ("surplus_rights", "release_rights", "remove_role_assignments", "remove_roles"),
    "steps.last_look": ("last_look",),
    "checks.webhook": ("next_event", "deliver_event", "note_delivered"),
}

#: The same for activities that use the client of Durable Functions.
WITH_CLIENT: Final = {
    "checks.deliveries": ("begin_delivery", "begin_deliveries"),
    "checks.sweep": ("check_vnets", "note_unseen"),
    "orders": ("stop_waits",),
}

#: The modules whose activities do not wait for their turn. They call only the registry, the engine or the webhook, pace
#: themselves, or have a caller who waits.
_AT_ONCE: Final = ("looks.diagnosis", "checks.check", "checks.sweep", "checks.sweep_looks", "orders", "checks.webhook")

blueprint: Final = Blueprint()


def _register(module: str, name: str) -> None:
    async def at_once(request: object) -> object:
        with span(name, trace_of(request)), without_causes():
            result: object = await getattr(import_module(f"activities.{module}"), name)(request)
            return result

    async def in_its_turn(request: object) -> object:
        async def do() -> "Outcome | Looks":
            result: Outcome | Looks = await getattr(import_module(f"activities.{module}"), name)(request)
            return result

        from activities.turns import in_turn

        with span(name, trace_of(request)), without_causes():
            return await in_turn(name, cast("StepRequest", request), do)

    activity = at_once if module in _AT_ONCE else in_its_turn
    activity.__name__ = name
    blueprint.activity_trigger(input_name="request")(activity)


def _register_with_client(module: str, name: str) -> None:
    async def activity(request: object, client: DurableClient) -> object:
        with span(name, trace_of(request)), without_causes():
            result: object = await getattr(import_module(f"activities.{module}"), name)(request, client)
            return result

    activity.__name__ = name
    with_client = blueprint.durable_client_input(client_name="client")(activity)
    blueprint.activity_trigger(input_name="request")(with_client)


for _register_one, _modules in ((_register, MODULES), (_register_with_client, WITH_CLIENT)):
    for _module, _names in _modules.items():
        for _name in _names:
            _register_one(_module, _name)
