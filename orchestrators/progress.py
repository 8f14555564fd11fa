"""What a running peering tells about itself: the custom status of its orchestration."""

from typing import Literal, NotRequired, TypedDict

from peering.outcome import Facts, Occurrence

StepState = Literal["running", "waiting", "done", "failed"]
PeeringState = Literal["running", "connected", "existing", "failed", "stopped", "removing", "removed"]


class StepProgress(TypedDict):
    """One step that has begun; a step that is missing is pending. Times are ISO 8601."""

    state: StepState
    started: str
    tries: int
    finished: NotRequired[str]
    problem: NotRequired[Occurrence]


class Progress(TypedDict):
    """The custom status and the output of `establish`."""

    state: PeeringState
    run: str
    steps: dict[str, StepProgress]
    facts: Facts


#: Facts that can be long are left out of the status, which Durable limits to 16 KB.
NOT_SHOWN = frozenset({"address_prefixes"})


def shown(facts: Facts) -> Facts:
    """The facts that the status of a peering shows."""
    return {name: value for name, value in facts.items() if name not in NOT_SHOWN}
