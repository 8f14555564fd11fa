"""What follows from a check: the log's events, the webhook, and the repairs that are safe."""

import logging
from typing import Final

from clients.durable import DurableClient, start_unless_running
from clients.settings import settings
from peering.checks import FollowUp
from peering.health import DRIFT
from peering.registry import Change, ToRepair
from peering.runs import RunInput, deterministic_id
from peering.spec import Caller
from peering.webhook import Delivery, Event

log: Final = logging.getLogger("aiven_azure_peering.health")

APP: Final = Caller(name="aiven-azure-peering", id=None)


async def follow_up(given: FollowUp, client: DurableClient) -> None:
    """Announce the verdicts that changed, and start the repairs; a peering that a run is at work on gets none."""
    for change in given["changes"]:
        await _announce(change, given, client)
    for wanted in given["repairs"]:
        await _repair(wanted, given, client)


async def _announce(change: Change, given: FollowUp, client: DurableClient) -> None:
    log.log(
        logging.INFO if change["verdict"] == "healthy" else logging.WARNING,
        "event=verdict-changed peering=%s previous=%s verdict=%s codes=%s at=%s",
        *(change["id"], change["previous"], change["verdict"], ",".join(change["codes"]), change["at"]),
    )
    if settings().webhook_url is not None:
        identity = deterministic_id("event", change["id"], change["verdict"], change["at"])
        event = Event(id=identity, type="verdict-changed", change=change)
        delivery = Delivery(event=event, deadlines=given["deadlines"])
        await start_unless_running(client, "deliver", f"event:{identity}", delivery)


async def _repair(wanted: ToRepair, given: FollowUp, client: DurableClient) -> None:
    """Begin one repair; a credential is rotated only when nothing else is amiss, since a run at a time is made."""
    others = [code for code in wanted["codes"] if not DRIFT[code].rotates]
    run = RunInput(
        peering=wanted["peering"],
        deadlines=given["deadlines"],
        run=deterministic_id("repair", wanted["id"], given["at"])[:8],
        by=APP,
        codes=others or wanted["codes"],
        revision=wanted["revision"],
    )
    function = "repair" if others else "rotate"
    started = await start_unless_running(client, function, wanted["id"], run)
    log.info(
        "event=repair-%s peering=%s operation=%s codes=%s",
        *("started" if started else "put-off", wanted["id"], function, ",".join(run["codes"])),
    )
