"""Locks and disabled subscriptions hold whoever asks, and are told of."""

import pytest

from tests.cloud.callers import Callers, code_of


@pytest.mark.parametrize(("level", "read_only"), [("ReadOnly", True), ("CanNotDelete", False)])
def test_a_lock_holds_for_everything_inside(cloud: Callers, level: str, read_only: bool) -> None:
    group = cloud.vnet.id.rpartition("/providers/")[0]
    assignment = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{cloud.cloud.world.guid()}"
    cloud.happen("add-lock", scope=group, level=level, name="held")
    listed = cloud.arm("GET", f"{cloud.vnet.id}/providers/Microsoft.Authorization/locks").json()["value"]
    assert [(lock["name"], lock["properties"]["level"]) for lock in listed] == [("held", level)]
    assert code_of(cloud.arm("DELETE", assignment)) == (409, "ScopeLocked")
    assert (code_of(cloud.arm("PUT", assignment, {})) == (409, "ScopeLocked")) is read_only
    cloud.happen("remove-lock", scope=group, name="held")
    assert cloud.arm("DELETE", assignment).status_code == 204


def test_a_disabled_subscription_can_be_read_alone(cloud: Callers) -> None:
    subscription = cloud.cloud.landscape.subscription
    assignment = f"{cloud.vnet.id}/providers/Microsoft.Authorization/roleAssignments/{cloud.cloud.world.guid()}"
    cloud.happen("disable-subscription", subscription_id=subscription)
    assert cloud.arm("GET", f"/subscriptions/{subscription}").json()["state"] == "Disabled"
    assert code_of(cloud.arm("DELETE", assignment)) == (409, "ReadOnlyDisabledSubscription")
    cloud.happen("enable-subscription", subscription_id=subscription)
    assert cloud.arm("DELETE", assignment).status_code == 204
