"""The other peerings in the registry that need a peering's shared objects."""

from typing import Final

from clients.registry import registry
from peering.facts import Neighbours
from peering.naming import VNetId, same_id
from peering.spec import Peering

_NEEDS_NOTHING: Final = ("existing", "removing", "rolling-back")


async def neighbours_of(peering: Peering) -> Neighbours:
    """The other peerings that exist or are being set up; one that is being removed needs nothing.

    Raises:
        ProblemError: `registry-row-newer`: what a row needs that a newer version wrote is not known.
    """
    await registry().check_known()
    subscription = VNetId.parse(peering["vnet_id"]).subscription_id.lower()
    staying = " and ".join([f"RowKey ne '{peering['id']}'", *(f"state ne '{state}'" for state in _NEEDS_NOTHING)])
    names = ("vnet_id", "user_role_name", "platform_role_name")
    beside = await registry().columns(f"{staying} and subscription_id eq '{subscription}'", *names)
    return Neighbours(
        on_vnet=any(same_id(str(row["vnet_id"]), peering["vnet_id"]) for row in beside),
        roles=sorted({str(row[name]) for row in beside for name in names[1:]}),
        any=bool(beside) or bool(await registry().columns(staying, limit=1)),
    )
