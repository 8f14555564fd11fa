"""Registers the workflows. Their modules are imported when one of them first runs."""

from importlib import import_module
from typing import Final

from azure.durable_functions import Blueprint

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.histories import remember_moments

#: Which module has which workflow.
WORKFLOWS: Final = {
    "run_order": "run_order",
    "check_health": "check_health",
    "deliver": "deliver",
    "await_step": "waiting",
}

blueprint: Final = Blueprint()


def _register(name: str, module: str) -> None:
    def workflow(context: OrchestrationContext) -> Workflow[object]:
        begun: Workflow[object] = getattr(import_module(f"orchestrators.{module}"), name)(context)
        return begun

    workflow.__name__ = name
    blueprint.orchestration_trigger(context_name="context")(workflow)


remember_moments()
for _name, _module in WORKFLOWS.items():
    _register(_name, _module)
