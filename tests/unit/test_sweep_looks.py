"""What a check of all has looked at goes to the pieces of VNets that it concerns, and to no others."""

import pytest

from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook
from peering.look import ConnectionLook, VpcLook
from peering.sweep import PieceIds, VpcToLookAt
from peering.sweep_looks import assignments_for_pieces, by_scope, in_force_on, looks_for_pieces, unmanaged

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/net"
ONE, OTHER = (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}" for name in ("one", "other"))
PIECES = {
    0: PieceIds(peerings=["p0"], vnets=[ONE.lower()], principals=["user-0"], platforms=["platform"]),
    1: PieceIds(peerings=["p1"], vnets=[OTHER.lower()], principals=["user-1"], platforms=["platform"]),
}


def assignment(principal: str, scope: str) -> AssignmentLook:
    """Some role of a principal on a scope."""
    return AssignmentLook(id=f"{scope}|{principal}", scope=scope, role="role", principal_id=principal)


def connection(vnet: str, state: str = "ACTIVE") -> ConnectionLook:
    """A connection to a VNet."""
    return ConnectionLook(
        account=SUBSCRIPTION.rpartition("/")[2],
        resource_group="net",
        vnet=vnet,
        application_id=None,
        tenant_id=None,
        state=state,
        message=None,
    )


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (assignment("user-0", ONE), {0}),
        (assignment("USER-1", "/subscriptions/elsewhere"), {1}),
        (assignment("user-0", "/"), {0}),
        (assignment("platform", ONE.upper()), {0}),
        (assignment("platform", f"{OTHER}/subnets/s"), set()),
        (assignment("platform", GROUP), {0, 1}),
        (assignment("platform", "/providers/Microsoft.Management/managementGroups/m"), {0, 1}),
        (assignment("nobody-of-ours", ONE), set()),
    ],
)
def test_a_piece_is_told_of_its_own_role_assignments(found: AssignmentLook, told: set[int]) -> None:
    pieces = assignments_for_pieces([found], PIECES)
    assert {number for number, assignments in pieces.items() if assignments == [found]} == told
    assert {number for number, assignments in pieces.items() if assignments} == told


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        (ONE.upper(), True),
        (GROUP, True),
        (SUBSCRIPTION, True),
        ("/", True),
        ("/providers/Microsoft.Management/managementGroups/m", True),
        (OTHER, False),
        (f"{ONE}2", False),
        (f"{ONE}/subnets/s", False),
    ],
)
def test_what_is_in_force_on_a_vnet_is_on_it_or_above_it(scope: str, *, holds: bool) -> None:
    found = assignment("user-0", scope)
    assert in_force_on(ONE, by_scope([found])) == ([found] if holds else [])


def test_a_piece_is_told_of_the_connections_of_its_own_vnets() -> None:
    vpc = VpcToLookAt(project="p", project_vpc_id="v", wanted={"0": [ONE], "1": [OTHER]}, ours={ONE: None, OTHER: None})
    old, new, other = connection("ONE", "DELETED"), connection("one"), connection("other")
    look = VpcLook(cloud_name="c", network_cidr="10.0.0.0/24", state="ACTIVE", connections=[old, other, new])
    key = AivenVpc("project", "p", "v").key
    told = looks_for_pieces([vpc], [{"found": look}])
    assert told[0][key] == {"found": {**look, "connections": [old, new]}}
    assert told[1][key] == {"found": {**look, "connections": [other]}}


def test_unmanaged_are_those_that_no_peering_has() -> None:
    vpc = VpcToLookAt(project="p", project_vpc_id="v", wanted={}, ours={ONE.upper(): None})
    old, new, other = connection("one", "DELETED"), connection("one"), connection("other")
    look = VpcLook(cloud_name="c", network_cidr="10.0.0.0/24", state="ACTIVE", connections=[old, new, other])
    assert unmanaged(vpc, look) == [old, other]


@pytest.mark.parametrize(("application", "is_ours"), [("theirs", 0), ("APP", 1), (None, 0)])
def test_of_two_connections_to_a_vnet_that_of_the_application_is_managed(application: str | None, is_ours: int) -> None:
    vpc = VpcToLookAt(organization_id="o", organization_vpc_id="v", wanted={}, ours={ONE: application})
    both = [connection("one"), connection("one", "ERROR")]
    both[0]["application_id"], both[1]["application_id"] = "theirs", "app"
    look = VpcLook(cloud_name="c", network_cidr="10.0.0.0/24", state="ACTIVE", connections=both)
    assert unmanaged(vpc, look) == [both[1 - is_ours]]
