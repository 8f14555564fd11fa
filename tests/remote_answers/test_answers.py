"""A start that meets an answer of the real services ends as its caller would have it."""

from pathlib import Path
from typing import Any

import pytest

from local.deployment import deploy
from tests.remote_answers.cases import CASES, SIBLINGS, Case


@pytest.mark.parametrize("case", [*CASES, *SIBLINGS], ids=lambda case: case.name)
def test_a_start_that_meets_it(case: Case, tmp_path: Path) -> None:
    with deploy(tmp_path) as deployment:
        names = {"platform_tenant": deployment.cloud.environment["PLATFORM_TENANT_ID"]}
        fault: dict[str, Any] = dict(case.fault)
        fault["path"] = fault["path"].replace("{platform_tenant}", names["platform_tenant"])
        deployment.knobs(faults=[fault])
        status = deployment.settle(**case.options)
        problem = status.get("problem", {})
        assert (status["state"], problem.get("code", "")) == (case.state, case.code), problem
        for words in case.says:
            assert words.format(**names) in problem["detail"]
        assert all(words in problem[part] for part, words in case.tells.items()), problem
        assert not case.code or problem["remote"]["host"], problem
        assert deployment.cloud.world.knobs.faults[0].times < fault.get("times", 1), "the fault was not met"
