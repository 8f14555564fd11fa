"""What several batches of VNets were told of the same objects is one look: absence stays absence."""

from activities.checks.sweep import _assignments_of_both, _joined, _with_connections_of_both
from peering.facts import AssignmentLook
from peering.look import ConnectionLook, Part, VpcLook
from peering.outcome import Occurrence

PROBLEM = Occurrence(code="remote-unavailable", detail="503")


def vpc(*vnets: str) -> VpcLook:
    """A VPC with connections to VNets of these names."""
    connections = [
        ConnectionLook(
            account="s",
            resource_group="g",
            vnet=vnet,
            application_id=None,
            tenant_id=None,
            state="ACTIVE",
            message=None,
        )
        for vnet in vnets
    ]
    return VpcLook(cloud_name="azure-x", network_cidr="10.0.0.0/24", state="ACTIVE", connections=connections)


def assignment(name: str) -> AssignmentLook:
    """A role assignment of this id."""
    return AssignmentLook(id=name, scope="/subscriptions/s", role="role", principal_id="principal")


def joined(one: Part[VpcLook], other: Part[VpcLook]) -> Part[VpcLook]:
    """What two batches were told of a VPC."""
    return _joined({"vpc": one}, {"vpc": other}, _with_connections_of_both)["vpc"]


def test_a_vpc_has_the_connections_of_both_batches() -> None:
    assert joined({"found": vpc("one")}, {"found": vpc("other")}) == {"found": vpc("one", "other")}


def test_a_vpc_that_is_gone_is_gone_for_both() -> None:
    assert joined({"found": None}, {"found": None}) == {"found": None}


def test_what_one_batch_could_not_read_is_unread() -> None:
    assert joined({"found": vpc("one")}, {"problem": PROBLEM}) == {"problem": PROBLEM}
    assert joined({"problem": PROBLEM}, {"found": vpc("one")}) == {"problem": PROBLEM}


def test_assignments_that_the_app_may_not_list_stay_unlisted() -> None:
    one, both = [assignment("a"), assignment("b")], [assignment("b"), assignment("c")]
    found = _joined(
        {"s": {"found": one}, "t": {"found": None}}, {"s": {"found": both}, "t": {"found": None}}, _assignments_of_both
    )
    assert found == {"s": {"found": [assignment(name) for name in "abc"]}, "t": {"found": None}}
