"""What steps return is compared with their tables in all tests of workflows, which finds what is undeclared."""

import pytest

from peering.calls import LOOK_AHEAD
from peering.step_names import StepName
from tests.workflows.conftest import DECLARED, undeclared


@pytest.mark.parametrize("step", DECLARED)
def test_an_undeclared_fact_is_found(step: StepName) -> None:
    done = {"facts": dict.fromkeys([*DECLARED[step], "waited"])}
    assert [*undeclared(step, done)] == [(step, "waited")]
    assert [*undeclared(LOOK_AHEAD, {step: done})] == [(step, "waited")]


@pytest.mark.parametrize("result", [{"problem": {"code": "remote-unavailable"}}, {"facts": {}}])
def test_a_problem_and_no_facts_are_no_undeclared_ones(result: dict[str, object]) -> None:
    assert [*undeclared("vnet", result)] == []
    assert [*undeclared(LOOK_AHEAD, result)] == []
