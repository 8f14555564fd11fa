"""`make engine-losses`: every worker call of every operation is lost, before and after it ran; engines are killed."""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from queue import Queue
from typing import Final

from local.deployment import Deployment, Status
from local.genuine import Verdict, genuine_engine
from peering.naming import peering_id
from tests.engine.deployments import standalone
from tests.engine.figures import Cell, cell, show, side_by_side
from tests.engine.kills import kill_cells
from tests.engine.losing import Course, Losing, Loss
from tests.engine.outcomes import (
    Answer,
    ask,
    credentials_beside_one,
    doubles,
    left_over,
    not_as_before,
    runs_of,
    unaccounted,
)
from tests.engine.sweeps import SWEPT, sweep_cells

#: Peerings side by side: each has a project VPC of its own, which tells some of their calls apart.
LANES: Final = 6
#: Which verdicts a call is lost with.
_LOST: Final = (Verdict.LOSE_BEFORE, Verdict.LOSE_AFTER)
#: What is lost in one life of a peering: at most one call of each operation.
Life = Mapping[str, Loss | None]


class Peered:
    """A peering whose life is lived once, with a lost call in each of its operations."""

    def __init__(self, deployment: Deployment, losing: Losing, vnet_id: str, project_vpc_id: str) -> None:
        self.deployment, self.losing, self.vnet_id, self.project_vpc_id = deployment, losing, vnet_id, project_vpc_id
        self.request = deployment.request(vnet_id=vnet_id, project_vpc_id=project_vpc_id)
        self.identity = peering_id(str(self.request["project"]), project_vpc_id, vnet_id)
        self.earlier = {run["run"] for run in runs_of(deployment, self.identity)}

    def follow(self, loss: Loss | None) -> Course:
        """Follow the calls of the operation that begins now."""
        return self.losing.follow(loss, self.identity, self.project_vpc_id)

    def settled(self, answer: Answer, wanted: str, tell: Callable[[Status], object]) -> Iterator[str]:
        """Wait until the peering is at rest; how it stands then has to be as wanted, and the order needs an outcome."""
        if not answer.is_accepted:
            yield f"answered {answer}"
            return
        status = self.deployment.until(self.identity)
        if (found := tell(status)) != wanted:
            yield f"{found} instead of {wanted}"
        runs = [run for run in runs_of(self.deployment, self.identity) if run["run"] not in self.earlier]
        yield from unaccounted([answer], runs)
        yield from (
            f"run {run['run']} ended as {run['outcome']}: {run.get('problem')}"
            for run in runs
            if run["outcome"] != "done"
        )
        if status["state"] != "removed":
            yield from credentials_beside_one(self.deployment.cloud_state(), self.identity)

    def start(self) -> Iterator[str]:
        """Start it: it is connected in the end."""
        answer = ask(self.deployment, "POST", "", self.request)
        yield from self.settled(answer, "connected", lambda status: status["state"])

    def repair(self) -> Iterator[str]:
        """Break it and check it: it is healthy in the end."""
        facts = self.deployment.status(self.identity)["facts"]
        self.deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
        answer = ask(self.deployment, "POST", f"/{self.identity}/check")
        yield from self.settled(answer, "healthy", lambda status: status["health"]["verdict"])

    def rotate(self) -> Iterator[str]:
        """Rotate its credential: it has one password in the end, another one."""
        before = self.deployment.status(self.identity)["facts"]["secret_version"]
        answer = ask(self.deployment, "POST", f"/{self.identity}/rotate")
        yield from self.settled(answer, "rotated", lambda status: status["runs"][-1]["state"])
        if self.deployment.status(self.identity)["facts"]["secret_version"] == before:
            yield "the secret's version is the old one"

    def remove(self) -> Iterator[str]:
        """Remove it: nothing is left in the end."""
        answer = ask(self.deployment, "DELETE", f"/{self.identity}")
        yield from self.settled(answer, "removed", lambda status: status["state"])
        state = self.deployment.cloud_state()
        yield from left_over(state, self.deployment.status(self.identity), self.vnet_id)


