"""Registers every step's activity. A module, and the SDKs it needs, is imported when one of its steps first runs."""

from importlib import import_module
from typing import Final

from azure.durable_functions import Blueprint

from peering.outcome import Outcome, StepRequest

#: Which module does which steps.
MODULES: Final = {
    "access": ("user_role", "user_role_assignment", "platform_role", "platform_role_assignment"),
    "aiven": ("project_vpc", "stale_connection", "peering_connection", "pending_peer", "active"),
    "directory": (
        *("sign_in", "tenant", "ownership", "application", "user_service_principal", "application_secret"),
        "platform_service_principal",
    ),
    "network": ("vnet", "stale_peering", "vnet_peering", "connected"),
}

blueprint: Final = Blueprint()


def _register(module: str, step: str) -> None:
    async def activity(request: StepRequest) -> Outcome:
        outcome: Outcome = await getattr(import_module(f"activities.{module}"), step)(request)
        return outcome

    activity.__name__ = step
    blueprint.activity_trigger(input_name="request")(activity)


for _module, _steps in MODULES.items():
    for _step in _steps:
        _register(_module, _step)
