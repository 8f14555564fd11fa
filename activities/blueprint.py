"""Registers every step's activity."""

from typing import Final

from azure.durable_functions import Blueprint

from activities import access, aiven, directory, network
from activities.step import ACTIVITIES

MODULES: Final = (access, aiven, directory, network)

blueprint: Final = Blueprint()
for _activity in ACTIVITIES.values():
    blueprint.activity_trigger(input_name="request")(_activity)
