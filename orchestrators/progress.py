"""What a running peering tells about itself: the custom status of its orchestration."""

from typing import Literal, NotRequired, TypedDict

from peering.outcome import Facts, Occurrence
from peering.plan import Operation

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
    "failed",
]


class StepProgress(TypedDict):
    """One step that has begun; a step that is missing is pending. Times are ISO 8601."""

    state: StepState
    started: str
    tries: int
    finished: NotRequired[str]
    problem: NotRequired[Occurrence]


class Progress(TypedDict):
    """The custom status and the output of every run on a peering."""

    operation: Operation
    state: RunState
    run: str
    steps: dict[str, StepProgress]
    facts: Facts


#: Facts that can be long are left out of the status, which Durable limits to 16 KB.
NOT_SHOWN = frozenset({"address_prefixes", "peered_networks", "neighbours"})


def shown(facts: Facts) -> Facts:
    """The facts that the status of a peering shows."""
    return {name: value for name, value in facts.items() if name not in NOT_SHOWN}
