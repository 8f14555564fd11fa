"""The other peerings in the registry that need a peering's shared objects."""

import json
from collections.abc import Mapping
from itertools import chain
from typing import Final

from clients.registry import registry
from peering.facts import Neighbours
from peering.naming import VNetId, same_id
from peering.progress import PeeringState
from peering.spec import Peering

_ROLES: Final = ("user_role_name", "platform_role_name", "ordered_roles")
_NEEDS_NOTHING: Final[tuple[PeeringState, ...]] = ("existing", "removing", "rolling-back")


async def neighbours_of(peering: Peering) -> Neighbours:
    """The other peerings that exist or are being set up; one that is being removed needs nothing.

    Raises:
        ProblemError: `registry-row-newer`: a newer version of the app wrote a row, so its needs are unknown.
    """
    await registry().check_known()
    subscription = VNetId.parse(peering["vnet_id"]).subscription_id.lower()
    staying = " and ".join([f"RowKey ne '{peering['id']}'", *(f"state ne '{state}'" for state in _NEEDS_NOTHING)])
    beside = await registry().columns(f"{staying} and subscription_id eq '{subscription}'", "vnet_id", *_ROLES)
    on_vnet = [row for row in beside if same_id(str(row["vnet_id"]), peering["vnet_id"])]
    return Neighbours(
        on_vnet=bool(on_vnet),
        roles_on_vnet=sorted(chain.from_iterable(map(_roles_of, on_vnet))),
        roles=sorted({name for row in beside for name in _roles_of(row)}),
        any=bool(beside) or bool(await registry().columns(staying, limit=1)),
    )


def _roles_of(row: Mapping[str, object]) -> set[str]:
    """The names of the roles that a peering needs, or that a current start is about to need."""
    ordered: list[str] = json.loads(str(row.get("ordered_roles") or "[]"))
    return {str(row["user_role_name"]), str(row["platform_role_name"]), *ordered}
