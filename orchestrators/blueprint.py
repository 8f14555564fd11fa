"""Registers the workflows."""

from typing import Final

from azure.durable_functions import Blueprint

from orchestrators.establish import establish
from orchestrators.remove import remove
from orchestrators.waiting import await_step

blueprint: Final = Blueprint()
for _workflow in (establish, await_step, remove):
    blueprint.orchestration_trigger(context_name="context")(_workflow)
