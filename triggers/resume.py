"""Resuming orders without a running execution, and cleaning up the engine's and the registry's data."""

import logging
from typing import Final

import azure.functions as func

from clients.durable import DurableClient

log: Final = logging.getLogger("aiven_azure_peering.resume")


async def resume_orders(timer: func.TimerRequest, client: DurableClient) -> None:  # noqa: ARG001 - the binding's
    """Restart overdue orders, end instances that never started, and purge instances that ended an hour ago."""
    from clients.registry.migration import migrate
    from clients.registry.resuming import end_unbegun, purge_ended, resume_overdue, sweep_again

    await migrate(client)
    resumed, swept = await resume_overdue(client), await sweep_again(client)
    log.info("event=resumed orders=%s sweep=%s purged=%s", resumed, swept, await purge_ended(client))
    if unbegun := await end_unbegun(client):
        log.warning("event=unbegun-ended instances=%s", unbegun)


async def forget_old_runs(timer: func.TimerRequest, client: DurableClient) -> None:  # noqa: ARG001 - the binding's
    """Delete runs that ended longer ago than `HISTORY_DAYS`."""
    from clients import repeats
    from clients.registry.resuming import forget_runs

    log.info("event=runs-forgotten count=%s answers=%s", await forget_runs(), await repeats.forget())
