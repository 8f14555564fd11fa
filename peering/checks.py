"""The inputs and outputs of a check's activities: plain JSON."""

from typing import NotRequired, TypedDict

from peering.problems.codes import ProblemCode


class CheckOne(TypedDict):
    """The input of `check_one`: which peering, and when the check began."""

    id: str
    at: str
    trace: NotRequired[str]


class CheckFound(TypedDict):
    """The answer of `check_one`: the findings that a repair may fix, and whether events are to be delivered."""

    repairs: list[ProblemCode]
    undelivered: bool
