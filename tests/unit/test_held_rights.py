"""Who holds which rights, as the report says it: also a role whose definition nobody could read."""

from copy import deepcopy
from typing import Any, cast

from peering.held_rights import held_rights
from peering.look import Look
from peering.record import Record
from tests.unit.healthy_peering import FACTS, HEALTHY, PEERING, VNET

RECORD = cast("Record", {"peering": PEERING, "facts": FACTS})


def shown(**roles: object) -> dict[str, tuple[str, list[str], bool]]:
    """Role, actions and purpose of each right by its principal, where Azure shows these roles."""
    look: dict[str, Any] = deepcopy(HEALTHY)
    look["access"]["found"]["roles"] |= roles
    look["access"]["found"]["roles"] = {name: role for name, role in look["access"]["found"]["roles"].items() if role}
    rights = list(held_rights(RECORD, cast("Look", look)))
    assert {right["scope"] for right in rights} == {VNET}
    return {r["principal_id"]: (r["role"], r["actions"], "VNet" in r["why"]) for r in rights}


def test_a_role_that_azure_shows_has_its_name_and_its_actions() -> None:
    found = shown(
        **{"user-role": {"name": "u", "actions": ["a"], "data_actions": [], "takes_away": True, "scopes": []}}
    )
    assert found["user"] == ("u", ["a", "but for some"], True)


def test_a_role_that_azure_does_not_show_is_named_by_its_guid_and_claims_no_action() -> None:
    found = shown(**{"user-role": None})
    assert found["user"] == ("user-role", [], True)
    assert found["platform"][0] == "p"
