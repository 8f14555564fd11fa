"""What would hold Azure back from every change, whoever asks: locks, and a subscription that is disabled."""

import asyncio
from typing import Any

from activities.step import step
from clients.azure import read_arm
from clients.remote_errors import RemoteError
from peering.naming import VNetId
from peering.outcome import Facts, Occurrence, ProblemError, text
from peering.spec import Peering

_FORBIDDEN = 403


@step
async def holds(_: Peering, facts: Facts) -> Facts:
    """Whether a lock forbids changes of the VNet, or its subscription is disabled; what may not be read, is not said.

    A lock against deletion alone lets a start through, with a warning: the removal will not be.
    """
    vnet = VNetId.parse(text(facts, "vnet_id"))
    locks, subscription = await asyncio.gather(
        _read(vnet, f"{vnet}/providers/Microsoft.Authorization/locks", "2020-05-01"),
        _read(vnet, vnet.subscription_scope, "2022-12-01"),
    )
    state = (subscription or {}).get("state", "Enabled")
    if state not in ("Enabled", "PastDue"):
        raise ProblemError("subscription-disabled", f"The subscription {vnet.subscription_id} is {state}.")
    levels = [(one["id"], one["properties"]["level"]) for one in (locks or {}).get("value", [])]
    if held := [name for name, level in levels if level == "ReadOnly"]:
        problems = [Occurrence(code="scope-locked", detail=f"A lock forbids every change: {name}.") for name in held]
        raise ProblemError.of(problems)
    warnings = [f"The lock {name} will keep the peering from being removed." for name, _ in levels]
    return {"holds_checked": warnings}


async def _read(vnet: VNetId, path: str, api_version: str) -> dict[str, Any] | None:
    """What a path holds, or None where the app may not read it."""
    try:
        return await read_arm(vnet.subscription_id, path, api_version)
    except RemoteError as error:
        if error.answer.status != _FORBIDDEN:
            raise
        return None
