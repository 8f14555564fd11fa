"""VNet peerings as Azure keeps them: what each side knows of the other's addresses, and how it learns more."""

from typing import Any

import pytest

from local.clock import VirtualClock
from local.cloud import Scenario, World
from local.cloud.server.wire import ApiError
from local.cloud.world.landscape import Landscape, build
from local.cloud.world.peerings import peering_to, put_side, sync_level
from local.cloud.world.population import establish
from local.cloud.world.world import VNet
from tests.cloud.callers import Callers

Pair = tuple[World, Landscape, VNet, VNet]


@pytest.fixture
def pair() -> Pair:
    """A customer's VNet and the platform's network, peered."""
    world = World(Scenario(), VirtualClock(), seed=1)
    landscape = build(world)
    vnet, vpc = next(iter(world.vnets.values())), next(iter(world.vpcs.values()))
    establish(world, landscape, vnet, vpc)
    return world, landscape, vnet, vpc.network


def levels(pair: Pair) -> tuple[str, str]:
    """The sync levels of the customer's side and of the platform's."""
    world, _, vnet, network = pair
    ours, theirs = peering_to(vnet, network.id), peering_to(network, vnet.id)
    assert ours
    assert theirs
    assert ours.state == theirs.state == "Connected"
    return sync_level(world, ours), sync_level(world, theirs)


def put(pair: Pair, *, sync: bool) -> None:
    """Put the customer's side again."""
    world, _, vnet, network = pair
    side = peering_to(vnet, network.id)
    assert side
    put_side(world, vnet, network, side.name, side.options, sync=sync)


def test_a_change_of_the_remote_network_is_learnt_by_a_sync_only(pair: Pair) -> None:
    assert levels(pair) == ("FullyInSync", "FullyInSync")
    pair[3].prefixes = ["10.241.0.0/20"]
    assert levels(pair) == ("LocalNotInSync", "RemoteNotInSync")
    put(pair, sync=False)
    assert levels(pair) == ("LocalNotInSync", "RemoteNotInSync")
    put(pair, sync=True)
    assert levels(pair) == ("FullyInSync", "FullyInSync")
    assert pair[2].peerings[0].remote_prefixes == ["10.241.0.0/20"]


def test_a_change_of_the_own_network_is_for_the_other_side_to_learn(pair: Pair) -> None:
    pair[2].prefixes = ["10.20.0.0/24"]
    assert levels(pair) == ("RemoteNotInSync", "LocalNotInSync")
    put(pair, sync=True)
    assert levels(pair) == ("RemoteNotInSync", "LocalNotInSync")


def test_both_networks_can_change(pair: Pair) -> None:
    pair[2].prefixes, pair[3].prefixes = ["10.20.0.0/24"], ["10.241.0.0/20"]
    assert levels(pair) == ("LocalAndRemoteNotInSync", "LocalAndRemoteNotInSync")
    put(pair, sync=True)
    assert levels(pair) == ("RemoteNotInSync", "LocalNotInSync")


def test_a_network_that_is_not_provisioned_is_not_peered(pair: Pair) -> None:
    pair[3].provisioning_state = "Updating"
    with pytest.raises(ApiError, match="ReferencedResourceNotProvisioned"):
        put(pair, sync=False)


def test_a_gateway_that_the_other_network_lacks_cannot_be_used(pair: Pair) -> None:
    world, _, vnet, network = pair
    side = peering_to(vnet, network.id)
    assert side
    wanted = {**side.options, "useRemoteGateways": True}
    with pytest.raises(ApiError, match="RemoteVnetHasNoGateways"):
        put_side(world, vnet, network, side.name, wanted)
    network.has_gateway = True
    assert put_side(world, vnet, network, side.name, wanted).options["useRemoteGateways"] is True


def test_a_network_has_a_limited_number_of_peerings(pair: Pair) -> None:
    world, landscape, vnet, _ = pair
    world.knobs.peering_limit = 1
    another = world.add_vnet(landscape.subscription, "Net-Prod", "another", "10.30.0.0/24")
    with pytest.raises(ApiError, match="LimitExceeded"):
        put_side(world, vnet, another, "to-another", {})
    put(pair, sync=False)


def body_of(cloud: Callers) -> dict[str, Any]:
    """The customer's side, as ARM shows it."""
    answer = cloud.arm("GET", cloud.vnet.peerings[0].id)
    found: dict[str, Any] = answer.json()["properties"]
    return found


def test_arm_shows_what_was_synced_and_what_is(cloud: Callers) -> None:
    cloud.establish()
    cloud.happen("change-project-cidr", project_vpc_id=cloud.vpc.id, cidr="10.241.0.0/20")
    body = body_of(cloud)
    assert body["remoteAddressSpace"]["addressPrefixes"] == ["10.240.0.0/20"]
    assert body["remoteVirtualNetworkAddressSpace"]["addressPrefixes"] == ["10.241.0.0/20"]
    assert (body["peeringState"], body["peeringSyncLevel"]) == ("Connected", "LocalNotInSync")


def test_a_failed_side_is_repaired_by_putting_it_again(cloud: Callers) -> None:
    cloud.establish()
    cloud.happen("fail-vnet-peering", vnet_id=cloud.vnet.id, remote_id=cloud.vpc.network.id)
    assert body_of(cloud)["provisioningState"] == "Failed"
    side = cloud.vnet.peerings[0]
    put_side(cloud.cloud.world, cloud.vnet, cloud.vpc.network, side.name, side.options)
    assert body_of(cloud)["provisioningState"] == "Succeeded"
