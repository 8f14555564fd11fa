"""Peerings put into the registry as runs that connected them would have left them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential

from clients.registry.rows import peering_row
from local.cloud import LocalCloud
from peering.facts import Facts
from peering.orders import new_order
from peering.progress import StepProgress
from peering.record import Record
from peering.registry import Ending, conclude, place, take
from peering.spec import Caller, Deadlines, Fence, Peering
from peering.step_names import StepName

_DEADLINES: Final = Deadlines(propagation=900, platform=86400)
#: Operations that one transaction takes.
_TRANSACTION: Final = 100


@dataclass(frozen=True)
class Start:
    """A start as it was: its run, who asked for it, when it was begun and ended, and its steps."""

    run: str
    by: Caller
    begun: datetime
    ended: datetime
    steps: dict[StepName, StepProgress]


_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BENCH: Final = Start("bench", Caller(name="bench", id=None), _LONG_AGO, _LONG_AGO, {})


def connected(peering: Peering, facts: Facts, start: Start = _BENCH) -> Record:
    """The record of a peering that a start has connected."""
    order = new_order("establish", start.run, start.by, start.begun, _DEADLINES)
    record, _ = place(None, {**order, "peering": peering})
    if record is None:
        raise AssertionError("a start makes no record")
    take(record, start.run, start.begun.isoformat())
    fence = Fence(id=peering["id"], run=start.run, execution=start.run, alive_until="")
    at = start.ended.isoformat()
    conclude(record, Ending(fence=fence, state="connected", facts=facts, steps=start.steps, at=at, drop=False))
    return record


def fill(cloud: LocalCloud, records: Iterable[Record]) -> None:
    """Put records into the registry in a cloud, a hundred at a time."""
    given = cloud.environment
    # This process's own environment may lead elsewhere.
    way: dict[str, Any] = {"proxies": {"https": given["HTTPS_PROXY"]}, "connection_verify": given["SSL_CERT_FILE"]}
    identity = (given[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    credential = ClientSecretCredential(*identity, **way)
    with TableServiceClient(given["REGISTRY_TABLE_ENDPOINT"], credential=credential, **way) as service:
        table = service.create_table_if_not_exists("peerings")
        rows = [("create", peering_row(record)) for record in records]
        for start in range(0, len(rows), _TRANSACTION):
            table.submit_transaction(rows[start : start + _TRANSACTION])
