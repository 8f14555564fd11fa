"""The dry run changes nothing, and what it says a real start then does."""

from typing import Any

import pytest

from local.deployment import Deployment
from tests.workflows.by_hand import made_by_hand
from tests.workflows.plans import actions, codes, plan

pytestmark = pytest.mark.both_kinds


def test_nothing_is_changed_and_what_it_says_a_start_then_does(shared: Deployment, vnet_id: str) -> None:
    shared.clear_requests()
    before = shared.cloud_state()
    planned = plan(shared, vnet_id=vnet_id)
    assert shared.writes() == []
    assert shared.cloud_state() == before
    assert (planned["result"], planned["obstacles"], planned["waits"]) == ("create", [], [])
    assert shared.api.get(f"/api/peerings/{planned['id']}").status_code == 404
    status = shared.settle(vnet_id=vnet_id)
    assert status["state"] == "connected"
    did = {name: origin["origin"] for name, origin in status["objects"].items()}
    word = {"create": "created", "find": "found"}
    assert did == {step: word[action] for step, action in actions(planned).items()}
    assert status["facts"]["vnet_peering_id"].endswith(named(planned, "vnet_peering"))


def named(planned: dict[str, Any], step: str) -> str:
    """The name that the plan gives an object."""
    return str(next(one["name"] for one in planned["steps"] if one["step"] == step))


def test_what_two_peerings_share_is_found_by_the_second(shared: Deployment, vnet_id: str) -> None:
    planned = plan(shared, vnet_id=vnet_id)
    if actions(planned)["platform_role"] == "create":
        shared.settle(vnet_id=shared.request()["vnet_id"])
        planned = plan(shared, vnet_id=vnet_id)
    found = {step for step, action in actions(planned).items() if action == "find"}
    assert found == {"user_role", "platform_role", "platform_service_principal"}
    status = shared.settle(vnet_id=vnet_id)
    assert {name for name, origin in status["objects"].items() if origin["origin"] == "found"} == found


def test_what_a_start_would_make_again_is_an_update(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    shared.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=status["facts"]["to_network_id"])
    planned = plan(shared, vnet_id=vnet_id)
    assert (planned["result"], changes(planned)) == ("update", {})
    made = {step for step, action in actions(planned).items() if action in ("create", "recreate")}
    assert made == {"peering_connection", "vnet_peering"}
    assert shared.settle(vnet_id=vnet_id)["state"] == "connected"
    assert plan(shared, vnet_id=vnet_id)["result"] == "find"


def test_a_peering_that_is_connected_is_found_whole(shared: Deployment, vnet_id: str) -> None:
    shared.settle(vnet_id=vnet_id)
    planned = plan(shared, vnet_id=vnet_id)
    assert planned["result"] == "find"
    assert set(actions(planned).values()) == {"find"}


def test_it_tells_addresses_and_price(shared: Deployment, vnet_id: str) -> None:
    facts = plan(shared, vnet_id=vnet_id)["facts"]
    assert facts["hourly_price_usd"] == shared.cloud.world.knobs.price_usd
    assert facts["address_prefixes"]
    assert facts["project_network_cidr"] == "10.240.0.0/20"


def test_another_owner_s_connection_is_left_alone_or_adopted(shared: Deployment, vnet_id: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    planned = plan(shared, vnet_id=vnet_id)
    assert (planned["result"], codes(planned), planned["steps"]) == ("leave", ["connection-exists"], [])
    planned = plan(shared, vnet_id=vnet_id, adopt=True)
    assert planned["result"] == "adopt"
    did = actions(planned)
    assert {step for step, action in did.items() if action == "create"} == {"application_credential"}


def test_the_flag_is_true_or_false(shared: Deployment) -> None:
    answer = shared.api.post("/api/peerings?dryRun=yes", json=shared.request())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "dryRun")


def changes(planned: dict[str, Any]) -> dict[str, tuple[object, object, bool]]:
    """What would change of each option: the old value, the new one, and whether a start leaves it."""
    return {one["option"]: (one["old"], one["new"], "refused" in one) for one in planned["changes"]}


def test_what_taking_over_would_change_is_planned(shared: Deployment, vnet_id: str) -> None:
    made_by_hand(shared.cloud, vnet_id)
    vnet = shared.cloud.world.vnet(vnet_id)
    assert vnet is not None
    vnet.peerings[0].options |= {"allowForwardedTraffic": True, "allowVirtualNetworkAccess": False}
    asked = {"allow_forwarded_traffic": False, "user_peer_network_cidrs": ["10.77.0.0/24"], "peering_name": "mine"}
    planned = plan(shared, vnet_id=vnet_id, adopt=True, **asked)
    assert planned["result"] == "adopt"
    assert changes(planned) == {
        "peering_name": ("by-hand", "mine", True),
        "allow_forwarded_traffic": (True, False, False),
        "allow_virtual_network_access": (False, True, False),
        "user_peer_network_cidrs": ([], ["10.77.0.0/24"], True),
    }
    assert named(planned, "vnet_peering") == "by-hand"
    assert shared.settle(vnet_id=vnet_id, adopt=True, **asked)["state"] == "connected"
    options = vnet.peerings[0].options
    assert (options["allowForwardedTraffic"], options["allowVirtualNetworkAccess"]) == (False, True)


def test_traffic_that_a_start_would_switch_on_again_is_planned(shared: Deployment, vnet_id: str) -> None:
    shared.settle(vnet_id=vnet_id)
    vnet = shared.cloud.world.vnet(vnet_id)
    assert vnet is not None
    vnet.peerings[0].options["allowVirtualNetworkAccess"] = False
    planned = plan(shared, vnet_id=vnet_id)
    assert planned["result"] == "update"
    assert changes(planned) == {"allow_virtual_network_access": (False, True, False)}
