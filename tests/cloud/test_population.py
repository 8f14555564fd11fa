"""A world filled with established peerings: each of them works, and a request costs the same as among few."""

import statistics
import time
from collections.abc import Callable

import httpx
import pytest

from local.clock import VirtualClock
from local.cloud import Scenario, World
from local.cloud.server.gateway import Gateway
from local.cloud.server.hosts import HOSTS
from local.cloud.server.wire import Request
from local.cloud.world.landscape import build
from local.cloud.world.platform import settle
from local.cloud.world.population import establish
from tests.cloud.callers import SCOPES, Callers

AUTHORIZATION = "/providers/Microsoft.Authorization"
#: Reading everything would take five times as long.
_SAME = 2.5


def test_an_established_peering_works(cloud: Callers) -> None:
    made = cloud.establish()
    password = cloud.vault("GET", f"/secrets/{made.secret_name}/{made.secret_version}").json()["value"]
    given = {"client_id": made.application_id, "client_secret": password}
    ours, theirs = cloud.token("arm", **given), cloud.token("arm", **given, tenant=made.to_tenant_id)
    headers = {"authorization": f"Bearer {ours}", "x-ms-authorization-auxiliary": f"Bearer {theirs}"}
    body = {"properties": {"remoteVirtualNetwork": {"id": made.to_network_id}, "allowVirtualNetworkAccess": True}}
    answer = httpx.put(f"{SCOPES['arm']}{made.vnet_peering_id}?api-version=2026-03-01", headers=headers, json=body)
    assert (answer.status_code, answer.json()["properties"]["peeringState"]) == (200, "Connected")
    for found in (
        made.user_role_id,
        made.user_role_assignment_id,
        made.platform_role_id,
        made.platform_role_assignment_id,
    ):
        assert cloud.arm("GET", found).json()["id"] == found
    (connection,) = cloud.aiven("GET", f"/vpcs/{cloud.vpc.id}").json()["peering_connections"]
    assert (connection["state"], connection["peer_azure_app_id"]) == ("ACTIVE", made.application_id)


def test_a_pair_is_established_once(cloud: Callers) -> None:
    cloud.establish()
    cloud.vnet.prefixes = ["10.240.0.0/24"]
    with pytest.raises(ValueError, match="VnetAddressSpacesOverlap"):
        cloud.establish(peering_id="another")


def many(of_vnets: int = 100) -> tuple[World, list[tuple[str, Callable[[], float]]]]:
    """Ten peerings of each VNet with 20 project VPCs; requests of a health sweep, each with what it takes, in ms."""
    world = World(Scenario(vnets=of_vnets, project_vpcs=20), VirtualClock(), seed=1)
    found = build(world)
    vnets = [vnet for vnet in world.vnets.values() if vnet.subscription_id == found.subscription]
    vpcs = list(world.vpcs.values())
    made = [
        establish(world, found, vnets[n % of_vnets], vpcs[(n // of_vnets * 2 + n % 2) % 20])
        for n in range(10 * of_vnets)
    ]
    gateway = Gateway(world, HOSTS["AzureCloud"])

    def ask(service: str, path: str, **query: str) -> Callable[[], float]:
        host = SCOPES.get(service, "https://api.aiven.io").removeprefix("https://")
        token = gateway.entra.issue(found.automation, f"https://{host}") if service in SCOPES else world.aiven_token
        headers = {"authorization": f"Bearer {token}"}
        whole = f"{found.vault}.{host}" if service == "vault" else host
        request = Request("GET", whole, path, {"api-version": "x", **query}, headers, b"")

        def measure() -> float:
            began = time.thread_time()
            assert gateway.answer(service, request)[0].status == 200
            return (time.thread_time() - began) * 1000

        return measure

    one = made[5 * of_vnets]
    vnet_id = one.vnet_peering_id.partition("/virtualNetworkPeerings")[0]
    ids = ",".join(f"'{each.application_id}'" for each in made[:15])
    of_principal = f"principalId eq '{one.user_principal_id}'"
    return world, [
        ("VNet", ask("arm", vnet_id)),
        ("assignments", ask("arm", f"{vnet_id}{AUTHORIZATION}/roleAssignments", **{"$filter": of_principal})),
        ("permissions", ask("arm", f"{vnet_id}{AUTHORIZATION}/permissions")),
        ("applications", ask("graph", "/v1.0/applications", **{"$filter": f"appId in ({ids})"})),
        ("secrets", ask("vault", "/secrets")),
    ]


def test_a_request_costs_among_a_thousand_peerings_what_it_costs_among_two_hundred() -> None:
    world, requests = many()
    assert (len(world.applications), len(world.assignments) > 2000) == (1002, True)
    for (name, among_many), (_, among_few) in zip(requests, many(20)[1], strict=True):
        ratio = min(among_many() for _ in range(51)) / min(among_few() for _ in range(51))
        assert ratio < _SAME, (name, ratio)


def test_all_of_a_thousand_peerings_are_at_rest() -> None:
    world, _ = many()
    settle(world)
    assert {connection.state for _, connection in world.connections()} == {"ACTIVE"}
    assert world.rest.until is None


def test_no_answer_is_held_back_on_an_open_connection(cloud: Callers) -> None:
    url = f"https://api.aiven.io/v1/project/{cloud.vpc.owner}/vpcs"
    headers = {"authorization": f"aivenv1 {cloud.cloud.environment['AIVEN_AUTH_TOKEN']}"}
    taken = []
    with httpx.Client(headers=headers) as client:
        for _ in range(21):
            began = time.perf_counter()
            client.get(url).raise_for_status()
            taken.append(time.perf_counter() - began)
    # A delayed acknowledgement takes 40 ms.
    assert statistics.median(taken) < 0.03
