"""Aiven: who may change what, what it costs, several project VPCs, and what the platform cannot build."""

from dataclasses import replace
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path

import pytest

from local.cloud.world.world import PLATFORM_APP
from tests.cloud.callers import Callers, callers
from tests.cloud.connection_requests import request_connection


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 200), ("operator", 200), ("developer", 403), ("read_only", 403)]
)
def test_the_role_decides_who_may_write(cloud: Callers, role: str, status: int) -> None:
    cloud.knobs(aiven_role=role)
    assert request_connection(cloud) == status
    assert cloud.aiven("GET", f"/vpcs/{cloud.vpc.id}").status_code == 200
    assert cloud.aiven("POST", f"/vpcs/{cloud.vpc.id}/peering-connections/refresh").status_code == status
    me = cloud.aiven("GET", "/../../me").json()["user"]
    assert me["project_membership"] == {"local-project": role}
    assert me["project_memberships"] == {"local-project": [role]}


def test_the_price_is_a_knob(cloud: Callers) -> None:
    cloud.knobs(price_usd="0.12")
    (kind,) = cloud.aiven("GET", "/vpc-peering-connection-types").json()["vpc_peering_connection_types"]
    assert kind["price_usd"] == "0.12"


def test_project_vpcs_have_networks_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with callers(tmp_path, monkeypatch, project_vpcs=50, vnets=250) as cloud:
        vpcs = cloud.aiven("GET", "/vpcs").json()["vpcs"]
        assert vpcs[0]["project_vpc_id"] == cloud.cloud.environment["AIVEN_PROJECT_VPC_ID"]
        prefixes = [prefix for vnet in cloud.cloud.world.vnets.values() for prefix in vnet.prefixes]
    assert [vpc["network_cidr"] for vpc in vpcs[:2]] == ["10.240.0.0/20", "10.240.16.0/20"]
    networks = sorted(IPv4Network(prefix) for prefix in prefixes)
    assert len(networks) == 300
    assert not any(one.overlaps(next_one) for one, next_one in pairwise(networks))


def test_a_project_vpc_that_is_being_deleted_takes_no_connection(cloud: Callers) -> None:
    cloud.happen("set-project-vpc-state", project_vpc_id=cloud.vpc.id, state="DELETING")
    assert request_connection(cloud) == 409


def built(cloud: Callers, **changes: str) -> tuple[str, str]:
    """What comes of a connection that differs from a good one: its state and Aiven's message."""
    (good,) = cloud.vpc.connections
    cloud.vpc.network.peerings.clear()
    now = cloud.cloud.world.now
    cloud.vpc.connections[:] = [replace(good, state="APPROVED", since=now, state_info=None, **changes)]  # type: ignore[arg-type]
    (connection,) = cloud.aiven("GET", f"/vpcs/{cloud.vpc.id}").json()["peering_connections"]
    return connection["state"], connection["state_info"]["message"]


def test_names_are_looked_up_exactly_as_they_came(cloud: Callers) -> None:
    cloud.establish()
    assert built(cloud, vnet="Hub-VNet") == ("INVALID_SPECIFICATION", "Azure virtual network not found")


def test_the_platforms_application_has_to_be_known_in_the_tenant(cloud: Callers) -> None:
    cloud.establish()
    tenant = cloud.cloud.landscape.customer_tenant
    cloud.happen("disable-service-principal", app_id=PLATFORM_APP, tenant_id=tenant)
    assert built(cloud) == ("REJECTED_BY_PEER", "Azure app is not known in the tenant")


def test_the_tenant_has_to_be_the_applications_and_the_subscriptions(cloud: Callers) -> None:
    cloud.establish()
    tenant = cloud.cloud.landscape.platform_tenant
    state, message = built(cloud, tenant_id=tenant)
    assert (state, "does not refer to a valid application object" in message) == ("REJECTED_BY_PEER", True)
    theirs = cloud.cloud.world.add_application(tenant, "theirs", "AzureADMultipleOrgs")
    refusal = ("INVALID_SPECIFICATION", "Azure subscription is not in the tenant")
    assert built(cloud, tenant_id=tenant, app_id=theirs.app_id) == refusal


def test_networks_and_project_vpcs_are_dealt_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    knobs = {"vnets": 60, "subscriptions": 2, "project_vpcs": 10, "projects": 5}
    with callers(tmp_path, monkeypatch, **knobs) as cloud:
        projects = [one["project_name"] for one in cloud.aiven("GET", "/../../project").json()["projects"]]
        listed = {one: cloud.aiven("GET", f"/../{one}/vpcs").json()["vpcs"] for one in projects}
        assert projects[:2] == ["local-project", "local-project-2"]
        assert [len(vpcs) for vpcs in listed.values()] == [2] * 5
        elsewhere = listed["local-project-2"][0]["project_vpc_id"]
        assert cloud.aiven("GET", f"/vpcs/{elsewhere}").status_code == 404
        assert cloud.aiven("GET", f"/../local-project-2/vpcs/{elsewhere}").status_code == 200
        held = [vnet.subscription_id for vnet in cloud.cloud.world.vnets.values()]
        assert [held.count(one) for one in cloud.cloud.landscape.subscriptions] == [30, 30]
        assert len(cloud.arm("GET", "/subscriptions").json()["value"]) == 2


def test_lists_and_users_are_what_aivens_clients_read(cloud: Callers) -> None:
    (listed,) = cloud.aiven("GET", "/vpcs").json()["vpcs"]
    single = cloud.aiven("GET", f"/vpcs/{cloud.vpc.id}").json()
    assert set(single) - set(listed) == {"pending_build_only_peering_connections", "peering_connections"}
    assert {"tenant", "invitations"} <= set(cloud.aiven("GET", "/../../me").json()["user"])
    (project,) = cloud.aiven("GET", "/../../project").json()["projects"]
    assert {"account_id", "billing_group_id", "default_cloud", "estimated_balance", "organization_id"} <= set(project)


def test_too_many_requests_are_refused_by_a_message_alone(cloud: Callers) -> None:
    cloud.knobs(aiven_requests_per_minute=1)
    cloud.aiven("GET", "/vpcs")
    refusal = cloud.aiven("GET", "/vpcs")
    (error,) = refusal.json()["errors"]
    assert (refusal.status_code, set(error)) == (429, {"message", "status"})
    assert "Rate limit 1 exceeded - try again in 60s" in error["message"]
    cloud.wait(60)
    assert cloud.aiven("GET", "/vpcs").status_code == 200


def test_an_unknown_application_may_be_refused_at_once(cloud: Callers) -> None:
    tenant = cloud.cloud.landscape.customer_tenant
    known = cloud.cloud.world.add_application(tenant, "ours", "AzureADMultipleOrgs").app_id
    unknown = cloud.cloud.world.guid()
    assert request_connection(cloud, peer_azure_app_id=unknown) == 200
    cloud.knobs(unknown_application_refused=True)
    assert request_connection(cloud, peer_azure_app_id=unknown, peer_vpc="spoke-001") == 400
    assert request_connection(cloud, peer_azure_app_id=known, peer_vpc="spoke-001") == 200
