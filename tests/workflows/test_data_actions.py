"""A role that also grants actions on data grants more than a peering needs: it is not used, and a check finds it."""

from collections.abc import Sequence

import pytest

from local.cloud.world.records import RoleDefinition
from local.deployment import Deployment
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS
from tests.workflows.plans import codes, plan

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


@pytest.mark.parametrize(
    ("option", "actions"), [("user_role_name", USER_ACTIONS), ("platform_role_name", PLATFORM_ACTIONS)]
)
def test_a_role_of_the_name_that_grants_actions_on_data_is_not_used(
    deployment: Deployment, option: str, actions: Sequence[str]
) -> None:
    world, found = deployment.cloud.world, deployment.cloud.landscape
    scopes = [f"/subscriptions/{found.subscription}"]
    theirs = RoleDefinition(
        *(world.guid(), "Peers", "", False, found.customer_tenant, scopes, list(actions)), data_actions=[BLOBS]
    )
    world.roles.append(theirs)
    assert codes(plan(deployment, **{option: "Peers"})) == ["role-name-taken"]
    assert deployment.settle(**{option: "Peers"})["problem"]["code"] == "role-name-taken"
    assert [one for one in world.assignments if one.role == theirs.name] == []


@pytest.mark.parametrize("whose", ["user", "platform"])
def test_actions_on_data_that_a_role_got_since_are_found_and_reported(deployment: Deployment, whose: str) -> None:
    status = deployment.settle()
    guid = status["facts"][f"{whose}_role_id"].rpartition("/")[2]
    role = deployment.cloud.world.role(guid)
    assert role is not None
    role.data_actions = [BLOBS]
    (finding,) = deployment.check(status["id"])["health"]["problems"]
    assert (finding["code"], BLOBS in finding["detail"]) == ("role-definition-changed", True)
    assert BLOBS in deployment.api.get(f"/api/peerings/{status['id']}/report").text
