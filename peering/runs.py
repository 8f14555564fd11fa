"""What runs are started with, and their ids."""

from typing import Final, NotRequired, TypedDict
from uuid import NAMESPACE_URL, uuid5

from peering.spec import Caller, Credential, Deadlines, Peering

#: The event that ends a run, and its waits, before their time.
STOP: Final = "stop"


class RunInput(TypedDict):
    """What a run is started with; `run` tells one run of the same peering from the next.

    `codes` are the findings that a repair or an automatic rotation is to mend, as of a `revision` of the registry's
    record; `credential` is what to rotate to.
    """

    peering: Peering
    deadlines: Deadlines
    run: str
    by: Caller
    codes: NotRequired[list[str]]
    revision: NotRequired[int]
    credential: NotRequired[Credential]


def deterministic_id(*parts: str) -> str:
    """The same id for the same parts: what an activity starts twice, because it was killed, is one thing."""
    return str(uuid5(NAMESPACE_URL, "|".join(("urn:aiven-azure-peering", *parts))))


def wait_instance_id(instance_id: str, run: str, step: str) -> str:
    """The instance id of a step's wait; a new run has new ones."""
    return f"{instance_id}:{run}:{step}"


def removal_instance_id(peering_id: str) -> str:
    """The instance id of what stops a run and then begins a removal."""
    return f"{peering_id}:removal"


def check_instance_id(peering_id: str) -> str:
    """The instance id of a check of one peering."""
    return f"{peering_id}:check"
