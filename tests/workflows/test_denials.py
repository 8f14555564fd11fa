"""A policy and a deny assignment of the customer's stop a start by name, and it goes on once they are gone."""

import pytest

from local.cloud.arm_network import PEER_ACTION
from local.deployment import Deployment

_PEERING_WRITE = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"


def test_a_policy_against_peerings_is_named_and_a_start_goes_on_once_it_is_gone(deployment: Deployment) -> None:
    scope = f"/subscriptions/{deployment.cloud.landscape.subscription}"
    deployment.event(kind="assign-policy", scope=scope, title="Only the hub may peer")
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "policy-denied")
    assert "Only the hub may peer" in status["problem"]["detail"]
    deployment.event(kind="remove-policy", scope=scope)
    assert deployment.settle()["state"] == "connected"


@pytest.mark.parametrize("action", ["Microsoft.Authorization/roleAssignments/write", _PEERING_WRITE])
def test_a_deny_assignment_is_named_and_a_start_goes_on_once_it_is_gone(deployment: Deployment, action: str) -> None:
    vnet = str(deployment.request()["vnet_id"])
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=[action], title="A stack")
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "deny-assignment")
    assert "A stack" in status["problem"]["detail"]
    deployment.event(kind="remove-deny-assignments", scope=vnet)
    assert deployment.settle()["state"] == "connected"


def test_a_deny_assignment_that_keeps_the_platform_out_ends_a_start(deployment: Deployment) -> None:
    vnet = str(deployment.request()["vnet_id"])
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=[PEER_ACTION])
    assert deployment.settle()["state"] == "failed"
    deployment.event(kind="remove-deny-assignments", scope=vnet)
    assert deployment.settle()["state"] == "connected"
