"""`setup-only`: a role that Azure does not let go at once, or does not find, and what is kept of what it says."""

from typing import Final

from local.cloud.server.wire import Request
from local.deployment import Deployment
from tests.workflows.cloud_objects import rights

_DELETE: Final = {"host": r"management\.azure\.com", "method": "DELETE", "path": "/roleAssignments/"}


def test_a_refusal_that_repeats_the_request_is_kept_without_its_token(deployment: Deployment) -> None:
    deployment.knobs(faults=[{**_DELETE, "status": 403, "code": "AuthorizationFailed", "echo": True, "times": 3}])
    status = deployment.settle(privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    assert "A fault that was asked for" in status["facts"]["rights_kept"]
    assert "Bearer ey" not in str(deployment.record(status["id"]))
    deployment.knobs(faults=[])
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
    assert rights(deployment, status) == 0


def test_rights_that_azure_does_not_find_but_shows_are_removed_all_the_same(deployment: Deployment) -> None:
    deployment.knobs(faults=[{**_DELETE, "status": 404, "code": "RoleAssignmentNotFound", "times": 3}])
    status = deployment.settle(privilege="setup-only")
    assert status["state"] == "connected", status.get("problem")
    assert (rights(deployment, status), status["facts"]["rights_kept"]) == (0, None)


def test_rights_that_are_gone_already_are_released(deployment: Deployment) -> None:
    world = deployment.cloud.world

    def remove(request: Request) -> None:
        if request.method == "DELETE" and "/roleAssignments/" in request.path:
            for one in [a for a in world.assignments if a.name in request.path]:
                world.assignments.remove(one)

    deployment.cloud.before_each_request(remove)
    deployment.knobs(faults=[{**_DELETE, "status": 404, "code": "RoleAssignmentNotFound"}])
    status = deployment.settle(privilege="setup-only")
    assert (status["state"], status["facts"]["rights_kept"]) == ("connected", None)
