"""Lists that lag behind, as ARM's and Aiven's may; one object by its name is always shown as it is."""

from local.cloud.world.world import READER
from tests.cloud.callers import Callers
from tests.cloud.connection_requests import request_connection


def sides(cloud: Callers) -> list[str]:
    """The names in the list of the first VNet's peerings."""
    answer = cloud.arm("GET", f"{cloud.vnet.id}/virtualNetworkPeerings")
    return [peering["name"] for peering in answer.json()["value"]]


def assigned(cloud: Callers) -> list[str]:
    """The names in the list of role assignments around the first VNet."""
    answer = cloud.arm("GET", f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments")
    return [assignment["name"] for assignment in answer.json()["value"]]


def listed_connections(cloud: Callers) -> int:
    """How many connections the project VPC shows."""
    return len(cloud.aiven("GET", f"/vpcs/{cloud.vpc.id}").json()["peering_connections"])


def test_a_list_shows_what_is_new_after_a_while_only(cloud: Callers) -> None:
    cloud.knobs(list_stale=60)
    cloud.wait(3600)
    made, world = cloud.establish(), cloud.cloud.world
    (side,) = cloud.vnet.peerings
    reader = world.role(READER)
    assert reader is not None
    assignment = world.assign(world.guid(), cloud.vnet.id, reader, made.user_principal_id)
    assert cloud.arm("GET", side.id).status_code == 200
    assert sides(cloud) == []
    assert assignment.name not in assigned(cloud)
    cloud.wait(60)
    assert sides(cloud) == [side.name]
    assert assignment.name in assigned(cloud)


def test_a_list_shows_for_a_while_what_is_gone(cloud: Callers) -> None:
    cloud.establish()
    cloud.wait(3600)
    cloud.knobs(list_stale=60)
    (side,) = cloud.vnet.peerings
    cloud.happen("delete-vnet-peering", vnet_id=cloud.vnet.id, remote_id=side.remote_id)
    assert cloud.arm("GET", side.id).status_code == 404
    assert sides(cloud) == [side.name]
    cloud.wait(60)
    assert sides(cloud) == []


def test_the_next_lists_may_miss_everything(cloud: Callers) -> None:
    cloud.establish()
    cloud.knobs(list_blind=2)
    assert [len(sides(cloud)) for _ in range(3)] == [0, 0, 1]


def test_aiven_shows_a_new_connection_after_a_while_only(cloud: Callers) -> None:
    cloud.knobs(aiven_listed=20)
    assert request_connection(cloud) == 200
    assert listed_connections(cloud) == 0
    cloud.wait(20)
    assert listed_connections(cloud) == 1


def test_an_application_names_its_owner(cloud: Callers) -> None:
    body = {"displayName": "ours", "signInAudience": "AzureADMultipleOrgs"}
    ours = cloud.graph("POST", "/applications", body).json()["id"]
    theirs = cloud.cloud.world.add_application(cloud.cloud.landscape.customer_tenant, "theirs", "AzureADMultipleOrgs")
    (owner,) = cloud.graph("GET", f"/applications/{ours}/owners").json()["value"]
    assert owner["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert (
        cloud.graph("GET", f"/servicePrincipals/{owner['id']}").json()["appId"]
        == (cloud.cloud.environment["AZURE_CLIENT_ID"])
    )
    assert cloud.graph("GET", f"/applications/{theirs.id}/owners").json()["value"] == []
