"""The names that the engine uses: instance ids, events, and deterministic ids."""

from datetime import timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

#: The event that tells a run, and its waits, that the order in the peering's row has changed.
STOP: Final = "stop"
#: The instance id of the scheduled check.
SWEEP: Final = "health-sweep"
#: host.json's `functionTimeout`: a lost call may still be running for this long.
FUNCTION_TIMEOUT: Final = timedelta(minutes=5)
#: An execution without a sign of life for this long counts as dead.
SIGN_OF_LIFE: Final = 3 * FUNCTION_TIMEOUT
#: How long an order may wait until an instance takes it.
START_WITHIN: Final = timedelta(minutes=2)


def resume_pause(executions: int) -> timedelta:
    """The pause before an order is started again, by the number of its starts: it grows."""
    return START_WITHIN * float(2 ** (executions - 1))


def deterministic_id(*parts: str) -> str:
    """The same id for the same parts: what a restarted activity starts twice is one instance."""
    return str(uuid5(NAMESPACE_URL, "|".join(("urn:aiven-azure-peering", *parts))))


def wait_instance_id(instance_id: str, execution: str, step: str) -> str:
    """The instance id of a step's wait. Another execution has other ones: a running child's id would not be refused."""
    return f"{instance_id}:{execution}:{step}"


def peering_of_instance(instance_id: str) -> str:
    """The peering whose order an instance serves, if it is the orchestrator of orders or one of its waits."""
    return instance_id.partition(":")[0]


def delivery_instance_id(peering_id: str) -> str:
    """The instance id of the delivery of a peering's events."""
    return f"events:{peering_id}"
