"""A local cloud with connected peerings, in the cloud and in the registry; some of them are unhealthy."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from local.cloud import LocalCloud
from local.cloud.events import EVENTS
from local.cloud.world.population import Established, establish
from local.cloud.world.world import VNet, Vpc
from local.registry import Start, connected, fill
from peering.facts import Facts
from peering.naming import VNetPeeringId
from peering.progress import StepProgress
from peering.record import Record
from peering.request import PeeringRequest
from peering.spec import Caller
from peering.step_names import StepName
from peering.steps import STEPS
from peering.verdicts import Checked, judge

#: The events that make peerings unhealthy, each with its parameters.
_ILLS: Final[tuple[tuple[str, Callable[[Established], Mapping[str, object]]], ...]] = (
    ("delete-vnet-peering", lambda made: {"vnet_id": _vnet(made), "remote_id": made.to_network_id}),
    ("expire-passwords", lambda made: {"app_id": made.application_id}),
    ("remove-role-assignments", lambda made: {"principal_id": made.user_principal_id}),
    ("change-address-space", lambda made: {"vnet_id": _vnet(made), "prefixes": ["10.77.0.0/24"]}),
    ("delete-application", lambda made: {"app_id": made.application_id}),
)
#: One unhealthy peering for this number of peerings.
_ILL_EACH: Final = 10
#: Steps that the first start of a VPC and VNet does not need.
_NEEDLESS: Final = (
    *("stale_connection", "stale_peering", "orphaned_peering"),
    *("sync", "surplus_rights", "release_rights"),
)
#: The results of the preflight steps and polls of a first start without obstacles.
_SEEN: Final[Facts] = {
    "existing": "none",
    "found_connection_state": None,
    "found_connection_application_id": None,
    "application_changes": [],
    "side_is_lost": False,
    "addresses_checked": "nothing overlaps",
    "rights_checked": "sufficient",
    "limits_checked": [],
    "holds_checked": [],
    "password_policy_checked": "not readable",
    "connection_is_clear": "nothing to delete",
    "side_is_clear": "no peerings",
    "vnet_is_clear": "no peerings",
    "credential": "secret",
    "user_rights": "standing",
    "rights_settled": "none but those that the start gives",
    "requested_connection_state": "APPROVED",
    "peering_state": "Connected",
    "peering_sync_level": "FullyInSync",
    "in_sync": "FullyInSync",
    "connection_state": "ACTIVE",
}
#: How long the peerings have been connected.
_AGE: Final = timedelta(days=1)


def _vnet(made: Established) -> str:
    return str(VNetPeeringId.parse(made.vnet_peering_id).vnet)


def _started(made: Established, found: Collection[str], ended: datetime) -> Start:
    """The start that connected a peering: the steps that it needed in sequence, one second each."""
    names = [step.name for step in STEPS if step.name not in (*_NEEDLESS, *found)]
    moments = [ended - timedelta(seconds=left) for left in range(len(names), -1, -1)]
    steps = {
        name: StepProgress(state="done", tries=1, started=started, finished=finished)
        for name, (started, finished) in zip(names, pairwise(map(datetime.isoformat, moments)), strict=True)
    }
    return Start(made.peering_id[:8], Caller(name="network-team@example.com", id=None), moments[0], ended, steps)


def _facts(cloud: LocalCloud, made: Established, vnet: VNet, vpc: Vpc, found: Collection[StepName]) -> Facts:
    """All facts that the start has collected."""
    landscape, price = cloud.landscape, cloud.world.knobs.price_usd
    return {
        **_SEEN,
        **made.facts,
        "tenant_id": landscape.customer_tenant,
        "automation_tenant_id": landscape.customer_tenant,
        "automation_object_id": landscape.automation.id,
        "vnet_id": vnet.id,
        "project_network_cidr": vpc.cidr,
        "cloud_name": vpc.cloud_name,
        "found": [*found],
        "hourly_price_usd": price,
    }


def _found(made: Collection[Established], subscription_id: str) -> list[StepName]:
    """The shared objects that a start finds: the platform's principal, and the roles of its subscription."""
    found: list[StepName] = ["platform_service_principal"] if made else []
    if any(one.user_role_id.split("/")[2] == subscription_id for one in made):
        found += ["user_role", "platform_role"]
    return found


def populate(cloud: LocalCloud, count: int) -> None:
    """Connect the first VNets, each with one of the project VPCs in turn; every tenth becomes unhealthy afterwards.

    The last check was before these events, and found all of them healthy.
    """
    world, landscape, records = cloud.world, cloud.landscape, list[Record]()
    before = list[Established]()
    vnets = [vnet for vnet in world.vnets.values() if vnet.subscription_id in landscape.subscriptions]
    vpcs, ills = list(world.vpcs.values()), 0
    for number, vnet in enumerate(vnets[:count]):
        vpc, is_ill = vpcs[number % len(vpcs)], number % _ILL_EACH == _ILL_EACH - 1
        made = establish(world, landscape, vnet, vpc)
        # An unhealthy peering stays so: its owner chose reports instead of automatic repairs.
        wanted = {**vpc.named.names, "vnet_id": vnet.id, "repair": "off" if is_ill else "safe"}
        request = PeeringRequest.model_validate(wanted, strict=False)
        found = _found(before, vnet.subscription_id)
        peering = request.peering()
        facts = _facts(cloud, made, vnet, vpc, found)
        facts["application_named"] = peering["application_name"]
        record = connected(peering, facts, _started(made, found, world.now - _AGE))
        judge(record, Checked(revision=record["revision"], problems=[]), world.now.isoformat())
        records.append(record)
        before.append(made)
        if is_ill:
            kind, named = _ILLS[ills % len(_ILLS)]
            EVENTS[kind](world, **named(made))
            ills += 1
    fill(cloud, records)
