"""Conditions on role assignments, as the portal and the templates write them."""

import pytest

from peering.assignment_conditions import excluded_roles, excludes
from peering.facts import AssignmentLook
from peering.look import RoleLook

ME, ADMINISTRATOR, MINE, OTHER = "me", "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "role-a", "role-b"
ROLE = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
NAMES = f"(!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}}) OR {ROLE} "
ONLY_MINE = f"{NAMES}ForAnyOfAnyValues:GuidEquals {{ROLE-A, role-c}})"
ALL_BUT_OTHER = f"{NAMES}ForAnyOfAllValues:GuidNotEquals {{role-b}})"
PRINCIPALS = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'ServicePrincipal'"


@pytest.mark.parametrize(
    ("condition", "role", "excluded"),
    [
        (ONLY_MINE, MINE, False),
        (ONLY_MINE, OTHER, True),
        (ALL_BUT_OTHER, MINE, False),
        (ALL_BUT_OTHER, OTHER, True),
        (f"{ONLY_MINE} OR {NAMES}ForAnyOfAnyValues:GuidEquals {{role-b}})", OTHER, False),
        (PRINCIPALS, OTHER, False),
        (ONLY_MINE.replace("@Request", "@Resource"), OTHER, False),
        ("", OTHER, False),
    ],
)
def test_a_condition_excludes_the_roles_that_it_does_not_let_be_assigned(
    condition: str, role: str, excluded: bool
) -> None:
    assert excludes(condition, role) is excluded


def _assigned(role: str, condition: str = "", principal: str = ME) -> AssignmentLook:
    found = AssignmentLook(id=f"{role}{condition}", scope="/", role=role, principal_id=principal)
    return {**found, "condition": condition} if condition else found


CUSTOM = {
    "custom": RoleLook(name="Access", actions=["*/roleAssignments/*"], data_actions=[], takes_away=False, scopes=["/"])
}


@pytest.mark.parametrize(
    ("assignments", "warned"),
    [
        ([_assigned(ADMINISTRATOR, ONLY_MINE)], True),
        ([_assigned("custom", ONLY_MINE)], True),
        ([_assigned(ADMINISTRATOR, ONLY_MINE), _assigned("custom", ONLY_MINE)], True),
        ([_assigned(ADMINISTRATOR, ONLY_MINE), _assigned("reader")], True),
        ([_assigned(ADMINISTRATOR, ONLY_MINE), _assigned("custom")], False),
        ([_assigned(ADMINISTRATOR, ONLY_MINE), _assigned(ADMINISTRATOR, ALL_BUT_OTHER.replace("b", "c"))], False),
        ([_assigned(ADMINISTRATOR, ONLY_MINE, principal="another")], False),
        ([_assigned("reader", ONLY_MINE)], False),
        ([], False),
    ],
)
def test_a_role_is_warned_of_that_no_assignment_lets_the_app_assign(
    assignments: list[AssignmentLook], warned: bool
) -> None:
    warnings = list(excluded_roles({"Mine": MINE, "Other": OTHER}, ME, assignments, CUSTOM))
    assert [f"the role Other ({OTHER})" in warning for warning in warnings] == [True] * warned
