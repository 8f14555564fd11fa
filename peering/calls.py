"""The names of activities and orchestrators, typed with their inputs and outputs.

For Durable Functions and its histories they are plain strings. Every cold start imports them,
but not their input and output types, which only type checkers need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NotRequired, TypedDict, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peering.checks import CheckFound, CheckOne
    from peering.orders import Lost, PhaseChange, Supersession, Taken, Taking
    from peering.outcome import LookRequest, Looks, Occurrence, Outcome, StepRequest
    from peering.record import Change
    from peering.registry import Ending
    from peering.spec import Fence
    from peering.sweep import Piece, PieceResult, Sweep, SweepCounts, SweepPlan
    from peering.webhook import Delivery, Event

Given = TypeVar("Given", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class Activity(str, Generic[Given, Answer]):
    """The name of an activity."""


class Orchestrator(str, Generic[Given, Answer]):
    """The name of an orchestrator."""


class Whose(TypedDict):
    """The input of `run_order`: the peering's id, and the trace of the caller that starts it."""

    id: str
    trace: NotRequired[str]


class Interrupted(TypedDict):
    """The output of `check_health` if the platform prevented its start: `SweepCounts`, and why."""

    checked: int
    changed: int
    repairs: int
    failed: NotRequired[dict[str, int]]
    interrupted: str


class StepActivity(Activity["StepRequest", "Outcome"]):
    """The name of a step's activity, which is the step's."""


# Of an order.
TAKE_ORDER: Final[Activity[Taking, Taken | None]] = Activity("take_order")
RENEW_ORDER: Final[Activity[Fence, bool]] = Activity("renew_order")
ENTER_ORDER_PHASE: Final[Activity[PhaseChange, bool]] = Activity("enter_order_phase")
CONCLUDE_ORDER: Final[Activity[Ending, bool]] = Activity("conclude_order")
NOTE_SUPERSEDED: Final[Activity[Supersession, None]] = Activity("note_superseded")
NOTE_LOST: Final[Activity[Lost, None]] = Activity("note_lost")
STOP_WAITS: Final[Activity[Sequence[str], None]] = Activity("stop_waits")

# Of a run, in addition to its steps.
LOOK_AHEAD: Final[Activity[LookRequest, Looks]] = Activity("look_ahead")
DIAGNOSE: Final[Activity[StepRequest, list[Occurrence]]] = Activity("diagnose")
RELEASE_RIGHTS: Final = StepActivity("release_rights")
DISCARD_CREDENTIAL: Final = StepActivity("discard_credential")
RETIRE_UNKNOWN_CREDENTIALS: Final = StepActivity("retire_unknown_credentials")

# Of checks.
CHECK_ONE: Final[Activity[CheckOne, CheckFound]] = Activity("check_one")
PLAN_SWEEP: Final[Activity[str, SweepPlan]] = Activity("plan_sweep")
LOOK_AT_SECRETS: Final[Activity[Piece, PieceResult]] = Activity("look_at_secrets")
LOOK_AT_ASSIGNMENTS: Final[Activity[Piece, PieceResult]] = Activity("look_at_assignments")
LOOK_AT_PROJECT_VPCS: Final[Activity[Piece, PieceResult]] = Activity("look_at_project_vpcs")
CHECK_VNETS: Final[Activity[Piece, PieceResult]] = Activity("check_vnets")
NOTE_UNSEEN: Final[Activity[Piece, PieceResult]] = Activity("note_unseen")
END_SWEEP: Final[Activity[str, None]] = Activity("end_sweep")

# Of deliveries.
BEGIN_DELIVERY: Final[Activity[Delivery, None]] = Activity("begin_delivery")
BEGIN_DELIVERIES: Final[Activity[Piece, PieceResult]] = Activity("begin_deliveries")
NEXT_EVENT: Final[Activity[Delivery, Event | None]] = Activity("next_event")
DELIVER_EVENT: Final[Activity[Event, Outcome]] = Activity("deliver_event")
NOTE_DELIVERED: Final[Activity[Change, None]] = Activity("note_delivered")

RUN_ORDER: Final[Orchestrator[Whose, str | None]] = Orchestrator("run_order")
CHECK_HEALTH: Final[Orchestrator[Sweep, SweepCounts | Interrupted | None]] = Orchestrator("check_health")
DELIVER: Final[Orchestrator[Delivery, Outcome | None]] = Orchestrator("deliver")
