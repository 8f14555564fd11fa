"""What a removal needs of Durable Functions: who else needs what it would take away, and that no other run goes on."""

from contextlib import suppress
from typing import Final, cast

from clients.durable import DurableClient, OrchestrationStatus, start_unless_running
from clients.registry import keys, registry
from peering.checks import Neighbours
from peering.naming import VNetId, same_id
from peering.outcome import Occurrence, Outcome, StepRequest
from peering.runs import STOP, RunInput, wait_instance_id
from peering.spec import Peering

#: What of an orchestration's custom status is read here.
_Steps = dict[str, dict[str, str]]
_REMOVE: Final = "remove"


async def neighbours(request: StepRequest, client: DurableClient) -> Outcome:
    """Who else of the registry needs what this peering shares with others."""
    peering, subscription = request["peering"], VNetId.parse(request["peering"]["vnet_id"]).subscription_id
    others: list[Peering] = []
    for key in await keys(client):
        records = (await registry(client, key))["peerings"].values()
        # One that is being removed itself needs nothing any more.
        staying = [record for record in records if record.get("state") not in ("existing", "removing")]
        others += [record["peering"] for record in staying if record["peering"]["id"] != peering["id"]]
    beside = [o for o in others if same_id(VNetId.parse(o["vnet_id"]).subscription_id, subscription)]
    found = Neighbours(
        on_vnet=any(same_id(o["vnet_id"], peering["vnet_id"]) for o in others),
        roles=sorted({name for o in beside for name in (o["user_role_name"], o["platform_role_name"])}),
        any=bool(others),
    )
    return {"facts": {"neighbours": found}}


async def begin_removal(given: RunInput, client: DurableClient) -> Outcome:
    """Start the removal; as long as another run of the peering is under way, ask that one to stop instead."""
    identity = given["peering"]["id"]
    if await start_unless_running(client, _REMOVE, identity, given):
        return {"facts": {}}
    status = await client.get_status(identity)
    if status.name == _REMOVE:
        return {"facts": {}}
    for instance in (identity, *_waits(identity, status)):
        # Whatever has ended meanwhile needs no event; the next look tells.
        with suppress(Exception):
            await client.raise_event(instance, STOP)
    return {"problem": Occurrence(code="run-still-ending", detail=f"{status.name} is asked to stop.")}


def _waits(identity: str, status: OrchestrationStatus) -> list[str]:
    """The instances that wait on behalf of a run."""
    progress = cast("dict[str, object]", status.custom_status or {})
    steps = cast("_Steps", progress.get("steps", {}))
    return [
        wait_instance_id(identity, str(progress["run"]), name)
        for name, step in steps.items()
        if step["state"] == "waiting"
    ]
