"""A custom status stays small, whatever the remotes say: over 16 KB of UTF-16 the engine fails the orchestration."""

import json
from datetime import UTC, datetime, timedelta
from typing import get_args
from unittest.mock import Mock

import pytest

from orchestrators.waiting import Wait, await_step
from peering.outcome import Occurrence, StepRequest
from peering.problems.codes import ProblemCode
from peering.progress import LARGEST_STATUS, StepProgress, StepState, progress
from peering.request import PeeringRequest
from peering.spec import Deadlines
from peering.steps import PLANS, Operation
from tests.unit.good_request import GOOD

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LATER = (BEGAN + timedelta(days=30, seconds=0.123456)).isoformat()
LONGEST_CODE = max(get_args(ProblemCode), key=len)
#: 8 KB of what a remote may say: plain, escaped in JSON, and escaped twice.
MESSAGES = ["x" * 8192, "é" * 8192, "\N{GRINNING FACE}" * 8192, '"' * 8192]


def waiting(text: str, state: StepState = "waiting") -> StepProgress:
    """A step that has met a problem, after many tries."""
    return StepProgress(state=state, started=LATER, tries=100_000, problem=Occurrence(code=LONGEST_CODE, detail=text))


@pytest.mark.parametrize("text", MESSAGES, ids=["plain", "escaped", "pairs", "quotes"])
@pytest.mark.parametrize("operation", list(PLANS))
def test_a_run_whose_steps_all_wait_with_the_longest_problem_fits(operation: Operation, text: str) -> None:
    steps = {step.name: waiting(text) for step in PLANS[operation]}
    status = progress(operation, "rolling-back", "01234567", "0123456789ab", BEGAN.isoformat(), steps)
    assert len(json.dumps(status)) <= LARGEST_STATUS
    assert set(status["steps"]) == set(steps)


@pytest.mark.parametrize("text", MESSAGES, ids=["plain", "escaped", "pairs", "quotes"])
def test_the_problem_that_ended_a_run_is_in_its_status(text: str) -> None:
    steps = {step.name: waiting(text) for step in PLANS["establish"]}
    steps["active"] = {**waiting(text, "failed"), "finished": LATER}
    status = progress("establish", "failed", "01234567", "0123456789ab", BEGAN.isoformat(), steps)
    assert len(json.dumps(status)) <= LARGEST_STATUS
    assert status["steps"]["active"]["problem"]["code"] == LONGEST_CODE


@pytest.mark.parametrize("text", MESSAGES, ids=["plain", "escaped", "pairs", "quotes"])
def test_a_wait_with_the_longest_problem_fits(text: str) -> None:
    wait = Wait(
        step="active",
        request=StepRequest(peering=PeeringRequest.model_validate(GOOD, strict=False).peering(), facts={}),
        deadlines=Deadlines(propagation=900, platform=86400),
        since=BEGAN.isoformat(),
        tries=100_000,
        problem=Occurrence(code="connection-not-active", detail=text),
    )
    context = Mock(current_utc_datetime=BEGAN)
    context.get_input.return_value = wait
    next(await_step(context))
    (status,) = context.set_custom_status.call_args.args
    assert len(json.dumps(status)) <= LARGEST_STATUS
