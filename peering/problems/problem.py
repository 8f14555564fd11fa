"""What a problem is: a stable code, texts for people, who can fix it, and whether it is transient."""

from dataclasses import dataclass
from typing import Literal

from peering.problems.codes import ProblemCode

Deadline = Literal["propagation", "platform"]
Fixer = Literal[
    "the caller",
    "the network team",
    "an Entra administrator",
    "an Azure administrator",
    "an Aiven project administrator",
    "an Aiven organization administrator",
    "the operator of this app",
]


@dataclass(frozen=True)
class Problem:
    """One kind of obstacle: its code is stable, its texts are for people."""

    code: ProblemCode
    title: str
    meaning: str
    remedy: str
    fixer: Fixer
    deadline: Deadline | None = None
    status: int = 500
