"""The status of a current run: the custom status of its orchestration, of limited size."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NotRequired, get_args

from typing_extensions import TypedDict

from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.step_names import StepName
from peering.steps import Operation

StepState = Literal["running", "waiting", "done", "failed"]
RunState = Literal[
    "running",
    "stopping",
    "rolling-back",
    "connected",
    "existing",
    "rotated",
    "removed",
    "rolled-back",
    "stopped",
    "superseded",
    "checked",
    "failed",
]
#: The states of a peering: of its current run, of its last run, or of its open order.
PeeringState = Literal[RunState, "repairing", "rotating", "removing", "removal-failed", "checking"]

_STATES: Final[Mapping[str, PeeringState]] = {state: state for state in get_args(PeeringState)}


def state_named(name: str) -> PeeringState:
    """The state with a stored name; an unknown name stands for `failed`."""
    return _STATES.get(name, "failed")


class StepProgress(TypedDict):
    """One step that has begun, in full; a step that is missing is pending. Times are ISO 8601."""

    state: StepState
    started: str
    tries: int
    finished: NotRequired[str]
    problem: NotRequired[Occurrence]


class ShortProblem(TypedDict):
    """A problem's code and the beginning of its detail."""

    code: ProblemCode
    detail: str


class ShortStep(TypedDict):
    """One step that has begun; `begun` and `ended` are seconds since the start of the run."""

    state: StepState
    tries: int
    begun: float
    ended: NotRequired[float]
    problem: NotRequired[ShortProblem]


class Progress(TypedDict):
    """The custom status of a run. `execution` is the one that wrote it; `started` is when it took the order."""

    operation: Operation
    state: RunState
    run: str
    execution: str
    started: str
    steps: dict[StepName, ShortStep]


#: The longest text in a custom status, and the most that one holds altogether, in characters of JSON.
LONGEST_TEXT: Final = 300
LARGEST_STATUS: Final = 4000


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= longest else f"{text[: max(longest - 1, 0)]}…"


def short_problem(problem: Occurrence, longest: int = LONGEST_TEXT) -> ShortProblem:
    """A problem shortened for a custom status."""
    return ShortProblem(code=problem["code"], detail=shortened(problem["detail"], longest))


def progress(
    operation: Operation,
    state: RunState,
    run: str,
    execution: str,
    started: str,
    steps: Mapping[StepName, StepProgress],
) -> Progress:
    """The custom status of a run: the texts are cut until it has at most `LARGEST_STATUS` characters.

    Problems are dropped last, first those that a step waits for: its wait shows them, too.
    """
    found = Progress(operation=operation, state=state, run=run, execution=execution, started=started, steps={})
    for longest in (LONGEST_TEXT, LONGEST_TEXT // 3, LONGEST_TEXT // 10, 0):
        found["steps"] = {name: _short(step, started, longest) for name, step in steps.items()}
        if len(json.dumps(found)) <= LARGEST_STATUS:
            return found
    for step in sorted(found["steps"].values(), key=lambda step: step["state"] != "waiting"):
        step.pop("problem", None)
        if len(json.dumps(found)) <= LARGEST_STATUS:
            break
    return found


def _short(step: StepProgress, started: str, longest: int) -> ShortStep:
    found = ShortStep(state=step["state"], tries=step["tries"], begun=_seconds(started, step["started"]))
    if "finished" in step:
        found["ended"] = _seconds(started, step["finished"])
    if "problem" in step:
        found["problem"] = short_problem(step["problem"], longest)
    return found


def _seconds(since: str, moment: str) -> float:
    return round((datetime.fromisoformat(moment) - datetime.fromisoformat(since)).total_seconds(), 3)
