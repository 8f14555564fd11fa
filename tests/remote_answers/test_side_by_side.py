"""Invocations share the connections of their worker, and nothing else."""

import asyncio

from clients.azure import graph
from local.cloud import LocalCloud


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
