"""The report that a network team signs: the same facts as Markdown and as JSON."""

from local.deployment import Deployment


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
    text = shared.api.get(f"/api/peerings/{status['id']}/report")
    assert text.headers["content-type"].startswith("text/markdown")
    for expected in (facts["vnet_id"], facts["to_network_id"], report["monthly_price_usd"], "healthy", "10.240.0.0/20"):
        assert expected in text.text


def test_nothing_in_it_is_secret(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    application = shared.cloud.world.application(status["facts"]["application_id"])
    assert application is not None
    text = shared.api.get(f"/api/peerings/{status['id']}/report").text
    assert application.passwords[0].text not in text


def test_there_is_none_for_an_unknown_peering(shared: Deployment) -> None:
    assert shared.api.get("/api/peerings/none/report").json()["code"] == "peering-not-found"
