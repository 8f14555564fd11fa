"""What a request may hold, and which field is blamed when it holds something else."""

import json

import pytest
from pydantic import ValidationError

from peering.request import PeeringRequest
from tests.unit.test_naming import VNET
from triggers.problem_documents import field_errors

GOOD = {"project": "my-project", "project_vpc_id": "0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c4d", "vnet_id": VNET}


def test_the_smallest_request_has_every_name_settled() -> None:
    peering = PeeringRequest.model_validate_json(json.dumps(GOOD)).peering()
    assert peering["peering_name"] == f"aiven-{GOOD['project_vpc_id']}"
    assert peering["role"] == "least-privilege"
    assert len(peering["application_name"]) <= 120
    assert VNET.split("/")[2] in peering["platform_role_name"]


def test_the_spelling_of_the_vnet_is_kept() -> None:
    assert PeeringRequest.model_validate_json(json.dumps(GOOD)).peering()["vnet_id"] == VNET


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"project": None}, "project"),
        ({"project": 7}, "project"),
        ({"project": "../vpcs"}, "project"),
        ({"project_vpc_id": "not-a-uuid"}, "project_vpc_id"),
        ({"vnet_id": "Hub-VNet"}, "vnet_id"),
        ({"vnet_id": VNET.replace("virtualNetworks", "routeTables")}, "vnet_id"),
        ({"vnett_id": VNET}, "vnett_id"),
        ({"allow_forwarded_traffic": "yes"}, "allow_forwarded_traffic"),
        ({"allow_forwarded_traffic": 1}, "allow_forwarded_traffic"),
        ({"user_peer_network_cidrs": ["10.0.0.0/33"]}, "user_peer_network_cidrs.0"),
        ({"user_peer_network_cidrs": ["10.0.0.1/8"]}, "user_peer_network_cidrs.0"),
        ({"user_peer_network_cidrs": ["8.8.8.0/24"]}, "user_peer_network_cidrs.0"),
        ({"user_peer_network_cidrs": "10.0.0.0/8"}, "user_peer_network_cidrs"),
        ({"secret_lifetime_days": 0}, "secret_lifetime_days"),
        ({"secret_lifetime_days": 1.5}, "secret_lifetime_days"),
        ({"role": "Owner"}, "role"),
        ({"peering_name": "-bad-"}, "peering_name"),
        ({"application_name": ""}, "application_name"),
        ({"allow_gateway_transit": True, "use_remote_gateways": True}, "(body)"),
    ],
)
def test_the_field_that_breaks_a_rule_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps({**GOOD, **change}))
    assert [error["field"] for error in field_errors(refused.value)] == [field]


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_missing_field_is_named(missing: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps(body))
    assert field_errors(refused.value) == [{"field": missing, "rule": "Field required"}]


def test_an_error_never_repeats_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps({**GOOD, "password": "hunter2-hunter2"}))
    assert "hunter2" not in json.dumps(field_errors(refused.value))
