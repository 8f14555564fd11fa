"""Names and ids are deterministic, and compare as Azure compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peering.naming import VNetId, peering_id, role_assignment_name, same_id
from tests.unit.good_request import VNET


def test_a_vnet_id_keeps_its_spelling() -> None:
    vnet = VNetId.parse(VNET)
    assert (vnet.resource_group, vnet.name) == ("Net-Prod", "Hub-VNet")
    assert str(vnet) == VNET


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hub-VNet",
        VNET.replace("virtualNetworks", "networkSecurityGroups"),
        VNET.replace("/resourceGroups/Net-Prod", ""),
        VNET + "/subnets/default",
        VNET.replace("11111111-", "1-"),
        VNET.replace("Hub-VNet", ""),
        "https://management.azure.com" + VNET,
        VNET.replace("/subscriptions", "/\u017fubscriptions"),
        VNET.replace("Network/", "Networ\u212a/"),
    ],
)
def test_anything_else_is_no_vnet_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be the ARM id of a VNet"):
        VNetId.parse(text)


@given(st.sampled_from([str.upper, str.lower, str.title]))
def test_a_pair_has_one_id_however_it_is_spelled(spell: type[str]) -> None:
    vpc = "0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c4d"
    assert peering_id("Project", spell(vpc), spell(VNET)) == peering_id("project", vpc, VNET)


def test_different_pairs_have_different_ids() -> None:
    vpcs = [f"0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c{n:02d}" for n in range(20)]
    assert len({peering_id("project", vpc, VNET) for vpc in vpcs}) == len(vpcs)


def test_a_role_assignment_is_named_by_scope_role_and_principal() -> None:
    name = role_assignment_name(VNET, "/subscriptions/1/roleDefinitions/abc", "principal")
    assert name == role_assignment_name(VNET.upper(), "/other/roleDefinitions/ABC", "PRINCIPAL")
    assert name != role_assignment_name(VNET, "/subscriptions/1/roleDefinitions/abd", "principal")


def test_ids_compare_without_case_and_nothing_equals_nothing() -> None:
    assert same_id(VNET.upper(), VNET.lower() + "/")
    assert not same_id(None, None)


#: A superscript, a fraction, a Roman numeral, a mark, a letter of two UTF-16 units: no letters or digits to .NET.
NOT_LETTERS = ["rg\u00b2", "rg\u00bd", "rg\u2160", "e\u0301", "rg\U00010400", "rg\u2460"]


@pytest.mark.parametrize("group", ["\u00fc", "\u65e5\u672c", "rg\u0661", "\u01c5", "_", "(a)", "g" * 90])
def test_letters_and_digits_of_all_scripts_name_a_resource_group(group: str) -> None:
    assert VNetId.parse(vnet_in(group)).resource_group == group


def vnet_in(group: str) -> str:
    """A VNet's id in a resource group."""
    return VNET.replace("/Net-Prod/", f"/{group}/")


@pytest.mark.parametrize(("one", "other"), [("Stra\u00dfe", "Strasse"), ("\u017f", "s"), ("\ufb01", "fi")])
def test_names_that_azure_tells_apart_are_told_apart(one: str, other: str) -> None:
    assert not same_id(vnet_in(one), vnet_in(other))
    assert peering_id("p", "v", vnet_in(one)) != peering_id("p", "v", vnet_in(other))


@pytest.mark.parametrize(("one", "other"), [("Net-Prod", "NET-prod"), ("\u00dc-1", "\u00fc-1"), ("\u03c2", "\u03c3")])
def test_names_that_azure_takes_for_one_are_one(one: str, other: str) -> None:
    assert same_id(vnet_in(one), vnet_in(other))
    assert peering_id("p", "v", vnet_in(one)) == peering_id("p", "v", vnet_in(other))


@pytest.mark.parametrize("group", ["..", ".", "a?b", "a#b", "a.", "a b", "a%2fb", "", "g" * 91, *NOT_LETTERS])
def test_a_resource_group_that_azure_does_not_allow_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match=r"must be the ARM id|resource group"):
        VNetId.parse(vnet_in(group))


@pytest.mark.parametrize("vnet", ["..", ".", "a", "-a", "a-", "a?b", "v" * 65, "\u00fc\u00fc"])
def test_a_vnet_that_azure_does_not_allow_is_refused(vnet: str) -> None:
    with pytest.raises(ValueError, match=r"must be the ARM id|names a VNet"):
        VNetId.parse(vnet_in("g").removesuffix("Hub-VNet") + vnet)
