"""A local cloud with peerings that are connected already, in the cloud and in the registry; some of them are ill."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from local.cloud import LocalCloud
from local.cloud.events import EVENTS
from local.cloud.world.population import Established, establish
from local.registry import Start, connected, fill
from peering.facts import collected
from peering.progress import StepProgress
from peering.record import Record
from peering.request import PeeringRequest
from peering.spec import Caller
from peering.steps import STEPS

#: What has happened to an ill peering, as an event of the cloud's with what it names.
_ILLS: Final[tuple[tuple[str, Callable[[Established], Mapping[str, object]]], ...]] = (
    ("delete-vnet-peering", lambda made: {"vnet_id": _vnet(made), "remote_id": made.to_network_id}),
    ("expire-passwords", lambda made: {"app_id": made.application_id}),
    ("remove-role-assignments", lambda made: {"principal_id": made.user_principal_id}),
    ("change-address-space", lambda made: {"vnet_id": _vnet(made), "prefixes": ["10.77.0.0/24"]}),
    ("delete-application", lambda made: {"app_id": made.application_id}),
)
#: Every so many peerings one is ill.
_ILL_EACH: Final = 10
#: For how long the peerings have been connected.
_AGE: Final = timedelta(days=1)


def _vnet(made: Established) -> str:
    return made.vnet_peering_id.partition("/virtualNetworkPeerings/")[0]


def _started(made: Established, ended: datetime) -> Start:
    """The start that made a peering: its steps one after another, a second each."""
    names = [step.name for step in STEPS]
    moments = [(ended - timedelta(seconds=left)).isoformat() for left in range(len(names), -1, -1)]
    steps = {
        name: StepProgress(state="done", tries=1, started=started, finished=finished)
        for name, (started, finished) in zip(names, pairwise(moments), strict=True)
    }
    return Start(made.peering_id[:8], Caller(name="network-team@example.com", id=None), ended, steps)


def populate(cloud: LocalCloud, count: int) -> None:
    """Connect the first VNets, each with a project VPC, in turn; then something happens to every tenth."""
    world, landscape, records = cloud.world, cloud.landscape, list[Record]()
    vnets = [vnet for vnet in world.vnets.values() if vnet.subscription_id in landscape.subscriptions]
    vpcs, ills = list(world.vpcs.values()), 0
    for number, vnet in enumerate(vnets[:count]):
        vpc, is_ill = vpcs[number % len(vpcs)], number % _ILL_EACH == _ILL_EACH - 1
        made = establish(world, landscape, vnet, vpc)
        # What is ill stays so: its owner wants to hear of it, and to mend it himself.
        wanted = {**vpc.named.names, "vnet_id": vnet.id, "repair": "off" if is_ill else "safe"}
        request = PeeringRequest.model_validate(wanted, strict=False)
        facts = collected({**asdict(made), "vnet_id": vnet.id, "tenant_id": landscape.customer_tenant, "found": []})
        facts |= {"user_rights": "standing", "credential": "secret", "existing": "none"}
        facts |= {"project_network_cidr": vpc.cidr, "cloud_name": vpc.cloud_name}
        facts |= {"peering_state": "Connected", "connection_state": "ACTIVE"}
        records.append(connected(request.peering(), facts, _started(made, world.now - _AGE)))
        if is_ill:
            kind, named = _ILLS[ills % len(_ILLS)]
            EVENTS[kind](world, **named(made))
            ills += 1
    fill(cloud, records)
