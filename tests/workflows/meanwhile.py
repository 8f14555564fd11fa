"""What happens while a run is under way, just before an activity is called."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Meanwhile:
    """What happens before the calls of an activity, in their order, and the activities whose first result is lost.

    `called` are the activities so far.
    """

    before: dict[str, list[Callable[[], object]]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    called: list[str] = field(default_factory=list)
