"""Registers the entities."""

from typing import Final

from azure.durable_functions import Blueprint

from entities.registry import registry, registry_index

blueprint: Final = Blueprint()
for _entity in (registry, registry_index):
    blueprint.entity_trigger(context_name="context")(_entity)
