"""What the activities of a check hand to one another: plain JSON."""

from typing import NotRequired, TypedDict


class CheckOne(TypedDict):
    """The input of `check_one`: which peering, and when the check began."""

    id: str
    at: str
    trace: NotRequired[str]


class Found(TypedDict):
    """The answer of `check_one`: the findings that a repair may mend, and whether events are to be delivered."""

    repairs: list[str]
    undelivered: bool
