"""Registers the workflows."""

from typing import Final

from azure.durable_functions import Blueprint

from orchestrators.check_health import check_health
from orchestrators.deliver import deliver
from orchestrators.establish import establish, repair
from orchestrators.remove import remove, stop_and_remove
from orchestrators.rotate import rotate
from orchestrators.waiting import await_step

blueprint: Final = Blueprint()
for _workflow in (establish, repair, rotate, remove, stop_and_remove, check_health, deliver, await_step):
    blueprint.orchestration_trigger(context_name="context")(_workflow)
