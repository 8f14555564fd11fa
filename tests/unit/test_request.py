"""What a request may hold, and which field is blamed when it holds something else."""

import json

import pytest
from pydantic import ValidationError

from peering.naming import default_role_names, peering_id
from peering.request import PeeringRequest
from tests.unit.good_request import GOOD, VNET
from triggers.documents.problem_documents import field_errors

SHARED = {
    "organization_id": "org1a2b3c4d5e6",
    "organization_vpc_id": "5e0f6b1a-8f0e-4a53-9a3c-0c6a7e1c2b4d",
    "vnet_id": VNET,
}


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
        ({"project": None}, "(body)"),
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
        ({"application_name": "=1+1"}, "application_name"),
        ({"application_name": "Hub "}, "application_name"),
        ({"allow_gateway_transit": True, "use_remote_gateways": True}, "(body)"),
    ],
)
def test_the_field_that_breaks_a_rule_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps({**GOOD, **change}))
    assert [error["field"] for error in field_errors(refused.value)] == [field]


def test_a_missing_field_is_named() -> None:
    body = {name: value for name, value in GOOD.items() if name != "vnet_id"}
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps(body))
    assert field_errors(refused.value) == [{"field": "vnet_id", "rule": "Field required"}]


@pytest.mark.parametrize(
    "named",
    [
        (),
        ("project",),
        ("project_vpc_id",),
        ("organization_id",),
        ("project", "organization_vpc_id"),
        ("project", "project_vpc_id", "organization_id"),
        ("project", "project_vpc_id", "organization_id", "organization_vpc_id"),
    ],
)
def test_exactly_one_pair_names_the_vpc(named: tuple[str, ...]) -> None:
    body = {"vnet_id": VNET, **{name: value for name, value in {**GOOD, **SHARED}.items() if name in named}}
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps(body))
    rule = "exactly one pair must name Aiven's VPC: project and project_vpc_id, or organization_id and"
    assert field_errors(refused.value) == [{"field": "(body)", "rule": f"{rule} organization_vpc_id"}]


def test_an_organization_vpc_has_ids_and_names_by_the_same_formula() -> None:
    of_project, of_organization = (
        PeeringRequest.model_validate_json(json.dumps(given)).peering() for given in (GOOD, SHARED)
    )
    assert of_organization["organization_id"] == SHARED["organization_id"]
    assert not {"project", "project_vpc_id"} & of_organization.keys()
    assert of_organization["id"] == peering_id(SHARED["organization_id"], SHARED["organization_vpc_id"], VNET)
    assert of_organization["peering_name"] == f"aiven-{SHARED['organization_vpc_id']}"
    assert of_organization["platform_role_name"] == of_project["platform_role_name"]
    assert of_organization["id"] != of_project["id"]


def test_a_project_vpcs_peering_is_what_it_was() -> None:
    peering = PeeringRequest.model_validate_json(json.dumps(GOOD)).peering()
    assert list(peering)[:4] == ["id", "project", "project_vpc_id", "vnet_id"]
    assert peering["id"] == "5ec708df-5671-50f2-a8cc-9e44667e43ef"
    assert not any(name.startswith("organization") for name in peering)


OF_PLATFORM, OF_USER = default_role_names(VNET.split("/")[2]).values()


@pytest.mark.parametrize(
    "names",
    [
        {"platform_role_name": "Aiven peering", "user_role_name": "AIVEN PEERING"},
        {"platform_role_name": "Rolle \u00dc", "user_role_name": "rolle \u00fc"},
        {"platform_role_name": OF_USER.upper()},
        {"user_role_name": OF_PLATFORM},
        {"user_role_name": OF_PLATFORM, "role": "Network Contributor"},
    ],
)
def test_the_custom_roles_have_two_names_by_the_comparison_of_azure(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps({**GOOD, **names}))
    (error,) = field_errors(refused.value)
    assert error["field"] == "(body)"
    assert error["rule"].startswith("platform_role_name and user_role_name must differ")
    assert "choose another name" in error["rule"]


def test_names_of_roles_that_azure_tells_apart_are_two() -> None:
    names = {"platform_role_name": "Stra\u00dfe", "user_role_name": "Strasse"}
    peering = PeeringRequest.model_validate_json(json.dumps({**GOOD, **names})).peering()
    assert (peering["platform_role_name"], peering["user_role_name"]) == ("Stra\u00dfe", "Strasse")


def test_an_error_never_repeats_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        PeeringRequest.model_validate_json(json.dumps({**GOOD, "password": "hunter2-hunter2"}))
    assert "hunter2" not in json.dumps(field_errors(refused.value))
