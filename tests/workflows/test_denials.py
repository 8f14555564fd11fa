"""What a customer holds back is told by name, be it by a policy or a firewall, and a start goes on once it is gone."""

import pytest

from local.cloud.arm.network import PEER_ACTION
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


def test_a_vault_that_lets_nobody_in_is_told_and_a_start_goes_on_once_it_does(deployment: Deployment) -> None:
    deployment.event(kind="close-vault", name=deployment.cloud.landscape.vault)
    status = deployment.settle()
    assert (status["state"], status["problem"]["code"]) == ("failed", "vault-firewall")
    deployment.event(kind="open-vault", name=deployment.cloud.landscape.vault)
    assert deployment.settle()["state"] == "connected"


def test_a_vnet_whose_subnet_is_being_changed_and_a_strained_vault_are_waited_for(deployment: Deployment) -> None:
    deployment.knobs(vault_requests_per_10_seconds=3)
    deployment.event(kind="occupy-vnet", vnet_id=deployment.request()["vnet_id"], seconds=300)
    status = deployment.settle()
    assert status["state"] == "connected", status.get("problem")