OPERATIONS: Final[dict[str, Callable[[Peered], Iterator[str]]]] = {
    "start": Peered.start,
    "repair": Peered.repair,
    "rotate": Peered.rotate,
    "remove": Peered.remove,
}


def calls_of_peace(peered: Peered) -> dict[str, list[tuple[str, int]]]:
    """Every worker call of every operation where nothing is lost."""
    found = dict[str, list[tuple[str, int]]]()
    for name, operation in OPERATIONS.items():
        course = peered.follow(None)
        if wrong := list(operation(peered)):
            raise RuntimeError(f"{name} where nothing is lost: {wrong}")
        found[name] = list(course.calls)
    return found


def lives(calls: Mapping[str, Sequence[tuple[str, int]]], operations: Sequence[str], every: int = 1) -> list[Life]:
    """Lives in which each call of some operations is lost once before and once after it ran.

    Args:
        calls: each operation's calls in peace.
        operations: whose calls.
        every: take one of so many cells.
    """
    losses = {name: [Loss(*call, verdict) for verdict in _LOST for call in calls[name]][::every] for name in operations}
    return [dict(zip(losses, row, strict=True)) for row in itertools.zip_longest(*losses.values())]


def live(peered: Peered, life: Life) -> list[Cell]:
    """Live one life; a cell for each lost call."""
    cells = list[Cell]()
    for name, operation in OPERATIONS.items():
        loss = life.get(name)
        course = peered.follow(loss)
        one = cell(name, str(loss or "nothing lost"), partial(operation, peered))
        if loss is not None or one.wrong:
            cells.append(replace(one, is_missed=loss is not None and not course.is_met))
    return cells


def loss_cells(
    deployment: Deployment, operations: Sequence[str], every: int = 1, most: int | None = None
) -> list[Cell]:
    """Lose every call of some operations, in peerings side by side, and see that the cloud is as before.

    Args:
        deployment: has a VNet for each life, and a project VPC for each lane.
        operations: whose calls are lost.
        every: take one of so many cells.
        most: at most so many lives.
    """
    losing, before = Losing(), deployment.cloud_state()
    genuine_engine(deployment.host).intercept(losing)
    vpcs: Queue[str] = Queue()
    for vpc in deployment.cloud.world.vpcs:
        vpcs.put(vpc)
    there = deployment.cloud.vnet_ids
    # The first VNet was peered before, and its secret is recovered.
    calls = calls_of_peace(Peered(deployment, losing, there[1], next(iter(deployment.cloud.world.vpcs))))

    def in_a_lane(numbered: tuple[int, Life]) -> list[Cell]:
        number, life = numbered
        vpc = vpcs.get()
        try:
            return live(Peered(deployment, losing, there[number % len(there)], vpc), life)
        finally:
            vpcs.put(vpc)

    found = side_by_side(in_a_lane, enumerate(lives(calls, operations, every)[:most], 2), vpcs.qsize())

    def as_before() -> Iterator[str]:
        after = deployment.cloud_state()
        yield from doubles(after)
        yield from not_as_before(before, after)

    return [*itertools.chain.from_iterable(found), cell("the cloud after all", "cloud", as_before)]


def main() -> int:
    """Lose calls, kill engines, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    choices = (*OPERATIONS, SWEPT, "kill")
    parser.add_argument("--operation", action="append", choices=choices, help="only these")
    parser.add_argument("--every", type=int, default=1, help="take one of so many lost calls")
    parser.add_argument("--moments", type=int, default=20, help="moments of a start at which an engine is killed")
    given = parser.parse_args()
    wanted, cells = given.operation or choices, list[Cell]()
    with standalone(vnets=200, project_vpcs=LANES) as (platform, deployment):
        if operations := [name for name in OPERATIONS if name in wanted]:
            cells += loss_cells(deployment, operations, given.every)
        if SWEPT in wanted:
            cells += sweep_cells(deployment, given.every)
        if "kill" in wanted:
            cells += kill_cells(platform.storage, deployment, given.moments)
    return show("lost calls and killed engines", "cells", cells)


if __name__ == "__main__":
    sys.exit(main())
