"""What a dry run says, of a start or of a removal."""

from typing import Any

from local.deployment import Deployment


def plan(deployment: Deployment, **options: object) -> dict[str, Any]:
    """What a start would do."""
    answer = deployment.api.post("/api/peerings?dryRun=true", json=deployment.request(**options))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def planned_removal(deployment: Deployment, identity: str) -> dict[str, Any]:
    """What a removal would do."""
    answer = deployment.api.delete(f"/api/peerings/{identity}?dryRun=true")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def actions(planned: dict[str, Any]) -> dict[str, str]:
    """What would be done about each object."""
    return {step["step"]: step["action"] for step in planned["steps"]}


def codes(planned: dict[str, Any]) -> list[str]:
    """The obstacles' codes; each one has its remedy."""
    assert all(obstacle["remedy"] and obstacle["detail"] for obstacle in planned["obstacles"])
    return sorted(obstacle["code"] for obstacle in planned["obstacles"])
