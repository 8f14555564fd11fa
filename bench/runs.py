"""How long one run takes, against the longest chain of its remote calls; its history; and many runs at once."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import httpx

from local.clock import SystemClock
from local.deployment import Deployment, Status, deploy
from orchestrators.establish import wait_instance_id
from peering.plan import STEPS

LATENCY: Final = 0.2
#: Remote calls in a row that each step of a first run makes once its tokens are there; `check_calls` counts them again.
CALLS_IN_A_ROW: Final = {
    "sign_in": 0,
    "project_vpc": 1,
    "vnet": 1,
    "ownership": 0,
    "application": 1,
    "user_service_principal": 1,
    "application_secret": 4,
    "user_role": 2,
    "user_role_assignment": 1,
    "platform_service_principal": 2,
    "platform_role": 2,
    "platform_role_assignment": 1,
    "tenant": 0,
    "peering_connection": 2,
    "pending_peer": 1,
    "vnet_peering": 3,
    "connected": 1,
    "active": 1,
}


def longest_chain() -> int:
    """How many remote calls depend on one another, at the most, in one run."""
    ends: dict[str, int] = {}
    for step in STEPS:
        begins = max((ends[source.name] for source in STEPS for fact in source.yields if fact in step.needs), default=0)
        ends[step.name] = begins + CALLS_IN_A_ROW[step.name]
    return max(ends.values())


def run_seconds(status: Status) -> float:
    """From the first step's start to the last one's end."""
    steps = status["steps"]
    ends = max(datetime.fromisoformat(step["finished"]) for step in steps)
    return (ends - min(datetime.fromisoformat(step["started"]) for step in steps)).total_seconds()
