"""Invocations share the connections of their worker, and nothing else."""

import asyncio
from typing import cast

import pytest

from activities.steps.aiven import stale_connection
from clients.azure import graph
from local.cloud import LocalCloud
from local.cloud.world.population import establish
from local.cloud.world.world import Connection
from peering.facts import Facts
from peering.outcome import Outcome
from peering.spec import Peering


def test_each_of_many_who_ask_graph_at_once_gets_its_own_answer(cloud: LocalCloud) -> None:
    tenant = cloud.landscape.customer_tenant
    there = [cloud.world.add_application(tenant, f"number {n}", "AzureADMultipleOrgs").app_id for n in range(20)]

    async def asked(application_id: str) -> str | None:
        async with graph() as client:
            found = await client.applications_with_app_id(application_id).get()
        return found.app_id if found is not None else None

    async def all_asked() -> list[str | None]:
        return await asyncio.gather(*map(asked, there))

    assert asyncio.run(all_asked()) == there


@pytest.mark.parametrize("state", ["APPROVED", "PENDING_PEER"])
def test_a_late_poll_deletes_no_connection_that_was_requested_again(cloud: LocalCloud, state: str) -> None:
    world, now = cloud.world, cloud.world.now
    vnet = next(v for v in world.vnets.values() if v.subscription_id == cloud.landscape.subscription)
    vpc, application = next(iter(world.vpcs.values())), world.guid()
    names = (vnet.subscription_id, vnet.group.lower(), vnet.name.lower(), application, cloud.landscape.customer_tenant)
    vpc.connections[:] = [Connection(*names, [], state, now, now)]
    peering = {"id": world.guid(), **vpc.named.names, "vnet_id": vnet.id}
    # As they were found: an ACTIVE connection that has lost its side.
    facts: Facts = {
        "vnet_id": vnet.id,
        "found_connection_state": "ACTIVE",
        "found_connection_application_id": application,
        "peered_networks": [],
        "project_network_cidr": vpc.cidr,
    }

    async def looked() -> Outcome:
        return await stale_connection({"peering": cast("Peering", peering), "facts": facts})

    assert asyncio.run(looked()) == {"facts": {"connection_is_clear": "nothing to delete"}}
    assert [connection.state == "DELETING" for connection in vpc.connections] == [False]


@pytest.mark.parametrize("found", ["DELETED_BY_PEER", "ACTIVE"])
def test_a_late_poll_deletes_no_connection_that_was_rebuilt_with_its_side(cloud: LocalCloud, found: str) -> None:
    vnet = next(v for v in cloud.world.vnets.values() if v.subscription_id == cloud.landscape.subscription)
    vpc = next(iter(cloud.world.vpcs.values()))
    vpc.connections.clear()
    there = establish(cloud.world, cloud.landscape, vnet, vpc)
    peering = {"id": there.peering_id, **vpc.named.names, "vnet_id": vnet.id, "peering_name": "by-hand"}
    # As they were found: a connection that has lost its side, and the side that is gone.
    facts: Facts = {
        "vnet_id": vnet.id,
        "vnet_peering_id": f"{vnet.id}/virtualNetworkPeerings/gone",
        "found_connection_state": found,
        "found_connection_application_id": there.application_id,
        "peered_networks": [],
        "project_network_cidr": vpc.cidr,
        "tries": 1,
    }

    async def looked() -> Outcome:
        return await stale_connection({"peering": cast("Peering", peering), "facts": facts})

    assert asyncio.run(looked()) == {"facts": {"connection_is_clear": "nothing to delete"}}
    assert [connection.state for connection in vpc.connections] == ["ACTIVE"]
