"""The start of deliveries: of the events of one peering, or of a batch from a check of all."""

from typing import Final

from clients.durable import DurableClient, start_unless_running
from clients.registry import sweeps
from clients.side_by_side import side_by_side
from peering.calls import DELIVER
from peering.runs import delivery_instance_id
from peering.sweep import Piece, PieceResult
from peering.webhook import Delivery

#: How many deliveries are started in parallel.
_AT_ONCE: Final = 8


async def begin_delivery(given: Delivery, client: DurableClient) -> None:
    """Start the delivery of a peering's events; a running one includes events that arrived since."""
    await start_unless_running(client, DELIVER, delivery_instance_id(given["id"]), given)


async def begin_deliveries(given: Piece, client: DurableClient) -> PieceResult:
    """Start those of peerings that are not checked; repeated if any failed: running ones continue."""

    async def begin(peering_id: str) -> None:
        await begin_delivery(Delivery(id=peering_id, deadlines=given["deadlines"], after=""), client)

    (number,) = given["numbers"]
    undelivered = await sweeps.undelivered(given["at"], number)
    failures = (await side_by_side(begin, undelivered, at_once=_AT_ONCE)).failures
    return PieceResult(again=given["numbers"] if failures else [])
