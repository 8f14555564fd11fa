"""Reading the registry of peerings through Durable Functions' client."""

import json
from typing import cast

from azure.durable_functions import EntityId

from clients.durable import DurableClient, OrchestrationStatus
from peering.registry import ENTITY, INDEX, INDEX_KEY, Record, Registry, empty, entity_key
from peering.spec import Peering


def index() -> EntityId:
    """The id of the one entity that lists the keys of all project VPCs with peerings."""
    return EntityId(INDEX, INDEX_KEY)


async def keys(client: DurableClient) -> list[str]:
    """The keys of all project VPCs that have or had peerings, in order."""
    state = await client.read_entity_state(index())
    return cast("list[str]", state.entity_state or [])


async def registry(client: DurableClient, key: str) -> Registry:
    """The peerings of one project VPC."""
    state = await client.read_entity_state(EntityId(ENTITY, key))
    return cast("Registry", state.entity_state or empty())


async def record_of(client: DurableClient, identity: str, peering: Peering | None) -> Record | None:
    """The record of a peering, or None when it is not in the registry.

    Args:
        client: Durable's client.
        identity: the peering's id.
        peering: the peering, where its orchestration is still known; without it every project VPC is looked through.
    """
    for key in [entity_key(peering["project"], peering["project_vpc_id"])] if peering else await keys(client):
        if (record := (await registry(client, key))["peerings"].get(identity)) is not None:
            return record
    return None


def given_peering(status: OrchestrationStatus) -> Peering | None:
    """The peering in the input of its last orchestration; the SDK hands inputs on decoded or as JSON text."""
    given = status.input_
    if given is None:
        return None
    decoded = cast("dict[str, Peering]", json.loads(given) if isinstance(given, str) else given)
    return decoded.get("peering")
