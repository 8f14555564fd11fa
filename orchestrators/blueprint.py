"""Registers the workflows."""

from typing import Final

from azure.durable_functions import Blueprint

from orchestrators.check_health import check_health
from orchestrators.deliver import deliver
from orchestrators.run_order import run_order
from orchestrators.waiting import await_step

blueprint: Final = Blueprint()
for _workflow in (run_order, check_health, deliver, await_step):
    blueprint.orchestration_trigger(context_name="context")(_workflow)
