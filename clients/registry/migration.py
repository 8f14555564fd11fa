"""The one-time migration of the registry of version 0.2.0, which was stored in Durable entities.

The rows are written first, then the old version's instances are terminated, then a marker is written. Orders
are taken only after the marker: each execution sees all peerings, and no old instance runs in parallel. Each
part may be repeated. The entities stay as they are.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from azure.durable_functions import EntityId, OrchestrationRuntimeStatus

from clients.durable import DurableClient, EntityState, OrchestrationStatus, end_instance, is_running
from clients.registry import registry
from peering.calls import RUN_ORDER
from peering.migration import (
    ENTITY,
    INDEX,
    INDEX_KEY,
    Asked,
    OldRecord,
    OldRegistry,
    asked_of,
    instances_of,
    migrated,
    migrated_runs,
    started,
    unmanaged_of,
)
from peering.outcome import ProblemError
from peering.record import Record
from peering.runs import SWEEP

log: Final = logging.getLogger("aiven_azure_peering.migration")

#: The number of peerings that are migrated in parallel.
_AT_ONCE: Final = 8
_UNDER_WAY: Final = (OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending)
_REASON: Final = "the registry is migrated"
_SILENT: Final = "The engine does not list its instances."


async def check_migrated(client: DurableClient) -> None:
    """Whether changes may be made.

    Raises:
        ProblemError: `registry-being-migrated`.
    """
    if not await _is_done(client):
        raise ProblemError("registry-being-migrated", "The timer that resumes orders migrates it.")


async def _is_done(client: DurableClient) -> bool:
    """Whether the marker exists; it is written immediately if there are no entities and no old instances."""
    if await registry().is_migrated():
        return True
    if await _keys(client) or await _starts(client):
        return False
    await registry().note_migrated()
    return True


async def migrate(client: DurableClient) -> None:
    """Migrate the registry, unless that is done.

    Raises:
        ProblemError: `registry-being-migrated`, if an old instance does not end; the next call continues.
    """
    if await _is_done(client):
        return
    gate, known = asyncio.Semaphore(_AT_ONCE), set[str]()
    for key in await _keys(client):
        old = await _old_registry(client, key)
        known |= set(old["peerings"])
        bringing = (_bring_over(client, record, gate) for record in old["peerings"].values())
        # A failure of one does not affect the others.
        for failure in await asyncio.gather(*bringing, return_exceptions=True):
            if failure is not None:
                raise failure
        if old["unmanaged"]:
            await registry().note_unmanaged(unmanaged_of(key, old))
    # The engine lists a bounded number of instances: once the known ones have ended, few are left.
    await _bring_over_starts(client, known)
    await _end(client, SWEEP)
    await registry().note_migrated()
    log.warning("event=registry-migrated peerings=%s", len(known))


async def _keys(client: DurableClient) -> list[str]:
    """The keys of the entities that held peerings."""
    try:
        state: EntityState[list[str]] = await client.read_entity_state(EntityId(INDEX, INDEX_KEY))
    except Exception as error:  # the SDK raises a bare exception
        raise ProblemError("registry-being-migrated", _SILENT) from error
    return state.entity_state or []


async def _old_registry(client: DurableClient, key: str) -> OldRegistry:
    state: EntityState[OldRegistry] = await client.read_entity_state(EntityId(ENTITY, key))
    return state.entity_state or {"peerings": {}, "unmanaged": []}


async def _bring_over(client: DurableClient, old: OldRecord, gate: asyncio.Semaphore) -> None:
    """Write a peering's rows, unless they exist, and end its old instances."""
    from clients.settings import settings

    peering_id, deadlines = old["peering"]["id"], settings().deadlines
    async with gate:
        if await registry().record(peering_id) is None:
            asked = await _asked(client, peering_id)
            record = migrated(old, asked, registry().now, deadlines)
            for run in migrated_runs(record, deadlines):
                await registry().history.note(run)
            await _write(peering_id, record)
        last = [run["run"] for run in old["runs"][-1:] if "ended" not in run]
        await _end_all(client, instances_of(peering_id, last))


async def _starts(client: DurableClient) -> set[str]:
    """The peerings for which an instance of the old version carries out a start."""
    try:
        found = await client.get_status_by(None, None, list(_UNDER_WAY))
    except Exception as error:  # the SDK raises a bare exception
        raise ProblemError("registry-being-migrated", _SILENT) from error
    return {one.instance_id for one in found if one.name == "establish" and one.instance_id is not None}


async def _bring_over_starts(client: DurableClient, known: set[str]) -> None:
    """Write the rows of starts that were accepted but are not in the old registry."""
    for peering_id in sorted(await _starts(client) - known):
        asked = _asked_of(await client.get_status(peering_id, show_input=True))
        record = started(asked, registry().now) if asked else None
        if record is not None:
            await _write(peering_id, record)
        await _end_all(client, [peering_id, *instances_of(peering_id, [])])


async def _write(peering_id: str, record: Record) -> None:
    def writing(held: Record | None, _: datetime) -> tuple[Record, None]:
        return held or record, None

    await registry().change(peering_id, writing)


async def _asked(client: DurableClient, peering_id: str) -> list[Asked]:
    """What the instances of a peering that have not ended were started for."""
    statuses = [await client.get_status(one, show_input=True) for one in instances_of(peering_id, [])]
    found = [_asked_of(status) for status in statuses if is_running(status)]
    return [asked for asked in found if asked is not None]


def _asked_of(status: OrchestrationStatus[object]) -> Asked | None:
    given = status.input_
    # The SDK returns inputs either decoded or as JSON text.
    return asked_of(status.name, json.loads(given) if isinstance(given, str) else given)


async def _end_all(client: DurableClient, instances: Sequence[str]) -> None:
    for instance in instances:
        await _end(client, instance)


async def _end(client: DurableClient, instance: str) -> None:
    """End an instance, if it is running; one that carries out an order belongs to this version and continues."""
    status = await client.get_status(instance)
    if is_running(status) and status.name != RUN_ORDER and not await end_instance(client, instance, _REASON):
        raise ProblemError("registry-being-migrated", f"The instance {instance} does not end.")
