"""Peerings, orders and runs of an empty registry."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final
from uuid import UUID

from azure.data.tables import TableClient

from clients.registry.tables import Registry
from peering.orders import new_order
from peering.progress import RunState
from peering.record import Record, RunRecord
from peering.registry import Ending, Placed, conclude, place, run_record, take
from peering.request import PeeringRequest
from peering.spec import Caller, Deadlines, Fence, Peering
from tests.arbitrary_facts import arbitrary_facts
from tests.cloud.table_services import Tables

BY: Final = Caller(name="operator@example.com", id="1")
DEADLINES: Final = Deadlines(propagation=900, platform=86400)


def run(tables: Tables, test: Callable[[Registry], Awaitable[None]]) -> None:
    """Run a test against an empty registry."""
    for name in ("peerings", "runs"):
        tables.service.create_table_if_not_exists(name)
        _empty(tables.service.get_table_client(name))

    async def opened() -> None:
        async with tables.opened() as service:
            await test(Registry(service))

    asyncio.run(opened())


def _empty(table: TableClient) -> None:
    """Delete all rows, as many at once as one transaction may hold: those of one partition, and 100 at most."""
    rows = sorted(table.list_entities(select=["PartitionKey", "RowKey"]), key=itemgetter("PartitionKey"))
    for _, found in groupby(rows, key=itemgetter("PartitionKey")):
        alike = list(found)
        for first in range(0, len(alike), 100):
            table.submit_transaction([("delete", row) for row in alike[first : first + 100]])


def peering(number: int) -> Peering:
    """One of many peerings."""
    vnet = f"/subscriptions/{UUID(int=number)}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet"
    given = {"project": "p", "project_vpc_id": str(UUID(int=1)), "vnet_id": vnet}
    return PeeringRequest.model_validate(given, strict=False).peering()


async def ask(registry: Registry, wanted: Peering, name: str = "r1", operation: str = "establish") -> Placed:
    """Place an order."""

    def placing(record: Record | None, now: datetime) -> tuple[Record | None, Placed]:
        order = new_order(operation, name, BY, now, DEADLINES)  # type: ignore[arg-type]
        return place(record, {**order, "peering": wanted} if operation == "establish" else order)

    return await registry.change(wanted["id"], placing)


def fence(wanted: Peering, name: str = "r1", execution: str = "x") -> Fence:
    """That of an execution."""
    return Fence(id=wanted["id"], run=name, execution=execution, alive_until="")


async def finish(registry: Registry, wanted: Peering, state: RunState = "connected", **facts: object) -> None:
    """Take the open order and end it; a removal drops the record."""
    at = registry.now.isoformat()

    def ending(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        assert record is not None
        name = record["order"]["run"]
        take(record, "x", at)
        drop = state == "removed"
        end = Ending(fence=fence(wanted, name), state=state, facts=arbitrary_facts(facts), steps={}, at=at, drop=drop)
        assert conclude(record, end) is not None
        return None if drop else record, None

    await registry.change(wanted["id"], ending)


def ran(
    wanted: Peering, name: str, started: datetime, state: RunState = "connected", ended: datetime | None = None
) -> RunRecord:
    """A run that has ended."""
    at = (ended or started).isoformat()
    order = new_order("establish", name, BY, started, DEADLINES)
    record, _ = place(None, {**order, "peering": wanted})
    assert record is not None
    ending = Ending(fence=fence(wanted, name), state=state, facts={}, steps={}, at=at, drop=False)
    return run_record(record, order, ending)
