"""A start, a repair and a hand-back change what was asked for and what is theirs; all else stays as it was found."""

from pathlib import Path
from typing import Any

import pytest

from local.cloud.world.world import SECRETS_USER, Application, ServicePrincipal
from local.deployment import Deployment, deploy
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import application_of, vnet_of
from tests.workflows.managed_identity import as_identity
from tests.workflows.obstacles import Place
from tests.workflows.plans import actions, codes, plan

GRAPH = r"graph\.microsoft\.com"


def own(deployment: Deployment, status: dict[str, Any]) -> tuple[Application, ServicePrincipal]:
    """The peering's application, with its service principal in the customer's tenant."""
    application = application_of(deployment, status["facts"]["application_id"])
    principal = deployment.cloud.world.principal(application.app_id, deployment.cloud.landscape.customer_tenant)
    assert principal is not None
    return application, principal


def written(deployment: Deployment) -> list[str]:
    """What was written in Graph since the requests were cleared."""
    return [f"{one['method']} {one['path']}" for one in deployment.writes() if "graph" in one["host"]]


def test_a_start_writes_nothing_over_what_others_have_changed_in_entra(deployment: Deployment) -> None:
    application, principal = own(deployment, deployment.settle())
    application.tags, application.display_name = [*application.tags, "costcentre:42"], "Renamed by hand"
    application.sign_in_audience, principal.tags = "AzureADandPersonalMicrosoftAccount", [*principal.tags, "HideApp"]
    before = deployment.cloud_state()
    changes = plan(deployment, allow_forwarded_traffic=True)["changes"]
    assert [one["option"] for one in changes] == ["allow_forwarded_traffic"]
    deployment.clear_requests()
    assert deployment.settle(allow_forwarded_traffic=True)["state"] == "connected"
    assert written(deployment) == []
    after = deployment.cloud_state()
    assert (after["applications"], after["servicePrincipals"]) == (before["applications"], before["servicePrincipals"])


def test_a_name_that_is_asked_for_is_given_once(deployment: Deployment) -> None:
    application, _ = own(deployment, deployment.settle())
    old = application.display_name
    assert plan(deployment, application_name="Asked for")["changes"] == [
        {"option": "application_name", "old": old, "new": "Asked for"}
    ]
    deployment.settle(application_name="Asked for")
    assert application.display_name == "Asked for"
    application.display_name = "Renamed by hand"
    assert plan(deployment, application_name="Asked for")["changes"] == []
    deployment.settle(application_name="Asked for")
    assert application.display_name == "Renamed by hand"


def test_an_audience_that_cannot_work_is_planned_and_changed(deployment: Deployment) -> None:
    application, _ = own(deployment, deployment.settle())
    application.sign_in_audience = "AzureADMyOrg"
    change = {"option": "sign_in_audience", "old": "AzureADMyOrg", "new": "AzureADMultipleOrgs"}
    planned = plan(deployment)
    assert (planned["result"], planned["changes"]) == ("update", [change])
    assert deployment.settle()["state"] == "connected"
    assert application.sign_in_audience == "AzureADMultipleOrgs"


def test_what_a_start_would_change_needs_the_right_to_change_it(deployment: Deployment) -> None:
    deployment.settle()
    Place(deployment).permit("Application.Read.All")
    assert codes(plan(deployment, application_name="Other")) == ["automation-graph-permission-missing"]
    assert deployment.settle(application_name="Other")["problem"]["code"] == "automation-graph-permission-missing"
    assert codes(plan(deployment, allow_forwarded_traffic=True)) == []
    assert deployment.settle(allow_forwarded_traffic=True)["state"] == "connected"


def test_a_repair_leaves_a_principals_tags_alone(deployment: Deployment) -> None:
    status = deployment.settle()
    _, principal = own(deployment, status)
    principal.tags = [*principal.tags, "HideApp"]
    world = deployment.cloud.world
    (lost,) = [one for one in world.assignments if one.principal_id == principal.id]
    world.assignments.remove(lost)
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert "HideApp" in principal.tags
    assert [one for one in world.assignments if one.principal_id == principal.id] != []


@pytest.mark.parametrize("policy", [{"password_addition_forbidden": True}, {"password_lifetime_days": 90}])
def test_a_policy_on_passwords_holds_back_no_start_that_makes_none(
    deployment: Deployment, policy: dict[str, Any]
) -> None:
    deployment.settle()
    Place(deployment).forbid(**policy)
    assert codes(plan(deployment, allow_forwarded_traffic=True)) == []
    assert deployment.settle(allow_forwarded_traffic=True)["state"] == "connected"


def test_a_multi_tenant_policy_of_later_holds_back_no_start(deployment: Deployment) -> None:
    deployment.settle()
    deployment.knobs(multi_tenant_forbidden=True)
    assert deployment.settle(allow_forwarded_traffic=True)["state"] == "connected"


