"""Role-based access control: wildcards, exclusions, scopes, and the delay until it is effective."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.clock import VirtualClock
from local.cloud import Scenario, World
from local.cloud.arm import rbac
from local.cloud.arm.holds import matches
from local.cloud.world.world import RoleDefinition

SUBSCRIPTION = "/subscriptions/1"
VNET = f"{SUBSCRIPTION}/resourceGroups/Net/providers/Microsoft.Network/virtualNetworks/Hub"


def role(*actions: str, nots: tuple[str, ...] = ()) -> RoleDefinition:
    """A custom role."""
    return RoleDefinition("r", "r", "", False, "t", ["/"], list(actions), list(nots))


@pytest.mark.parametrize(
    ("action", "granted", "expected"),
    [
        ("Microsoft.Network/virtualNetworks/read", "*/read", True),
        ("Microsoft.Network/virtualNetworks/write", "*/read", False),
        ("Microsoft.Network/virtualNetworks/read", "Microsoft.Network/*", True),
        ("microsoft.network/VIRTUALNETWORKS/read", "Microsoft.Network/virtualNetworks/read", True),
        ("Microsoft.Networks/x/read", "Microsoft.Network/*", False),
        ("Microsoft.Network/virtualNetworks/peer/action", "*", True),
    ],
)
def test_an_action_matches_with_wildcards_and_without_case(action: str, granted: str, expected: bool) -> None:
    assert matches(action, granted) is expected


def test_what_a_role_excludes_it_does_not_grant() -> None:
    limited = role("Microsoft.Network/*", nots=("Microsoft.Network/virtualNetworks/delete",))
    assert rbac.covers(limited, "Microsoft.Network/virtualNetworks/write")
    assert not rbac.covers(limited, "Microsoft.Network/virtualNetworks/delete")


@given(st.sampled_from([SUBSCRIPTION, VNET, VNET.upper(), VNET + "/", SUBSCRIPTION + "/resourceGroups/net"]))
def test_a_scope_contains_what_is_below_it(scope: str) -> None:
    assert rbac.contains(scope, VNET)
    assert rbac.contains(scope, VNET + "/virtualNetworkPeerings/p")
    assert not rbac.contains(scope, VNET.replace("subscriptions/1", "subscriptions/10"))
    assert not rbac.contains(VNET, VNET + "2")


def test_an_assignment_counts_once_it_is_effective_and_for_its_principal_only() -> None:
    world = World(Scenario(role_effective=30), VirtualClock(), seed=1)
    world.roles.append(role("*/read"))
    world.assign("a", SUBSCRIPTION, world.roles[0], "me")
    soon, later = world.after(10), world.now + timedelta(seconds=31)
    assert not rbac.may(world, "me", "x/read", VNET, at=soon)
    assert rbac.may(world, "me", "x/read", VNET, at=later)
    assert not rbac.may(world, "you", "x/read", VNET, at=later)
    assert not rbac.may(world, "me", "x/write", VNET, at=later)
