"""The report that a network team signs: the same facts as Markdown and as JSON."""

import pytest

from local.cloud.world.world import NETWORK_CONTRIBUTOR
from local.deployment import Deployment
from tests.workflows.by_hand import made_by_hand


@pytest.mark.both_kinds
def test_it_names_networks_rights_objects_dates_and_price(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    shared.check(status["id"])
    answer = shared.api.get(f"/api/peerings/{status['id']}/report", headers={"Accept": "application/json"})
    report = answer.json()
    facts = status["facts"]
    assert [n["id"] for n in report["networks"]] == [facts["vnet_id"], facts["to_network_id"]]
    assert report["networks"][1]["address_prefixes"] == ["10.240.0.0/20"]
    assert {r["principal_id"] for r in report["rights"]} == {facts["user_principal_id"], facts["platform_principal_id"]}
    assert all(r["scope"] == facts["vnet_id"] and r["why"] and r["actions"] for r in report["rights"])
    assert report["hourly_price_usd"] == shared.cloud.world.knobs.price_usd
    assert (report["verdict"], report["problems"]) == ("healthy", [])
    assert report["connected"] == status["connected"]
    assert len(report["objects"]) == 10
    ids = {one["object"]: one["id"] for one in report["objects"]}
    assert (ids["application"], ids["vnet peering"]) == (facts["application_id"], facts["vnet_peering_id"])
    assert all(ids.values())
    text = shared.api.get(f"/api/peerings/{status['id']}/report")
    assert text.headers["content-type"].startswith("text/markdown")
    for expected in (facts["vnet_id"], facts["to_network_id"], report["monthly_price_usd"], "healthy", "10.240.0.0/20"):
        assert expected in text.text


def test_it_signs_what_is_there_not_what_was_asked_for(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    facts, group = status["facts"], vnet_id.partition("/providers/")[0]
    user, vnet = facts["user_principal_id"], shared.cloud.world.vnet(vnet_id)
    assert vnet is not None
    shared.event(kind="assign-role", principal_id=user, scope=group, role=NETWORK_CONTRIBUTOR)
    platform_role = facts["platform_role_assignment_id"].rpartition("/")[2]
    shared.cloud.world.assignments.remove(next(a for a in shared.cloud.world.assignments if a.name == platform_role))
    vnet.peerings[0].options["allowForwardedTraffic"] = True
    report = shared.api.get(f"/api/peerings/{status['id']}/report?format=json").json()
    held = {(r["principal_id"], r["role"], r["scope"]): r["why"] for r in report["rights"]}
    assert set(held) == {
        (user, status["peering"]["user_role_name"], facts["vnet_id"]),
        (user, "Network Contributor", group),
    }
    assert held[user, "Network Contributor", group] == "not assigned by this app"
    assert report["options"]["allow_forwarded_traffic"] is True
    assert report["unseen"] == []


@pytest.mark.both_kinds
def test_of_what_was_taken_over_it_names_the_roles_that_are_there(shared: Deployment, vnet_id: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    status = shared.settle(vnet_id=vnet_id, adopt=True)
    report = shared.api.get(f"/api/peerings/{status['id']}/report?format=json").json()
    assert {right["role"] for right in report["rights"]} == {"Network Contributor", "peering by hand"}


@pytest.mark.both_kinds
def test_what_could_not_be_looked_at_is_said(shared: Deployment, vnet_id: str) -> None:
    identity = shared.settle(vnet_id=vnet_id)["id"]
    shared.knobs(faults=[{"host": "management.azure.com", "status": 503, "times": 999}])
    report = shared.api.get(f"/api/peerings/{identity}/report?format=json").json()
    text = shared.api.get(f"/api/peerings/{identity}/report").text
    shared.knobs(faults=[])
    assert report["rights"] == []
    assert {one.partition(":")[0] for one in report["unseen"]} == {"access", "vnet"}
    assert "Not read" in text


def test_nothing_in_it_is_secret(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    application = shared.cloud.world.application(status["facts"]["application_id"])
    assert application is not None
    text = shared.api.get(f"/api/peerings/{status['id']}/report").text
    assert application.passwords[0].text not in text


def test_there_is_none_for_an_unknown_peering(shared: Deployment) -> None:
    assert shared.api.get("/api/peerings/none/report").json()["code"] == "peering-not-found"