def only_reads_secrets(deployment: Deployment) -> None:
    """The app may read the vault's secrets from now on, and no more."""
    world = deployment.cloud.world
    (vault,) = world.vaults.values()
    role = world.role(SECRETS_USER)
    assert role is not None
    for one in [one for one in world.assignments if one.scope == vault.id]:
        world.assignments.remove(one)
        world.assign(world.guid(), vault.id, role, one.principal_id)


def test_a_start_that_makes_no_password_need_not_write_secrets(deployment: Deployment) -> None:
    deployment.settle()
    only_reads_secrets(deployment)
    assert codes(plan(deployment, allow_forwarded_traffic=True)) == []
    assert deployment.settle(allow_forwarded_traffic=True)["state"] == "connected"


def test_a_first_start_with_a_federated_credential_need_not_write_secrets(tmp_path: Path) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        only_reads_secrets(deployment)
        assert codes(plan(deployment)) == ["vault-access-denied"]
        assert codes(plan(deployment, credential="federated")) == []
        assert deployment.settle(credential="federated")["state"] == "connected"


@pytest.mark.parametrize("again", [{"adopt": True}, {}])
@pytest.mark.both_kinds
def test_an_adopted_peering_whose_connection_was_deleted_is_started_again(
    deployment: Deployment, again: dict[str, Any]
) -> None:
    vnet = vnet_of(deployment)
    application = made_by_hand(deployment.cloud, vnet.id)
    deployment.settle(adopt=True, repair="off")
    found = plan(deployment, repair="off", **again)
    assert (found["result"], set(actions(found).values())) == ("find", {"find"})
    (vpc,) = deployment.cloud.world.vpcs.values()
    deployment.event(kind="delete-connection", project_vpc_id=vpc.id, vnet_id=vnet.id)
    planned = plan(deployment, repair="off", **again)
    assert (planned["result"], planned["obstacles"], planned["waits"]) == ("update", [], [])
    status = deployment.settle(repair="off", **again)
    assert (status["state"], status["facts"]["application_id"]) == ("connected", application.app_id)


@pytest.mark.parametrize("option", ["application_name", "user_role_name", "platform_role_name"])
def test_an_adopted_peering_keeps_its_owners_names_and_the_plan_says_so(deployment: Deployment, option: str) -> None:
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    first = deployment.settle(adopt=True)["peering"][option]
    before = deployment.cloud_state()
    for _ in range(2):
        (change,) = plan(deployment, adopt=True, **{option: "Other"})["changes"]
        assert (change["option"], change["old"], change["new"]) == (option, first, "Other")
        assert "adopted" in change["refused"]
        assert deployment.settle(adopt=True, **{option: "Other"})["peering"][option] == first
    assert deployment.cloud_state()["applications"] == before["applications"]


def test_a_side_that_lists_do_not_show_is_written_back_as_it_is(deployment: Deployment) -> None:
    status = deployment.settle()
    side = vnet_of(deployment).peerings[0]
    for blind in range(1, 9):
        side.options["allowForwardedTraffic"] = True
        deployment.knobs(list_blind=blind)
        deployment.settle(note=f"blind {blind}")
        deployment.knobs(list_blind=0)
        assert side.options["allowForwardedTraffic"] is True, blind
    assert [one.name for one in vnet_of(deployment).peerings] == [status["facts"]["vnet_peering_id"].rpartition("/")[2]]


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_federated_credential_that_is_not_shown_once_is_handed_back_all_the_same(tmp_path: Path, skip: int) -> None:
    with deploy(tmp_path, settings=as_identity(tmp_path)) as deployment:
        made_by_hand(deployment.cloud, vnet_of(deployment).id)
        status = deployment.settle(adopt=True, credential="federated")
        application = application_of(deployment, status["facts"]["application_id"])
        hidden = {"host": GRAPH, "method": "GET", "path": "/federatedIdentityCredentials", "status": 200}
        deployment.knobs(faults=[{**hidden, "body": {"value": []}, "skip": skip}])
        assert deployment.remove(status["id"])["state"] == "removed"
        assert application.federated == []


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_password_that_is_not_shown_once_is_handed_back_all_the_same(deployment: Deployment, skip: int) -> None:
    made_by_hand(deployment.cloud, vnet_of(deployment).id)
    status = deployment.settle(adopt=True)
    application = application_of(deployment, status["facts"]["application_id"])
    theirs = [one for one in application.passwords if one.display_name == "by hand"]
    assert len(application.passwords) == len(theirs) + 1
    body = {"id": application.id, "appId": application.app_id, "passwordCredentials": []}
    hidden = {"host": GRAPH, "method": "GET", "path": f"/applications/{application.id}$", "status": 200, "body": body}
    deployment.knobs(faults=[{**hidden, "skip": skip}])
    assert deployment.remove(status["id"])["state"] == "removed"
    assert application.passwords == theirs
