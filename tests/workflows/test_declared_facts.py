"""The tables of steps tell the whole truth: no activity returns a fact that its step does not declare."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.deployment import Deployment
from local.host.worker import Worker
from peering.calls import LOOK_AHEAD
from peering.steps import PLANS

DECLARED = {step.name: {*step.yields, *step.may_yield} for table in PLANS.values() for step in table}


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """What activities return meanwhile: each one's name, with the name of a fact."""
    seen, activity = set[tuple[str, str]](), Worker.activity

    async def recorded(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        result = await activity(worker, name, given, instance_id)
        seen.update(_facts(name, json.loads(result or "null")))
        return result

    monkeypatch.setattr(Worker, "activity", recorded)
    return seen


def _facts(name: str, result: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever an activity returns
    for step, outcome in result.items() if name == LOOK_AHEAD else [(name, result)]:
        if isinstance(outcome, dict):
            yield from ((step, fact) for fact in outcome.get("facts", {}))


@pytest.mark.parametrize("options", [{}, {"privilege": "setup-only"}])
def test_a_step_returns_only_what_its_table_declares(
    returned: set[tuple[str, str]], deployment: Deployment, options: dict[str, object]
) -> None:
    status = deployment.settle(**options)
    facts = status["facts"]
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    for operation in (deployment.check, deployment.rotate, deployment.remove):
        operation(status["id"])
    steps = {step for step, _ in returned}
    assert steps >= {"project_vpc", "vnet", "inventory", "connected", "belongings", "retire_credential"}
    assert [(step, fact) for step, fact in sorted(returned) if step in DECLARED and fact not in DECLARED[step]] == []
