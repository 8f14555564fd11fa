"""The result of a step: the facts that it collected, or one problem of the catalogue.

Durable Functions keeps the text of an exception but not its class, so an activity never raises one.
"""

from collections.abc import Sequence
from typing import Final, NotRequired, TypeAlias, final

from typing_extensions import TypedDict, TypeIs

from peering.facts import Facts
from peering.problems.codes import ProblemCode
from peering.spec import Fence, Peering
from peering.step_names import StepName

#: The problem for a call that the platform lost.
LOST: Final[ProblemCode] = "activity-lost"
#: The problem for a remote service that throttles.
THROTTLED: Final[ProblemCode] = "remote-throttled"


class Remote(TypedDict):
    """The remote service and its answer: enough to open a support case."""

    service: str
    host: NotRequired[str | None]
    status: NotRequired[int | None]
    code: NotRequired[str | None]
    request_id: NotRequired[str | None]


class Occurrence(TypedDict):
    """One problem as it occurred; `code` is its key in the catalogue.

    `causes` are what a diagnosis found behind it; `also` are further problems that the same step met. `final`: it will
    not clear this time, although problems of its code may. `seen` is for the next poll of the same wait.
    """

    code: ProblemCode
    detail: str
    retry_after: NotRequired[float]
    remote: NotRequired[Remote]
    gave_up_after: NotRequired[float]
    final: NotRequired[bool]
    causes: NotRequired[list["Occurrence"]]
    also: NotRequired[list["Occurrence"]]
    seen: NotRequired[Facts]


@final
class Done(TypedDict):
    """The result of a completed step."""

    facts: Facts


@final
class Undone(TypedDict):
    """The result of an activity that failed."""

    problem: Occurrence


#: What a step returns; check which of the two it is before you read it.
Outcome: TypeAlias = Done | Undone
#: What `look_ahead` returns: the outcome of each preflight step, or why none was begun.
Looks: TypeAlias = dict[StepName, Outcome] | Undone


def is_undone(answer: Outcome | Looks) -> TypeIs[Undone]:
    """Whether an activity failed; no preflight step is named `problem`."""
    return "problem" in answer


@final
class StepRequest(TypedDict):
    """The input of a step's activity: the peering, and the facts that the step needs.

    With a `fence` the step is done only while the order is still that execution's own; without one it may have a
    `trace` of its own.
    """

    peering: Peering
    facts: Facts
    fence: NotRequired[Fence]
    trace: NotRequired[str]


@final
class LookRequest(TypedDict):
    """The input of `look_ahead`: the peering, what earlier runs gathered, and what this one has."""

    peering: Peering
    known: Facts
    facts: Facts
    fence: Fence


#: The maximum number of further problems of one step: a VNet may have 500 peerings, but a row holds one megabyte.
MOST_ALSO: Final = 60


class ProblemError(Exception):
    """Raised in a step to end it with a problem of the catalogue."""

    def __init__(
        self, code: ProblemCode, detail: str, *, retry_after: float | None = None, remote: Remote | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.occurrence = Occurrence(code=code, detail=detail)
        if retry_after is not None:
            self.occurrence["retry_after"] = retry_after
        if remote is not None:
            self.occurrence["remote"] = remote

    @classmethod
    def of(cls, problems: Sequence[Occurrence]) -> "ProblemError":
        """One error for several problems, at least one."""
        first, *others = problems
        error = cls(first["code"], first["detail"])
        error.occurrence = first
        if others:
            error.occurrence["also"] = others[:MOST_ALSO]
        if len(others) > MOST_ALSO:
            first["detail"] += f" {len(others) - MOST_ALSO} more are not listed."
        return error


def superseded() -> Occurrence:
    """The problem of an execution whose order has been superseded: it does nothing more."""
    return Occurrence(code="run-superseded", detail="The order has changed.")
